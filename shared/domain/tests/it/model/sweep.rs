//! The dispatcher: relay, sweeper, and what opens a connection again.

use jiff::SignedDuration;
use sever_domain::breaker::BreakerState;
use sever_domain::{JobEvent, JobState};

use super::run::Rule;
use super::world::{JOBS_MAX, World};

const RUNG_TOO_LONG: SignedDuration = SignedDuration::from_secs(60);
const RING_LEASE_AGAIN: SignedDuration = SignedDuration::from_secs(5);

impl World {
    /// Publishes one row; the confirm may be lost, and then it is published again.
    pub fn relay(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        let at = self.random.below(self.outbox.len());
        let job = self.outbox[at];
        self.queue.push(job);
        if self.faults && self.random.percent(5) {
            return;
        }
        self.outbox.swap_remove(at);
        self.jobs[job].rung_at = Some(self.now);
    }

    pub fn sweep(&mut self) -> Result<(), String> {
        if self.is_broken(Rule::Sweeper) {
            return Ok(());
        }
        self.return_parked()?;
        let running = |job: &&super::world::Job| job.state == JobState::Running;
        let leases = i64::try_from(self.jobs.iter().filter(running).count()).unwrap();
        let mut bells = match self.breaker.state(self.now) {
            BreakerState::Open => 0,
            BreakerState::HalfOpen => 2,
            BreakerState::Closed => 8 * (JOBS_MAX - leases).max(0),
        };
        let blocked = self.blocked_until.is_some_and(|until| until > self.now);
        if !self.connection_open || blocked {
            bells = 0;
        }
        for id in 0..self.jobs.len() {
            let wants = self.wants_bell(id);
            let waits = self.jobs[id].state == JobState::Waiting;
            if wants && (!waits || bells > 0) {
                bells -= i64::from(waits);
                self.ring(id);
            }
        }
        Ok(())
    }

    fn wants_bell(&self, id: usize) -> bool {
        let job = &self.jobs[id];
        let since_rung = job.rung_at.map(|at| self.now.duration_since(at));
        match job.state {
            JobState::Waiting => {
                let due = job.due_at.is_some_and(|due| due <= self.now);
                let rung = job.rung_at.zip(job.due_at).is_some_and(|(rung, due)| {
                    let patience = RUNG_TOO_LONG.max(rung.duration_since(due));
                    let lost = self.lost_at.is_some_and(|lost| rung <= lost);
                    rung >= due && !lost && self.now.duration_since(rung) <= patience
                });
                due && !rung
            }
            JobState::Running => {
                !self.lease_alive(job) && since_rung.is_none_or(|since| since > RING_LEASE_AGAIN)
            }
            _ => false,
        }
    }

    /// A canary read opens a parked connection; its jobs come back.
    pub fn canary(&mut self) {
        if self.provider.credential && self.provider.up {
            self.connection_open = true;
        }
    }

    fn return_parked(&mut self) -> Result<(), String> {
        if !self.connection_open {
            return Ok(());
        }
        let now = self.now;
        for job in &mut self.jobs {
            if job.state == JobState::Parked {
                job.go(JobEvent::Unpark)?;
                (job.due_at, job.rung_at) = (Some(now), None);
            }
        }
        Ok(())
    }
}
