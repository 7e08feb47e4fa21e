//! The rate budget of one endpoint bucket: a pure state machine fed by the answers' headers.

use std::time::{Duration, Instant};

use sever_domain::rate::Priority;

use super::rate_headers::RateHeaders;
use super::shared::HeardWindow;

/// The longest wait that is worth keeping a job's slot for.
pub(super) const WAIT_IN_PLACE_MAX: Duration = Duration::from_secs(2);
/// The longest window that is believed.
const WINDOW_MAX: Duration = Duration::from_secs(15 * 60);

/// What to do with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Make it now. It is counted.
    Go,
    /// Ask again after this time, at most two seconds. Not counted.
    Wait(Duration),
    /// Do not make it; come back after this time. Not counted.
    RetryAt(Duration),
}

/// What is known of one bucket. Without an answer yet, or after its window, calls go.
#[derive(Debug, Clone, Default)]
pub struct RateBudget {
    window: Option<Window>,
    in_flight: u32,
    refused_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    reset_epoch_s: i64,
    ends_at: Instant,
    limit: u32,
    /// What the provider counts as left, less the calls of ours that it may not have counted.
    remaining: u32,
}

impl RateBudget {
    /// Asks for one call. A [`Decision::Go`] must be followed by exactly one [`Self::answered`] or
    /// [`Self::unanswered`].
    pub fn ask(&mut self, now: Instant, priority: Priority) -> Decision {
        let wait = self.closed_for(now, priority);
        if wait.is_zero() {
            self.in_flight += 1;
            if let Some(window) = &mut self.window {
                window.remaining = window.remaining.saturating_sub(1);
            }
            Decision::Go
        } else if wait <= WAIT_IN_PLACE_MAX {
            Decision::Wait(wait)
        } else {
            Decision::RetryAt(wait)
        }
    }

