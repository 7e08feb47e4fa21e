//! The claim: whether a worker may take a job's lease now.

use jiff::Timestamp;

use crate::job::{CRASH_LOOP_EPOCHS, JobState};

/// What is known of a job, its connection and its lease when a bell rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimFacts {
    /// The job's state.
    pub state: JobState,
    /// When it is due; `None` only outside `waiting`.
    pub due_at: Option<Timestamp>,
    /// Whether its lease lives: the instance's heartbeat is fresh and the ceiling is ahead.
    pub lease_alive: bool,
    /// Epochs in a row that ended without a settle.
    pub unsettled_epochs: i32,
    /// Whether the connection takes work.
    pub connection_open: bool,
    /// Until when the provider wants to be left alone.
    pub blocked_until: Option<Timestamp>,
    /// Jobs that it needs and that are not closed.
    pub needs_open: i64,
    /// Live leases at the connection.
    pub leases: i64,
    /// The most live leases at the connection.
    pub leases_max: i64,
    /// Whether the worker's incarnation is the database's.
    pub same_incarnation: bool,
    /// The database's clock.
    pub now: Timestamp,
}

/// What to do with the bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimDecision {
    /// Take the lease.
    Take,
    /// Somebody holds it: note the bell.
    RungAgain,
    /// Not now: come back then.
    Later {
        /// When.
        due_at: Timestamp,
    },
    /// The job is held, parked, dead, closed or not due: the bell has nothing to say.
    Nothing,
    /// Three epochs in a row ended without a settle.
    CrashLoop,
    /// The database was brought back to an earlier point since this worker started.
    StaleWorker,
}

/// How long a bell refused by the cap waits before the sweeper rings again.
const REFUSED_WAIT_MS: i64 = 500;
/// How long a bell refused by a need waits; the settle that closes the last need rings at once.
const NEEDS_WAIT_MS: i64 = 15_000;
/// How long a bell at a connection that takes no work waits.
const CLOSED_WAIT_MS: i64 = 15_000;

/// Decides a claim.
#[must_use]
pub fn decide(facts: &ClaimFacts) -> ClaimDecision {
    let later = |ms| ClaimDecision::Later {
        due_at: facts.now + jiff::SignedDuration::from_millis(ms),
    };
    let claimable = match facts.state {
        JobState::Waiting => facts.due_at.is_some_and(|due| due <= facts.now),
        JobState::Running => !facts.lease_alive,
        JobState::Held
        | JobState::Parked
        | JobState::Dead
        | JobState::Done
        | JobState::Cancelled
        | JobState::Replaced => false,
    };
    if !facts.same_incarnation {
        ClaimDecision::StaleWorker
    } else if facts.state == JobState::Running && facts.lease_alive {
        ClaimDecision::RungAgain
    } else if !claimable {
        ClaimDecision::Nothing
    } else if facts.unsettled_epochs >= CRASH_LOOP_EPOCHS {
        ClaimDecision::CrashLoop
    } else if !facts.connection_open {
        later(CLOSED_WAIT_MS)
    } else if let Some(until) = facts.blocked_until.filter(|until| *until > facts.now) {
        ClaimDecision::Later { due_at: until }
    } else if facts.needs_open > 0 {
        later(NEEDS_WAIT_MS)
    } else if facts.leases >= facts.leases_max {
        later(REFUSED_WAIT_MS)
    } else {
        ClaimDecision::Take
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn due() -> ClaimFacts {
        ClaimFacts {
            state: JobState::Waiting,
            due_at: Some(now()),
            lease_alive: false,
            unsettled_epochs: 0,
            connection_open: true,
            blocked_until: None,
            needs_open: 0,
            leases: 0,
            leases_max: 1,
            same_incarnation: true,
            now: now(),
        }
    }

    #[test]
    fn a_due_job_is_taken_and_an_early_one_is_not() {
        assert_eq!(decide(&due()), ClaimDecision::Take);
        let early = ClaimFacts {
            due_at: Some(now() + jiff::SignedDuration::from_secs(1)),
            ..due()
        };
        assert_eq!(decide(&early), ClaimDecision::Nothing);
    }

    #[test]
    fn a_dead_workers_job_is_taken_until_it_has_killed_three() {
        let orphan = ClaimFacts {
            state: JobState::Running,
            due_at: None,
            unsettled_epochs: 2,
            ..due()
        };
        assert_eq!(decide(&orphan), ClaimDecision::Take);
        assert_eq!(
            decide(&ClaimFacts {
                unsettled_epochs: 3,
                ..orphan
            }),
            ClaimDecision::CrashLoop
        );
    }

    proptest! {
        /// I3, I12: a live lease is never taken over, and no closed, held, parked or dead job is.
        #[test]
        fn a_lease_is_never_stolen(
            state in proptest::sample::select(JobState::ALL), lease_alive: bool, unsettled in 0i32..5, open: bool,
            needs in 0i64..2, leases in 0i64..3, same: bool,
        ) {
            let facts = ClaimFacts { state, lease_alive, unsettled_epochs: unsettled, connection_open: open, needs_open: needs, leases, same_incarnation: same, ..due() };
            if decide(&facts) == ClaimDecision::Take {
                prop_assert!(same && open && needs == 0 && leases < 1);
                prop_assert!(state == JobState::Waiting || (state == JobState::Running && !lease_alive));
            }
        }
    }
}
