//! The invariants, after every step.

use sever_domain::JobState;

use super::run::Rule;
use super::world::{JOBS_MAX, SUBJECTS, World};

impl World {
    pub fn check(&self) -> Result<(), String> {
        for (id, job) in self.jobs.iter().enumerate() {
            self.check_job(id)
                .map_err(|broken| format!("{broken} (job {id}, {})", job.state))?;
        }
        for subject in 0..SUBJECTS {
            let open = self.jobs.iter().filter(|job| job.subject == subject);
            if open.filter(|job| job.is_open()).count() > 1 {
                return Err(format!("I12: subject {subject} has two open jobs"));
            }
        }
        let running = self
            .jobs
            .iter()
            .filter(|job| job.state == JobState::Running);
        if i64::try_from(running.count()).unwrap() > JOBS_MAX {
            return Err("cap: more leases than the connection may have".to_owned());
        }
        self.check_journal()
    }

    fn check_job(&self, id: usize) -> Result<(), String> {
        let job = &self.jobs[id];
        // I2, as far as an instant shows it; that a due job is rung shows the end of the run.
        let stands = match job.state {
            JobState::Waiting => job.due_at.is_some(),
            JobState::Running => job.holder.is_some() && job.lease_until.is_some(),
            JobState::Held => job.held_by,
            JobState::Dead => job.letter,
            JobState::Parked | JobState::Done | JobState::Cancelled | JobState::Replaced => true,
        };
        if !stands {
            return Err("I2: nothing will move the job".to_owned());
        }
        if !job.claimed.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err("I3: an epoch was claimed twice".to_owned());
        }
        let numbered = (1..).zip(&job.attempts).all(|(no, made)| no == *made);
        if !numbered || usize::try_from(job.attempt) != Ok(job.attempts.len()) {
            return Err("I4: the attempts have gaps".to_owned());
        }
        let replayed = job
            .events
            .iter()
            .try_fold(JobState::Waiting, |state, event| state.after(*event));
        if replayed != Ok(job.state) {
            return Err("I6: the state is not what its events say".to_owned());
        }
        if job.over_budget && !job.poisoned {
            return Err("budget: an outage of the provider dead-lettered a job".to_owned());
        }
        if job.state == JobState::Done {
            self.check_done(id)?;
        }
        Ok(())
    }

    /// I10: nothing is done without a complete inspection after its last write, and none of it is there.
    fn check_done(&self, id: usize) -> Result<(), String> {
        let job = &self.jobs[id];
        match job.proof {
            Some((_, true)) => {}
            _ => return Err("I10: done without a proof".to_owned()),
        }
        if self.provider.live.iter().any(|(of, _)| *of == id) {
            return Err("I10: done and still live".to_owned());
        }
        if job.steps.iter().any(|step| !step.is_closed()) {
            return Err("I6: done with open steps".to_owned());
        }
        Ok(())
    }

    /// I5 and I11: every write has its committed intent, and its target is of the plan.
    fn check_journal(&self) -> Result<(), String> {
        for (_, id, step, epoch) in &self.provider.journal {
            let job = &self.jobs[*id];
            if *step >= job.steps.len() {
                return Err("I11: a write outside of the plan".to_owned());
            }
            let intended =
                |effect: &super::world::Effect| effect.step == *step && effect.epoch == *epoch;
            if !job.effects.iter().any(intended) {
                return Err("I5: a write without an intent".to_owned());
            }
        }
        Ok(())
    }

    /// After the faults: every job came to its end, and waiting cost no attempt.
    pub fn check_end(&self) -> Result<(), String> {
        let open = self.jobs.iter().enumerate().find(|(_, job)| job.is_open());
        if let Some((id, job)) = open {
            return Err(format!("end: job {id} is still {}", job.state));
        }
        let free = self.jobs.iter().find(|job| {
            let claims = job.claimed.len();
            job.attempts.len() > claims
        });
        free.map_or(Ok(()), |_| Err("I4: more attempts than epochs".to_owned()))
    }
}

impl Rule {
    /// How a check says that this rule is broken.
    pub const fn caught_by(self) -> &'static [&'static str] {
        match self {
            Self::LiveLease => &["I3"],
            Self::Fencing => &["I2", "I3", "I4", "I5", "I6", "I10", "step", "blind"],
            Self::Intent => &["I5"],
            Self::Proof => &["I10"],
            Self::LostTrack => &["blind"],
            Self::WaitIsFree => &["waiting"],
            Self::Outage => &["budget"],
            Self::Sweeper => &["end"],
        }
    }
}
