//! The claim: whether a worker may take a job's lease now.

use jiff::Timestamp;

use crate::breaker;
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
    /// Until when the connection's breaker is open, and half-open from then on; `None` while it is closed.
    pub breaker_until: Option<Timestamp>,
    /// Jobs that its last steps wait for and that are not closed, where nothing else is left to do before them.
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
        /// Why.
        why: Refusal,
    },
    /// The job is held, parked, dead, closed or not due: the bell has nothing to say.
    Nothing,
    /// Three epochs in a row ended without a settle.
    CrashLoop,
    /// The database was brought back to an earlier point since this worker started.
    StaleWorker,
}

/// Why a job waits that could be taken otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The connection takes no work.
    Connection,
    /// The provider wants to be left alone.
    Rate,
    /// The connection's breaker is open.
    Breaker,
    /// What is left of it comes after another job, which is not closed.
    Needs,
    /// As many jobs as may hold a lease at the connection do.
    Cap,
}

impl Refusal {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Rate => "rate",
            Self::Breaker => "breaker",
            Self::Needs => "needs",
            Self::Cap => "cap",
        }
    }
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
    let later = |ms, why| ClaimDecision::Later {
        due_at: facts.now + jiff::SignedDuration::from_millis(ms),
        why,
    };
    let ahead = |until: &Timestamp| *until > facts.now;
    let leases_max = match facts.breaker_until {
        Some(_) => facts.leases_max.min(breaker::PROBES),
        None => facts.leases_max,
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
        later(CLOSED_WAIT_MS, Refusal::Connection)
    } else if let Some(due_at) = facts.breaker_until.filter(ahead) {
        let why = Refusal::Breaker;
        ClaimDecision::Later { due_at, why }
    } else if let Some(due_at) = facts.blocked_until.filter(ahead) {
        let why = Refusal::Rate;
        ClaimDecision::Later { due_at, why }
    } else if facts.needs_open > 0 {
        later(NEEDS_WAIT_MS, Refusal::Needs)
    } else if facts.leases >= leases_max {
        later(REFUSED_WAIT_MS, Refusal::Cap)
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
            breaker_until: None,
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

    #[test]
    fn an_open_breaker_makes_jobs_wait_and_a_half_open_one_lets_two_try() {
        let until = now() + jiff::SignedDuration::from_secs(9);
        let open = ClaimFacts {
            breaker_until: Some(until),
            leases_max: 64,
            ..due()
        };
        let (due_at, why) = (until, Refusal::Breaker);
        assert_eq!(decide(&open), ClaimDecision::Later { due_at, why });
        for (leases, taken) in [(0, true), (1, true), (2, false)] {
            let half_open = ClaimFacts {
                breaker_until: Some(now()),
                leases,
                ..open
            };
            assert_eq!(decide(&half_open) == ClaimDecision::Take, taken);
        }
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
