//! The job's state machine.

use crate::text_enum::{IllegalTransition, text_enum};

text_enum! {
    /// What a job is for.
    pub enum JobKind {
        /// To remove a subject's access at one connection.
        OptOut = "opt_out",
        /// To say what a removal would do, without one write.
        Plan = "plan",
        /// To bring back what an opt-out took.
        Restore = "restore",
    }
}

text_enum! {
    /// The life of a job.
    pub enum JobState {
        /// It has a due time and waits for it, or for a worker.
        Waiting = "waiting",
        /// A worker holds its lease.
        Running = "running",
        /// A hold stops it.
        Held = "held",
        /// Its connection's credential is wrong.
        Parked = "parked",
        /// It is dead-lettered and waits for a person.
        Dead = "dead",
        /// A closing inspection found nothing live.
        Done = "done",
        /// It was called off before any one-way effect.
        Cancelled = "cancelled",
        /// A restore or a successor took its place.
        Replaced = "replaced",
    }
}

impl JobState {
    /// Whether the job still has to come to an end.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::Held | Self::Parked | Self::Dead => true,
            Self::Done | Self::Cancelled | Self::Replaced => false,
        }
    }
}

text_enum! {
    /// What can happen to a job.
    pub enum JobEvent {
        /// A worker took its lease.
        Claim = "claim",
        /// It must wait: consistency, fence, residual, needs or rate.
        Wait = "wait",
        /// A passing fault.
        Retry = "retry",
        /// It can never work as asked, or its budget is spent.
        DeadLetter = "dead_letter",
        /// The connection's credential is wrong.
        Credentials = "credentials",
        /// A guard, an ambiguity or a newer event stops it.
        Hold = "hold",
        /// Its worker is stopping.
        Drain = "drain",
        /// A closing inspection found nothing live.
        Prove = "prove",
        /// The plan that was asked for is stored; nothing was written at the provider.
        Foretell = "foretell",
        /// It is called off.
        Cancel = "cancel",
        /// A restore or a successor takes its place.
        Replace = "replace",
        /// A person lifted the hold.
        Release = "release",
        /// The credential works again.
        Unpark = "unpark",
        /// A person ordered a replay.
        Replay = "replay",
        /// A person says with evidence that it was done by hand: the next epoch only reads, and decides.
        Resolve = "resolve",
    }
}

impl JobState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the state machine has no such edge.
    pub const fn after(self, event: JobEvent) -> Result<Self, IllegalTransition> {
        use JobEvent as E;
        use JobState as S;
        let next = match (self, event) {
            // A running job is claimed again when its worker is dead or its lease is over.
            (S::Waiting | S::Running, E::Claim) => S::Running,
            (S::Running, E::Wait | E::Retry | E::Drain) => S::Waiting,
            (S::Running, E::DeadLetter) => S::Dead,
            (S::Running | S::Waiting, E::Credentials) => S::Parked,
            (S::Running | S::Waiting, E::Hold) => S::Held,
            (S::Running, E::Prove | E::Foretell) => S::Done,
            // A running job is called off by its own worker, before its next wave.
            (S::Waiting | S::Running | S::Held | S::Dead, E::Cancel) => S::Cancelled,
            (S::Waiting | S::Held | S::Parked | S::Dead, E::Replace) => S::Replaced,
            (S::Held, E::Release) | (S::Parked, E::Unpark) | (S::Dead, E::Replay | E::Resolve) => {
                S::Waiting
            }
            (
                _,
                E::Claim
                | E::Wait
                | E::Retry
                | E::DeadLetter
                | E::Credentials
                | E::Hold
                | E::Drain
                | E::Prove
                | E::Foretell
                | E::Cancel
                | E::Replace
                | E::Release
                | E::Unpark
                | E::Replay
                | E::Resolve,
            ) => {
                return Err(IllegalTransition {
                    machine: "job",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        };
        Ok(next)
    }
}

/// How many epochs in a row may end without a settle before the job is dead-lettered as a crash loop.
pub const CRASH_LOOP_EPOCHS: i32 = 3;

/// How many plan revisions may follow the first before a person must look.
pub const PLAN_REVISIONS_MAX: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closing_inspection_or_a_foretold_plan_makes_a_job_done() {
        for state in JobState::ALL {
            for event in JobEvent::ALL {
                if state.after(*event) == Ok(JobState::Done) {
                    assert!(
                        matches!(event, JobEvent::Prove | JobEvent::Foretell),
                        "{state} -{event}-> done"
                    );
                }
            }
        }
    }

    #[test]
    fn a_dead_job_moves_only_by_a_decision() {
        use JobState as S;
        for event in JobEvent::ALL {
            let expected = match event {
                JobEvent::Replay | JobEvent::Resolve => Some(S::Waiting),
                JobEvent::Cancel => Some(S::Cancelled),
                JobEvent::Replace => Some(S::Replaced),
                _ => None,
            };
            assert_eq!(S::Dead.after(*event).ok(), expected, "dead -{event}->");
        }
    }

    #[test]
    fn a_closed_job_never_moves() {
        for state in JobState::ALL.iter().filter(|state| !state.is_open()) {
            for event in JobEvent::ALL {
                assert!(state.after(*event).is_err(), "{state} -{event}->");
            }
        }
    }

    #[test]
    fn every_open_state_has_a_way_on() {
        for state in JobState::ALL.iter().filter(|state| state.is_open()) {
            assert!(
                JobEvent::ALL
                    .iter()
                    .any(|event| state.after(*event).is_ok()),
                "{state}"
            );
        }
    }
}
