//! The circuit breaker of a connection: whether its provider is there at all.
//!
//! It hears, from every worker process, how many calls were answered and how many were not (no connection, no answer
//! in time, a 5xx). A 429 and a refused credential are answers. While it is open nothing is claimed at the
//! connection, so that jobs wait and spend no attempt; when its wait is over it is half-open, and few jobs and the
//! canary try. Time in which it was not closed is no time of failing ([`crate::retry`]).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::text_enum::text_enum;

text_enum! {
    /// What a breaker lets through.
    pub enum BreakerState {
        /// Everything.
        Closed = "closed",
        /// Nothing until its wait is over.
        Open = "open",
        /// A few probes.
        HalfOpen = "half_open",
    }
}

/// Calls without an answer, and none with one between them, that open it: a connection with a single job has few
/// calls in a minute, and is found dead all the same.
pub const FAILURES_IN_ROW: i64 = 5;
/// The calls of one window from which a share is judged.
pub const WINDOW_CALLS: i64 = 20;
/// The length of a window.
pub const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// Answers in a row, half-open, that close it.
pub const PROVEN: i64 = 5;
/// Jobs that may hold a lease at the connection while it is half-open.
pub const PROBES: i64 = 2;

/// A breaker as it is stored. The default is closed and has heard nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Breaker {
    /// Since when it is not closed.
    pub opened_at: Option<Timestamp>,
    /// Until when it is open; half-open from then on. Set exactly while `opened_at` is.
    pub retry_at: Option<Timestamp>,
    /// How often it opened since it was last closed.
    pub openings: i32,
    /// Calls without an answer since the last one with.
    pub failures_in_row: i64,
    /// When the window began.
    pub window_at: Option<Timestamp>,
    /// Calls in the window.
    pub window_calls: i64,
    /// Those of them without an answer.
    pub window_failures: i64,
    /// Answers since it became half-open.
    pub proven: i64,
    /// How long it has been not closed, all in all, up to `opened_at`.
    pub open_total: SignedDuration,
}

/// Calls of one process since it last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Calls that the provider answered.
    pub answered: i64,
    /// Calls that it did not answer, or answered with a 5xx.
    pub failed: i64,
}

impl Breaker {
    /// What it lets through now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match self.retry_at {
            None => BreakerState::Closed,
            Some(until) if until > now => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// Whether answers matter to it: closed and unshaken it need not be told of them.
    #[must_use]
    pub const fn listens(&self) -> bool {
        self.opened_at.is_some() || self.failures_in_row > 0
    }

    /// How long it has been not closed, all in all.
    #[must_use]
    pub fn open_for(&self, now: Timestamp) -> SignedDuration {
        let this_time = self.opened_at.map_or(SignedDuration::ZERO, |since| {
            now.duration_since(since).max(SignedDuration::ZERO)
        });
        self.open_total + this_time
    }

    /// The breaker after what was heard. `wait` is how long it stays open at its nth opening in a row, counted from 1.
    #[must_use]
    pub fn heard(self, heard: Heard, now: Timestamp, wait: impl Fn(u32) -> Duration) -> Self {
        match self.state(now) {
            // Answers to calls that were under way when it opened say nothing of how it is now.
            BreakerState::Open => self,
            BreakerState::HalfOpen if heard.failed > 0 => self.opened(now, &wait),
            BreakerState::HalfOpen if self.proven + heard.answered >= PROVEN => self.closed(now),
            BreakerState::HalfOpen => Self {
                proven: self.proven + heard.answered,
                ..self
            },
            BreakerState::Closed => {
                let counted = self.counted(heard, now);
                if counted.is_too_much() {
                    counted.opened(now, &wait)
                } else {
                    counted
                }
            }
        }
    }

    /// Closed, by a proof or by hand. Keeps how long it was not.
    #[must_use]
    pub fn closed(self, now: Timestamp) -> Self {
        Self {
            open_total: self.open_for(now),
            ..Self::default()
        }
    }

    fn counted(self, heard: Heard, now: Timestamp) -> Self {
        let fresh = self
            .window_at
            .is_some_and(|began| now.duration_since(began) < WINDOW && began <= now);
        let (window_at, calls, failures) = if fresh {
            (self.window_at, self.window_calls, self.window_failures)
        } else {
            (Some(now), 0, 0)
        };
        Self {
            window_at,
            window_calls: calls + heard.answered + heard.failed,
            window_failures: failures + heard.failed,
            failures_in_row: if heard.answered > 0 {
                0
            } else {
                self.failures_in_row + heard.failed
            },
            ..self
        }
    }

