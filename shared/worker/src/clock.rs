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

    /// This clock or a `newer` one, whichever is ahead: a statement that took longer dates its reading further ahead than the
    /// next one does, and what comes later must not seem to come first.
    pub(crate) fn or_ahead(self, newer: Self) -> Self {
        if self.at(newer.asked) > newer.read {
            self
        } else {
            newer
        }
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
    fn a_newer_reading_never_turns_the_clock_back() {
        let asked = Instant::now();
        let read: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let later = asked + Duration::from_secs(1);
        let slow = DatabaseClock::new(read + SignedDuration::from_millis(200), asked);
        let prompt = DatabaseClock::new(read + SignedDuration::from_millis(1005), later);
        assert_eq!(slow.or_ahead(prompt).at(later), slow.at(later));
        let ahead = DatabaseClock::new(read + SignedDuration::from_millis(1300), later);
        assert_eq!(slow.or_ahead(ahead).at(later), ahead.at(later));
    }

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