    /// An answer came, with these headers.
    pub fn answered(&mut self, now: Instant, headers: &RateHeaders) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let (Some(limit), Some(remaining), Some(reset_epoch_s), Some(reset_in)) = (
            headers.limit,
            headers.remaining,
            headers.reset_epoch_s,
            headers.reset_in,
        ) else {
            return;
        };
        if headers.is_concurrency_limit() {
            return;
        }
        let left = remaining.saturating_sub(self.in_flight);
        let known = self
            .window
            .filter(|window| window.reset_epoch_s >= reset_epoch_s);
        match known {
            // A late answer of a window that is over says nothing of this one.
            Some(window) if window.reset_epoch_s > reset_epoch_s => {}
            // Answers overtake each other: within a window only the lowest count is believed.
            Some(window) => {
                self.window = Some(Window {
                    limit,
                    remaining: window.remaining.min(left),
                    ..window
                });
            }
            None => {
                self.window = Some(Window {
                    reset_epoch_s,
                    ends_at: now + reset_in.min(WINDOW_MAX),
                    limit,
                    remaining: left,
                });
            }
        }
    }

    /// A call ended without an answer. It stays counted: the provider may have seen it.
    pub fn unanswered(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A call that was let go is not made after all.
    pub fn withdrawn(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(window) = &mut self.window {
            window.remaining = window.remaining.saturating_add(1).min(window.limit);
        }
    }

    /// The window under way, as far as answers told.
    #[must_use]
    pub fn window(&self, now: Instant) -> Option<HeardWindow> {
        let window = self.window.filter(|window| window.ends_at > now)?;
        Some(HeardWindow {
            limit: window.limit,
            remaining: window.remaining,
            ends_in: window.ends_at.saturating_duration_since(now),
            declared: false,
        })
    }

    /// The provider refused a call and asked to be left alone for this long.
    pub fn refused(&mut self, now: Instant, wait: Duration) {
        let until = now + wait;
        self.refused_until = Some(self.refused_until.map_or(until, |known| known.max(until)));
    }

    /// How long a call of this priority would have to wait; zero where it may go.
    #[must_use]
    pub fn closed_for(&self, now: Instant, priority: Priority) -> Duration {
        let refused = self
            .refused_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let used_up = self
            .window
            .filter(|window| window.remaining <= priority.reserve(window.limit))
            .map_or(Duration::ZERO, |window| {
                window.ends_at.saturating_duration_since(now)
            });
        refused.max(used_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(limit: u32, remaining: u32, reset_epoch_s: i64, reset_in_s: u64) -> RateHeaders {
        RateHeaders {
            limit: Some(limit),
            remaining: Some(remaining),
            reset_epoch_s: Some(reset_epoch_s),
            reset_in: Some(Duration::from_secs(reset_in_s)),
            retry_after: None,
        }
    }

    #[test]
    fn the_reserve_is_kept_for_containing_calls() {
        let (mut budget, now) = (RateBudget::default(), Instant::now());
        assert_eq!(budget.ask(now, Priority::Ordinary), Decision::Go);
        budget.answered(now, &headers(100, 20, 60, 60));
        assert_eq!(
            budget.ask(now, Priority::Ordinary),
            Decision::RetryAt(Duration::from_secs(60))
        );
        for _ in 0..20 {
            assert_eq!(budget.ask(now, Priority::Containing), Decision::Go);
        }
        assert!(matches!(
            budget.ask(now, Priority::Containing),
            Decision::RetryAt(_)
        ));
    }

    #[test]
    fn a_short_wait_is_waited_and_a_new_window_opens() {
        let (mut budget, now) = (RateBudget::default(), Instant::now());
        budget.ask(now, Priority::Ordinary);
        budget.answered(now, &headers(10, 2, 60, 2));
        assert_eq!(
            budget.ask(now, Priority::Ordinary),
            Decision::Wait(Duration::from_secs(2))
        );
        let later = now + Duration::from_secs(2);
        assert_eq!(budget.ask(later, Priority::Ordinary), Decision::Go);
        budget.answered(later, &headers(10, 9, 120, 60));
        assert_eq!(budget.ask(later, Priority::Ordinary), Decision::Go);
    }

    #[test]
    fn a_refusal_closes_the_bucket_for_everybody() {
        let (mut budget, now) = (RateBudget::default(), Instant::now());
        budget.ask(now, Priority::Ordinary);
        budget.refused(now, Duration::from_secs(30));
        budget.refused(now, Duration::from_secs(5));
        assert_eq!(
            budget.ask(now, Priority::Containing),
            Decision::RetryAt(Duration::from_secs(30))
        );
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_raise_the_count() {
        let (mut budget, now) = (RateBudget::default(), Instant::now());
        budget.ask(now, Priority::Ordinary);
        budget.ask(now, Priority::Ordinary);
        budget.answered(now, &headers(10, 3, 60, 60));
        budget.answered(now, &headers(10, 9, 60, 60));
        assert!(matches!(
            budget.ask(now, Priority::Ordinary),
            Decision::RetryAt(_)
        ));
        budget.answered(now, &headers(10, 10, 0, 0));
        assert!(!budget.closed_for(now, Priority::Ordinary).is_zero());
    }

    proptest! {
        /// A provider that counts honestly and answers in any order never has to refuse a call of ours,
        /// once the first answer of the window told us about it.
        #[test]
        fn an_honest_provider_never_refuses(limit in 1u32..60, picks in proptest::collection::vec(any::<(bool, proptest::sample::Index)>(), 1..200)) {
            let (mut budget, now) = (RateBudget::default(), Instant::now());
            let mut left = limit - 1;
            budget.ask(now, Priority::Containing);
            budget.answered(now, &headers(limit, left, 60, 60));
            let mut answers = vec![];
            for (ask, pick) in picks {
                if ask {
                    if budget.ask(now, Priority::Containing) == Decision::Go {
                        prop_assert!(left > 0, "asked for more than the window holds");
                        left -= 1;
                        answers.push(headers(limit, left, 60, 60));
                    }
                } else if !answers.is_empty() {
                    let answer = answers.swap_remove(pick.index(answers.len()));
                    budget.answered(now, &answer);
                }
            }
        }

        /// Whatever was heard, the bucket opens again: nothing closes it for longer than fifteen minutes.
        #[test]
        fn no_bucket_stays_closed(heard in proptest::collection::vec((any::<u32>(), any::<u32>(), any::<i64>(), 0u64..u64::MAX / 2), 0..20)) {
            let (mut budget, now) = (RateBudget::default(), Instant::now());
            for (limit, remaining, reset, reset_in) in heard {
                budget.ask(now, Priority::Ordinary);
                budget.answered(now, &headers(limit, remaining, reset, reset_in));
            }
            let later = now + WINDOW_MAX;
            prop_assert_eq!(budget.ask(later, Priority::Ordinary), Decision::Go);
        }
    }
}
