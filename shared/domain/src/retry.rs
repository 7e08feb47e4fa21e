//! How long a job has been failing, and when that is too long.
//!
//! Only time in which its connection's breaker was closed counts: a provider that is down for two days dead-letters
//! nobody, and one that answers everybody else and fails this job for 28 hours does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Failures in a row without which no time is too long: a fleet that was stopped for two days has not tried.
pub const FAILURES_MIN: i32 = 20;

/// The time for which a job has been failing with the breaker closed.
///
/// `open_then` and `open_now` are the breaker's [`crate::breaker::Breaker::open_for`] when the job began to fail and
/// now. Zero where it is not failing; never negative.
#[must_use]
pub fn failing_for(
    since: Option<Timestamp>,
    now: Timestamp,
    open_then: SignedDuration,
    open_now: SignedDuration,
) -> SignedDuration {
    since.map_or(SignedDuration::ZERO, |since| {
        let open = (open_now - open_then).max(SignedDuration::ZERO);
        (now.duration_since(since) - open).max(SignedDuration::ZERO)
    })
}

/// Whether a job that has been failing for this long, so often in a row, is to be dead-lettered.
#[must_use]
pub fn is_too_much(failing_for: Duration, failures: i32, budget: Duration) -> bool {
    failing_for > budget && failures >= FAILURES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_was_stopped_has_not_tried() {
        let (long, budget) = (Duration::from_secs(200_000), Duration::from_secs(100_800));
        assert!(is_too_much(long, FAILURES_MIN, budget));
        assert!(!is_too_much(long, FAILURES_MIN - 1, budget));
        assert!(!is_too_much(budget, 1_000, budget));
    }

    #[test]
    fn two_days_of_an_open_breaker_are_no_failing() {
        let hours = SignedDuration::from_hours;
        let since: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let now = since + hours(49);
        let failing = |then, open_now| failing_for(Some(since), now, hours(then), hours(open_now));
        assert_eq!(failing(5, 5 + 48), hours(1));
        assert_eq!(failing(0, 0), hours(49));
        assert_eq!(failing(5, 0), hours(49), "a breaker whose row was lost");
        assert_eq!(failing(0, 100), SignedDuration::ZERO);
        assert_eq!(
            failing_for(None, now, hours(0), hours(0)),
            SignedDuration::ZERO
        );
    }
}
