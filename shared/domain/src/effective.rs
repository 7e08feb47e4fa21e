//! Effective times: reading them with their zone, and what they mean for the start.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use thiserror::Error;

/// How far ahead an effective time may lie.
pub const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How far back an effective time may lie before a person must look.
pub const BACK_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why an effective time cannot be taken. The field is the caller's to name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EffectiveError {
    /// It has neither an offset nor a zone.
    #[error("has no time zone: add an offset, an IANA zone in brackets, or 'time_zone'")]
    NoZone,
    /// The zone is not in the IANA database.
    #[error("names the unknown time zone '{0}': use an IANA name such as Europe/Berlin")]
    UnknownZone(String),
    /// It is no date and time.
    #[error("is not an RFC 3339 or RFC 9557 date and time")]
    NotATime,
    /// It lies more than 400 days ahead.
    #[error("lies more than 400 days ahead")]
    TooFarAhead,
}

/// When the work of an accepted request may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At once.
    Now,
    /// At this instant, which lies ahead.
    At(Timestamp),
    /// Only when a person has looked: it lies more than 30 days back.
    TooOld,
}

/// Reads an effective time: RFC 9557 (`…+01:00[Europe/Berlin]`), RFC 3339 with an offset, or a local
/// date and time together with an IANA zone. A local time that a clock change skips or repeats is
/// read as RFC 5545 does (the earlier of a repeated hour, the later side of a gap).
///
/// # Errors
/// [`EffectiveError`], by what is wrong with the text or the zone; a date without a time of day is
/// [`EffectiveError::NotATime`].
pub fn parse(text: &str, time_zone: Option<&str>) -> Result<Timestamp, EffectiveError> {
    // A bare date would read as its midnight, which nobody said.
    let written = text.split(['[', 'Z', 'z']).next().unwrap_or_default();
    if !written.contains(['T', 't', ' ']) {
        return Err(EffectiveError::NotATime);
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned.timestamp());
    }
    if text.contains('[') {
        return Err(unreadable_zoned(text));
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local: DateTime = text.parse().map_err(|_| EffectiveError::NotATime)?;
    let name = time_zone.ok_or(EffectiveError::NoZone)?;
    let zone = TimeZone::get(name)
        .map_err(|_| EffectiveError::UnknownZone(name.chars().take(64).collect()))?;
    local
        .to_zoned(zone)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| EffectiveError::NotATime)
}

fn unreadable_zoned(text: &str) -> EffectiveError {
    let name: String = text
        .chars()
        .skip_while(|c| *c != '[')
        .skip(1)
        .take_while(|c| *c != ']')
        .take(64)
        .collect();
    if TimeZone::get(&name).is_err() {
        EffectiveError::UnknownZone(name)
    } else {
        EffectiveError::NotATime
    }
}

/// What an effective time means at this moment.
///
/// # Errors
/// [`EffectiveError::TooFarAhead`] past 400 days.
pub fn start(effective_at: Timestamp, now: Timestamp) -> Result<Start, EffectiveError> {
    let ahead = effective_at.duration_since(now);
    if ahead > AHEAD_MAX {
        Err(EffectiveError::TooFarAhead)
    } else if ahead > SignedDuration::ZERO {
        Ok(Start::At(effective_at))
    } else if ahead < -BACK_MAX {
        Ok(Start::TooOld)
    } else {
        Ok(Start::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_written_form_of_one_instant_reads_the_same() {
        let expected = at("2026-11-22T17:00:00Z");
        for (text, zone) in [
            ("2026-11-22T18:00:00+01:00[Europe/Berlin]", None),
            ("2026-11-22T18:00:00[Europe/Berlin]", None),
            ("2026-11-22T18:00:00+01:00", None),
            ("2026-11-22T17:00:00Z", None),
            ("2026-11-22T18:00:00", Some("Europe/Berlin")),
        ] {
            assert_eq!(parse(text, zone).unwrap(), expected, "{text} {zone:?}");
        }
    }

    #[test]
    fn a_time_without_a_zone_and_an_unknown_zone_are_told_apart() {
        assert_eq!(
            parse("2026-11-22T18:00:00", None),
            Err(EffectiveError::NoZone)
        );
        assert_eq!(
            parse("2026-11-22T18:00:00", Some("Mars/Base")),
            Err(EffectiveError::UnknownZone("Mars/Base".into()))
        );
        assert_eq!(
            parse("2026-11-22T18:00:00[Mars/Base]", None),
            Err(EffectiveError::UnknownZone("Mars/Base".into()))
        );
        assert_eq!(parse("yesterday", None), Err(EffectiveError::NotATime));
    }

    #[test]
    fn a_date_without_a_time_is_refused_with_and_without_a_zone() {
        for text in [
            "2026-11-30",
            "20261130",
            "2026-11-30[Europe/Berlin]",
            "2026-11-30+01:00[Europe/Berlin]",
            "2026-11-30Z",
        ] {
            for zone in [None, Some("Europe/Berlin")] {
                assert_eq!(parse(text, zone), Err(EffectiveError::NotATime), "{text}");
            }
        }
    }

    #[test]
    fn the_borders_of_past_and_future() {
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(start(now, now), Ok(Start::Now));
        assert_eq!(start(at("2026-10-23T12:00:00Z"), now), Ok(Start::Now));
        assert_eq!(start(at("2026-10-23T11:59:59Z"), now), Ok(Start::TooOld));
        assert_eq!(
            start(at("2026-11-22T12:00:01Z"), now),
            Ok(Start::At(at("2026-11-22T12:00:01Z")))
        );
        assert_eq!(start(now + AHEAD_MAX, now), Ok(Start::At(now + AHEAD_MAX)));
        assert_eq!(
            start(now + AHEAD_MAX + SignedDuration::from_secs(1), now),
            Err(EffectiveError::TooFarAhead)
        );
    }
}