    const fn is_too_much(&self) -> bool {
        self.failures_in_row >= FAILURES_IN_ROW
            || (self.window_calls >= WINDOW_CALLS && self.window_failures * 2 >= self.window_calls)
    }

    fn opened(self, now: Timestamp, wait: &impl Fn(u32) -> Duration) -> Self {
        let openings = self.openings.saturating_add(1);
        let wait = wait(u32::try_from(openings).unwrap_or(1));
        Self {
            opened_at: self.opened_at.or(Some(now)),
            retry_at: Some(now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO)),
            openings,
            failures_in_row: 0,
            window_at: None,
            window_calls: 0,
            window_failures: 0,
            proven: 0,
            open_total: self.open_total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn at(s: i64) -> Timestamp {
        start() + SignedDuration::from_secs(s)
    }

    fn wait(nth: u32) -> Duration {
        Duration::from_secs(10 * u64::from(nth))
    }

    fn after(breaker: Breaker, answered: i64, failed: i64, s: i64) -> Breaker {
        breaker.heard(Heard { answered, failed }, at(s), wait)
    }

    #[test]
    fn failures_in_a_row_open_it_however_far_apart() {
        let mut breaker = Breaker::default();
        for hour in 0..4 {
            breaker = after(breaker, 0, 1, hour * 3600);
            assert_eq!(breaker.state(at(hour * 3600)), BreakerState::Closed);
            assert!(breaker.listens());
        }
        let open = after(breaker, 0, 1, 4 * 3600);
        assert_eq!(open.state(at(4 * 3600)), BreakerState::Open);
        assert_eq!(after(breaker, 1, 0, 4 * 3600).failures_in_row, 0);
    }

    #[test]
    fn a_share_of_failures_opens_it_only_within_one_window() {
        let mixed = after(after(Breaker::default(), 6, 4, 0), 5, 5, 10);
        assert_eq!(mixed.state(at(10)), BreakerState::Closed);
        assert_eq!(after(mixed, 1, 3, 20).state(at(20)), BreakerState::Open);
        assert_eq!(after(mixed, 1, 3, 40).state(at(40)), BreakerState::Closed);
    }

    #[test]
    fn half_open_it_closes_by_proof_and_opens_longer_by_one_failure() {
        let open = after(Breaker::default(), 0, 5, 0);
        assert_eq!(open.retry_at, Some(at(10)));
        assert_eq!(after(open, 100, 0, 5), open, "late answers close nothing");
        assert_eq!(open.state(at(10)), BreakerState::HalfOpen);
        let again = after(open, 3, 1, 10);
        assert_eq!(again.retry_at, Some(at(30)));
        assert_eq!(again.opened_at, Some(at(0)));
        let proving = after(again, 4, 0, 31);
        assert_eq!(proving.state(at(31)), BreakerState::HalfOpen);
        let closed = after(proving, 1, 0, 40);
        assert_eq!(closed.state(at(40)), BreakerState::Closed);
        assert_eq!(closed.open_for(at(99)), SignedDuration::from_secs(40));
        assert!(!closed.listens());
    }

    proptest! {
        /// Whatever was heard: it is never open without an end, time not closed only grows and never faster than the
        /// clock, and an end of the failures closes it.
        #[test]
        fn it_always_comes_back(heard in proptest::collection::vec((0i64..30, 0i64..30, 0i64..120), 0..60)) {
            let (mut breaker, mut s) = (Breaker::default(), 0);
            for (answered, failed, pause) in heard {
                let before = breaker.open_for(at(s));
                breaker = after(breaker, answered, failed, s);
                prop_assert_eq!(breaker.opened_at.is_some(), breaker.retry_at.is_some());
                prop_assert_eq!(breaker.open_for(at(s)), before);
                s += pause;
                let grown = breaker.open_for(at(s)) - before;
                prop_assert!(grown == SignedDuration::ZERO || grown == SignedDuration::from_secs(pause));
            }
            s += 10 * 62;
            breaker = after(breaker, PROVEN, 0, s);
            prop_assert_eq!(breaker.state(at(s)), BreakerState::Closed);
        }
    }
}
