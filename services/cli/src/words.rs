//! How single values are written in tables and read from arguments.

use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::exit::Failure;

/// A time for people: UTC to the second.
pub(crate) fn time(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

/// The same, for a time that may be absent.
pub(crate) fn time_or_none(at: Option<Timestamp>) -> Option<String> {
    at.map(time)
}

/// A time with what is left until then, where it lies after `now`: hours, minutes and seconds.
pub(crate) fn countdown(until: Timestamp, now: Timestamp) -> String {
    let left = until.duration_since(now).as_secs();
    if left <= 0 {
        return time(until);
    }
    let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
    format!("{} (in {hours:02}:{minutes:02}:{seconds:02})", time(until))
}

/// An absent value in a table.
pub(crate) fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// An argument that is one of some words, which completions know.
pub(crate) fn one_of<T>(
    words: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let words: Vec<&'static str> = words.into_iter().collect();
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// A person as requests name one: Sever's id, or source:external_id.
///
/// # Errors
/// Where the text is neither.
pub(crate) fn person_reference(text: &str) -> Result<Value, Failure> {
    if let Ok(id) = text.parse::<Uuid>() {
        return Ok(json!({"id": id}));
    }
    let (source, external_id) = text.split_once(':').ok_or_else(|| {
        Failure::usage("a person is named by Sever's id (a UUID) or as source:external_id")
    })?;
    Ok(json!({"source": source, "external_id": external_id}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_to_the_second() {
        let at = "2026-11-22T13:00:00.4+01:00".parse().unwrap();
        assert_eq!(time(at), "2026-11-22T12:00:00Z");
    }

    #[test]
    fn a_countdown_counts_hours_beyond_a_day_and_ends_at_its_instant() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, expected) in [
            ("2026-11-22T11:17:50Z", "2026-11-22T12:00:00Z (in 00:42:10)"),
            ("2026-11-21T10:00:00Z", "2026-11-22T12:00:00Z (in 26:00:00)"),
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
        ] {
            assert_eq!(countdown(at("2026-11-22T12:00:00Z"), at(now)), expected);
        }
    }
}
