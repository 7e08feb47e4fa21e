//! A directory object or relation as a bag of properties, the way Graph treats them.
//!
//! Members whose name starts with `_` are the simulator's own and are never shown.

use serde_json::{Map, Value};

/// Properties by name.
pub type Record = Map<String, Value>;

/// The record that `value` is; empty where it is no object.
pub fn record(value: Value) -> Record {
    match value {
        Value::Object(members) => members,
        _ => Record::new(),
    }
}

/// A text member, empty where it is missing.
pub fn text<'a>(record: &'a Record, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A boolean member, false where it is missing.
pub fn flag(record: &Record, name: &str) -> bool {
    record.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A whole number, 0 where it is missing.
pub fn number(record: &Record, name: &str) -> u64 {
    record.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// An array member, empty where it is missing.
pub fn list<'a>(record: &'a Record, name: &str) -> &'a [Value] {
    record
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
