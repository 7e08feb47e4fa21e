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
}
