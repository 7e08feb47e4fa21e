//! Reading JSON so that a fault names its field, and digesting it so that layout does not count.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use sha2::{Digest as _, Sha256};

use crate::error::FieldFault;

/// Reads JSON.
///
/// # Errors
/// [`FieldFault`] with the JSON pointer (RFC 6901) of what is wrong.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let problem = format!("cannot be read: {}", error.inner());
        FieldFault::new(pointer(error.path()), problem)
    })?;
    let end = deserializer.end();
    end.map_err(|error| FieldFault::new("", format!("cannot be read: {error}")))?;
    Ok(value)
}

/// The SHA-256 of a JSON text without its layout: blanks and the order of keys do not count.
///
/// # Errors
/// [`FieldFault`] if it is no JSON.
pub fn canonical_digest(bytes: &[u8]) -> Result<[u8; 32], FieldFault> {
    let value: serde_json::Value = parse_json(bytes)?;
    // serde_json's map is ordered by key, so equal values have equal texts.
    Ok(Sha256::digest(value.to_string().as_bytes()).into())
}

fn pointer(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// Takes a text of 1 to `max` characters without control characters, which the database and the logs could not hold.
pub(crate) fn text(field: &str, value: &str, max: usize) -> Result<String, FieldFault> {
    let length = value.chars().count();
    if length == 0 || length > max {
        Err(FieldFault::new(
            field,
            format!("must be 1 to {max} characters long"),
        ))
    } else if value.chars().any(char::is_control) {
        Err(FieldFault::new(field, "must have no control characters"))
    } else {
        Ok(value.to_owned())
    }
}

/// Takes an effective time: RFC 3339 with offset, RFC 9557, or local with an IANA zone.
pub(crate) fn effective(
    field: &str,
    value: &str,
    time_zone: Option<&str>,
) -> Result<jiff::Timestamp, FieldFault> {
    sever_domain::effective::parse(value, time_zone)
        .map_err(|error| FieldFault::new(field, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_does_not_change_the_digest_and_content_does() {
        let one = canonical_digest(br#"{"a":1,"b":[true]}"#).unwrap();
        assert_eq!(
            one,
            canonical_digest(b"{ \"b\": [true],\n \"a\": 1 }").unwrap()
        );
        assert_ne!(one, canonical_digest(br#"{"a":2,"b":[true]}"#).unwrap());
    }

    #[test]
    fn a_fault_names_its_field_by_pointer() {
        #[derive(Debug, serde::Deserialize)]
        struct Outer {
            #[expect(dead_code, reason = "only its parsing is tested")]
            inner: Vec<u8>,
        }
        let field = |text: &str| parse_json::<Outer>(text.as_bytes()).unwrap_err().field;
        assert_eq!(field(r#"{"inner":[1,300]}"#), "/inner/1");
        assert_eq!(field("{"), "");
        assert_eq!(field(r#"{"inner":[]} x"#), "");
    }

    #[test]
    fn texts_that_the_database_cannot_hold_are_refused() {
        assert!(text("/a", "b\0c", 10).is_err());
        assert!(text("/a", "", 10).is_err());
        assert_eq!(text("/a", "äöü", 3).unwrap(), "äöü");
        assert_eq!(text("/a", "äöüx", 3).unwrap_err().field, "/a");
    }
}
