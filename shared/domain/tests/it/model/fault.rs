//! What goes wrong, what people do, and time.

use jiff::SignedDuration;
use sever_domain::{JobEvent, JobState};

use super::world::{DEAD_MS, Worker, World};

impl World {
    /// Time passes for both clocks; the living beat, in steps short enough for them to be seen.
    pub fn pass(&mut self, mut ms: i64) {
        while ms > 0 {
            let step = ms.min(2_000);
            ms -= step;
            self.mono += step;
            self.now = self.later(step);
            self.beat();
        }
    }

    fn beat(&mut self) {
        for worker in &mut self.workers {
            if worker.alive && !worker.stalled {
                worker.beat_mono = self.mono;
                self.beats[worker.instance] = self.now;
            }
        }
    }

    /// Much time passes at once, for both clocks.
    pub fn leap(&mut self, ms: i64) {
        self.mono += ms;
        self.now = self.later(ms);
        self.beat();
    }

    /// The database's clock jumps, and nobody else's.
    pub fn jump(&mut self) {
        let seconds = i64::try_from(self.random.below(7_200)).unwrap() - 10;
        self.now += SignedDuration::from_secs(seconds);
    }

    /// The process is gone; what it had sent may still arrive, and its bell comes back.
    pub fn crash(&mut self) {
        let at = self.random.below(self.workers.len());
        let worker = &mut self.workers[at];
        worker.alive = false;
        if let Some(epoch) = worker.epoch.take() {
            self.queue.push(epoch.job);
        }
    }

    pub fn restart(&mut self) {
        let (now, mono) = (self.now, self.mono);
        for worker in &mut self.workers {
            if !worker.alive {
                self.beats.push(now);
                *worker = Worker {
                    instance: self.beats.len() - 1,
                    alive: true,
                    stalled: false,
                    beat_mono: mono,
                    epoch: None,
                };
            }
        }
    }

    /// A process that cannot beat and does not know yet: it goes on writing, and must be refused.
    pub fn stall(&mut self) {
        let at = self.random.below(self.workers.len());
        self.workers[at].stalled = !self.workers[at].stalled;
    }

    pub fn lose_broker(&mut self) {
        self.queue.clear();
        self.lost_at = Some(self.now);
    }

    pub fn turn_provider(&mut self) {
        match self.random.below(3) {
            0 => self.provider.credential = !self.provider.credential,
            _ => self.provider.up = !self.provider.up,
        }
    }

    /// What had left a worker arrives late, or never.
    pub fn arrive_late(&mut self) {
        let mono = self.mono;
        self.provider
            .under_way
            .retain(|call| call.until_mono > mono);
        if self.provider.under_way.is_empty() || !self.provider.up {
            return;
        }
        let at = self.random.below(self.provider.under_way.len());
        let call = self.provider.under_way.swap_remove(at);
        self.write_at_provider(call.job, call.step, call.epoch);
    }

    pub fn write_at_provider(&mut self, job: usize, step: usize, epoch: i64) {
        self.provider.live.remove(&(job, step));
        self.provider.journal.push((self.seq, job, step, epoch));
    }

    /// A person lifts what only a person lifts.
    pub fn person(&mut self) -> Result<(), String> {
        let now = self.now;
        for job in &mut self.jobs {
            let event = match job.state {
                JobState::Held => JobEvent::Release,
                JobState::Dead => JobEvent::Replay,
                _ => continue,
            };
            job.go(event)?;
            (job.held_by, job.letter) = (false, false);
            (job.due_at, job.rung_at, job.replans) = (Some(now), None, 0);
            (job.failing_since, job.failures) = (None, 0);
        }
        Ok(())
    }

    /// The end of all faults: everything is there again, and people do their part.
    pub fn heal(&mut self) -> Result<(), String> {
        self.faults = false;
        (self.provider.up, self.provider.credential) = (true, true);
        for worker in &mut self.workers {
            worker.stalled = false;
        }
        self.restart();
        self.beat();
        self.pass(DEAD_MS);
        self.person()
    }
}
