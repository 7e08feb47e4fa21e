//! What an answer's headers say about the rate.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;

/// The shortest time for which a provider is left alone after it asked for it.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest: a wrong clock or header must not park a connection for a day.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// The rate headers of one answer: `X-Rate-Limit-*` and `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateHeaders {
    /// `X-Rate-Limit-Limit`: calls in one window.
    pub limit: Option<u32>,
    /// `X-Rate-Limit-Remaining`: calls left in this window.
    pub remaining: Option<u32>,
    /// `X-Rate-Limit-Reset`: when the window ends, in epoch seconds of the provider's clock.
    pub reset_epoch_s: Option<i64>,
    /// The same as a distance, by the provider's own `Date`.
    pub reset_in: Option<Duration>,
    /// `Retry-After` as a distance.
    pub retry_after: Option<Duration>,
}

impl RateHeaders {
    /// Reads the headers; what is missing or unreadable is `None`. `now` stands in for a missing `Date`.
    #[must_use]
    pub fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let date = text(headers, "date")
            .and_then(http_date)
            .unwrap_or(now)
            .as_second();
        let reset_epoch_s = number::<i64>(headers, "x-rate-limit-reset");
        Self {
            limit: number(headers, "x-rate-limit-limit"),
            remaining: number(headers, "x-rate-limit-remaining"),
            reset_epoch_s,
            reset_in: reset_epoch_s.map(|reset| seconds_between(date, reset)),
            retry_after: text(headers, "retry-after").and_then(|value| retry_after(value, date)),
        }
    }

    /// Whether a 429 with these headers is a limit of calls at once rather than calls per window:
    /// limit and remaining are both zero, and the reset is only a hint.
    #[must_use]
    pub fn is_concurrency_limit(&self) -> bool {
        self.limit == Some(0) && self.remaining == Some(0)
    }

    /// How long a 429 with these headers asks to be left alone, within 1 s and 15 min: the later of
    /// `Retry-After` and the reset plus one second (its clock is cut to whole seconds). `None` where it
    /// says nothing.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        let reset = self.reset_in.map(|reset| reset + Duration::from_secs(1));
        reset
            .max(self.retry_after)
            .map(|wait| wait.clamp(WAIT_MIN, WAIT_MAX))
    }

    /// How long `Retry-After` alone asks for, within 1 s and 15 min.
    #[must_use]
    pub fn asked_wait(&self) -> Option<Duration> {
        self.retry_after.map(|wait| wait.clamp(WAIT_MIN, WAIT_MAX))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    text(headers, name)?.parse().ok()
}

/// An IMF-fixdate (RFC 9110 section 5.6.7), whose `GMT` is RFC 2822's obsolete zone.
fn http_date(value: &str) -> Option<Timestamp> {
    rfc2822::parse(value).ok().map(|zoned| zoned.timestamp())
}

/// `Retry-After` in either form (RFC 9110 section 10.2.3).
fn retry_after(value: &str, date: i64) -> Option<Duration> {
    // Whole seconds by the RFC; Microsoft Graph sends fractions too.
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    http_date(value).map(|at| seconds_between(date, at.as_second()))
}

fn seconds_between(from: i64, to: i64) -> Duration {
    Duration::from_secs(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        RateHeaders::read(&headers, "2026-11-22T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_reset_is_measured_by_the_providers_own_clock() {
        let headers = read(&[
            ("date", "Sun, 22 Nov 2026 11:00:00 GMT"),
            ("x-rate-limit-limit", "600"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1795345230"),
        ]);
        assert_eq!(headers.reset_in, Some(Duration::from_secs(30)));
        assert_eq!(headers.wait(), Some(Duration::from_secs(31)));
        assert!(!headers.is_concurrency_limit());
    }

    #[test]
    fn a_wait_is_clamped_and_the_later_of_two() {
        let wait = |pairs: &[(&'static str, &str)]| read(pairs).wait().map(|wait| wait.as_secs());
        assert_eq!(wait(&[("retry-after", "0")]), Some(1));
        assert_eq!(wait(&[("retry-after", "2.128")]), Some(2));
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "86400")]), Some(900));
        assert_eq!(
            wait(&[("retry-after", "Sun, 22 Nov 2026 12:00:07 GMT")]),
            Some(7)
        );
        assert_eq!(
            wait(&[("retry-after", "5"), ("x-rate-limit-reset", "1795348809")]),
            Some(10)
        );
        assert_eq!(wait(&[("x-rate-limit-reset", "1")]), Some(1));
        assert_eq!(wait(&[("x-rate-limit-reset", "soon")]), None);
    }

    #[test]
    fn zero_of_zero_is_a_concurrency_limit() {
        let headers = read(&[("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0")]);
        assert!(headers.is_concurrency_limit());
    }
}
