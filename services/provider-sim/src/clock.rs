//! Wall and monotonic time in one place, with an offset that the control API can move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

/// The simulator's clock. Moving it ahead lets a test expire tokens and lags without waiting for them.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    offset_ms: AtomicI64,
}

impl Clock {
    /// A clock that shows the real time.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            offset_ms: AtomicI64::new(0),
        }
    }

    /// Milliseconds since the Unix epoch, offset included.
    pub fn now_ms(&self) -> i64 {
        Timestamp::now().as_millisecond() + self.offset_ms()
    }

    /// Microseconds since the start of the process, never moved by the offset: orders and spaces journal entries.
    pub fn monotonic_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// How far the clock runs ahead of the real time, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves the clock ahead by `ms` and returns the new offset.
    pub fn advance(&self, ms: i64) -> i64 {
        self.offset_ms.fetch_add(ms, Ordering::Relaxed) + ms
    }
}

/// `YYYY-MM-DDTHH:mm:ss.SSSZ`, the only form in which the providers write a moment.
pub fn iso(ms: i64) -> String {
    let moment = Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{moment:.3}")
}

/// The moment that ISO 8601 `text` names, in milliseconds since the Unix epoch.
pub fn parse_iso(text: &str) -> Option<i64> {
    text.parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

/// The `Date` header of HTTP (RFC 9110 section 5.6.7).
pub fn http_date(ms: i64) -> String {
    let moment = Timestamp::from_millisecond(ms).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_providers_write_them() {
        assert_eq!(iso(1_767_225_600_007), "2026-01-01T00:00:00.007Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            parse_iso("2026-01-01T00:00:00.007Z"),
            Some(1_767_225_600_007)
        );
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn an_advanced_clock_is_ahead_by_what_was_asked() {
        let clock = Clock::new();
        let before = clock.now_ms();
        assert_eq!(clock.advance(60_000), 60_000);
        assert!(clock.now_ms() >= before + 60_000);
    }
}
