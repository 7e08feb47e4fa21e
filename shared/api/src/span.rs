//! Lengths of time as people write them.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A length of time in whole seconds, written `1h`, `30s`, `1h 30m` or as a number of seconds. At most 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, ToSchema)]
#[schema(value_type = String, example = "1h")]
pub struct Span(i64);

/// The longest span, in seconds.
const SPAN_MAX_S: i64 = 366 * 86_400;

impl Span {
    /// A span of whole seconds; `None` when negative or above 366 days.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Option<Self> {
        if seconds >= 0 && seconds <= SPAN_MAX_S {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// Its length in seconds.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// As the table has it, which was checked when it was applied.
    pub(crate) const fn stored(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The clock skew that is assumed where nobody says.
    pub(crate) const fn default_skew() -> Self {
        Self(30)
    }
}

/// A text that is no span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSpan;

impl fmt::Display for NoSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no length of time; write whole seconds, or 30s, 15m, 1h 30m, 90d (at most 366 days)")
    }
}

impl std::error::Error for NoSpan {}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let text = text.trim();
        if let Ok(seconds) = text.parse() {
            return Self::seconds(seconds).ok_or(NoSpan);
        }
        // Days are 24 hours here; a calendar day has no fixed length.
        if let Some(Ok(days)) = text
            .strip_suffix('d')
            .map(|days| days.trim().parse::<i64>())
        {
            return days
                .checked_mul(86_400)
                .and_then(Self::seconds)
                .ok_or(NoSpan);
        }
        let length: SignedDuration = text.parse().map_err(|_| NoSpan)?;
        if length.subsec_nanos() != 0 {
            return Err(NoSpan);
        }
        Self::seconds(length.as_secs()).ok_or(NoSpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 != 0 && self.0 % 86_400 == 0 {
            f.pad(&format!("{}d", self.0 / 86_400))
        } else {
            f.pad(&format!("{:#}", SignedDuration::from_secs(self.0)))
        }
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a length of time such as 30s, 1h or a number of seconds"
        )]
        enum Written {
            Seconds(i64),
            Text(String),
        }
        let span = match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Self::seconds(seconds).ok_or(NoSpan),
            Written::Text(text) => text.parse(),
        };
        span.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them_and_written_so_again() {
        for (text, seconds, shown) in [
            ("1h", 3600, "1h"),
            ("30s", 30, "30s"),
            ("1h 30m", 5400, "1h 30m"),
            ("90d", 7_776_000, "90d"),
            ("45", 45, "45s"),
            ("0", 0, "0s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(
                (span.as_seconds(), span.to_string().as_str()),
                (seconds, shown),
                "{text}"
            );
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for wrong in ["", "soon", "-1s", "1.5s", "500d", "1 month"] {
            assert_eq!(wrong.parse::<Span>(), Err(NoSpan), "{wrong}");
        }
    }
}
