//! PATCH requests (RFC 7644 section 3.5.2).

use serde_json::{Value, json};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A request of one operation with a path; no value where it is null.
#[must_use]
pub fn at(op: &str, path: &str, value: &Value) -> Value {
    let mut operation = json!({ "op": op, "path": path });
    if !value.is_null() {
        operation["value"] = value.clone();
    }
    request(operation)
}

/// A replacement without a path: the value is an object of attributes.
#[must_use]
pub fn pathless(attribute: &str, value: &Value) -> Value {
    request(json!({ "op": "replace", "value": { attribute: value } }))
}

/// An addition without a path.
#[must_use]
pub fn pathless_add(attribute: &str, value: &Value) -> Value {
    request(json!({ "op": "add", "value": { attribute: value } }))
}

/// The path of the values of a multi-valued attribute that equal `value`.
#[must_use]
pub fn picking(attribute: &str, value: &str) -> String {
    format!("{attribute}[value eq {}]", Value::String(value.to_owned()))
}

fn request(operation: Value) -> Value {
    json!({ "schemas": [SCHEMA], "Operations": [operation] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_those_of_the_standard() {
        assert_eq!(
            at("remove", &picking("members", "a\"b"), &Value::Null),
            json!({
                "schemas": [SCHEMA],
                "Operations": [{ "op": "remove", "path": "members[value eq \"a\\\"b\"]" }],
            })
        );
        assert_eq!(
            pathless("active", &json!(false))["Operations"][0],
            json!({ "op": "replace", "value": { "active": false } })
        );
    }
}
