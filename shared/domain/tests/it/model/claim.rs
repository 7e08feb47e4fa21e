//! A bell reaches a worker: the claim.

use sever_domain::claim::{ClaimDecision, ClaimFacts, decide};
use sever_domain::{JobEvent, JobState, StepEvent, StepState};

use super::run::Rule;
use super::world::{Epoch, JOBS_MAX, LEASE_MS, Phase, World};

impl World {
    /// Delivers any message of the queue to any worker that is free; sometimes twice.
    pub fn deliver(&mut self) -> Result<(), String> {
        let free: Vec<usize> = (0..self.workers.len())
            .filter(|at| self.workers[*at].alive && self.workers[*at].epoch.is_none())
            .collect();
        if self.queue.is_empty() || free.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.queue.len());
        let job = self.queue[at];
        if !self.random.percent(10) {
            self.queue.swap_remove(at);
        }
        let worker = free[self.random.below(free.len())];
        self.claim(job, worker)
    }

    fn claim(&mut self, id: usize, worker: usize) -> Result<(), String> {
        match decide(&self.claim_facts(id)) {
            ClaimDecision::Take => self.take(id, worker),
            ClaimDecision::RungAgain => {
                self.jobs[id].rung_again = true;
                Ok(())
            }
            ClaimDecision::Later { due_at, .. } => {
                let job = &mut self.jobs[id];
                if job.state == JobState::Running {
                    job.go(JobEvent::Wait)?;
                }
                job.due_at = Some(due_at);
                Ok(())
            }
            ClaimDecision::CrashLoop => {
                let job = &mut self.jobs[id];
                if job.state == JobState::Waiting {
                    return Err("I6: a waiting job has unsettled epochs".to_owned());
                }
                job.go(JobEvent::DeadLetter)?;
                (job.letter, job.due_at, job.unsettled) = (true, None, 0);
                Ok(())
            }
            ClaimDecision::Nothing => Ok(()),
            ClaimDecision::StaleWorker => Err("nobody brought the database back".to_owned()),
        }
    }

    fn claim_facts(&self, id: usize) -> ClaimFacts {
        let job = &self.jobs[id];
        let running = |other: &&super::world::Job| other.state == JobState::Running;
        let leases = self.jobs.iter().filter(running).count();
        let own = usize::from(job.state == JobState::Running);
        ClaimFacts {
            state: job.state,
            due_at: job.due_at,
            lease_alive: self.lease_alive(job) && !self.is_broken(Rule::LiveLease),
            unsettled_epochs: job.unsettled,
            connection_open: self.connection_open,
            blocked_until: self.blocked_until,
            breaker_until: self.breaker.retry_at,
            needs_open: 0,
            leases: i64::try_from(leases - own).unwrap(),
            leases_max: JOBS_MAX,
            same_incarnation: true,
            now: self.now,
        }
    }

    fn take(&mut self, id: usize, worker: usize) -> Result<(), String> {
        let (until, token) = (self.later(LEASE_MS), self.random.next());
        let stolen = self.lease_alive(&self.jobs[id]);
        let instance = self.workers[worker].instance;
        let keeps_track = self.is_broken(Rule::LostTrack);
        let job = &mut self.jobs[id];
        if stolen {
            return Err("I3: a live lease was taken over".to_owned());
        }
        job.go(JobEvent::Claim)?;
        job.epoch += 1;
        job.unsettled += 1;
        job.claimed.push(job.epoch);
        (job.token, job.holder, job.lease_until) = (token, Some(instance), Some(until));
        (job.due_at, job.rung_again) = (None, false);
        for step in 0..job.steps.len() {
            if job.steps[step] == StepState::Applying {
                // Broken on purpose: what may have happened is believed not to have.
                let event = if keeps_track {
                    StepEvent::NotApplied
                } else {
                    StepEvent::Lost
                };
                job.step(step, event)?;
            }
        }
        self.workers[worker].epoch = Some(Epoch {
            job: id,
            epoch: job.epoch,
            token,
            revision: job.revision,
            phase: Phase::Open,
            attempt: None,
            learnt: Vec::new(),
            answered: Vec::new(),
            progressed: false,
            proof: None,
        });
        Ok(())
    }
}
