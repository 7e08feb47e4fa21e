//! The database's clock, carried between transactions by the monotonic one.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// An instant of the database's clock and when, at the latest, it was read.
///
/// The reading is dated before the statement was sent, so a carried time is never too early: a
/// residual that is counted from it never ends too soon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatabaseClock {
    read: Timestamp,
    asked: Instant,
}

impl DatabaseClock {
    /// `read` is what a statement sent at `asked` or later answered.
    pub(crate) const fn new(read: Timestamp, asked: Instant) -> Self {
        Self { read, asked }
    }

    /// The database's time at a monotonic instant.
    pub(crate) fn at(&self, instant: Instant) -> Timestamp {
        let since = instant.saturating_duration_since(self.asked);
        self.read + SignedDuration::try_from(since).unwrap_or(SignedDuration::MAX)
    }

    /// The database's time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_carried_time_grows_with_the_monotonic_clock_and_never_runs_back() {
        let asked = Instant::now();
        let clock = DatabaseClock::new("2026-11-22T12:00:00Z".parse().unwrap(), asked);
        assert_eq!(
            clock.at(asked + Duration::from_millis(1500)).to_string(),
            "2026-11-22T12:00:01.5Z"
        );
        assert_eq!(
            clock.at(asked.checked_sub(Duration::from_secs(1)).unwrap_or(asked)),
            clock.at(asked)
        );
    }
}
