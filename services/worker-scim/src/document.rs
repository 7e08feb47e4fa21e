//! Documents as applications write them: attribute names in any case, values in more shapes than the schemas allow.

use serde_json::{Map, Value};

/// A JSON object whose members are found whatever their case (RFC 7643 section 2.1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document(pub Map<String, Value>);

impl Document {
    /// The object in `value`; `None` where it is none.
    #[must_use]
    pub fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self(members)),
            _ => None,
        }
    }

    /// The value of a member; null counts as missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        member(&self.0, name)
    }

    /// A text member; a number is taken as its digits, because some applications write ids so.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        text_of(self.get(name)?)
    }

    /// The items of a list; a single object is a list of one.
    #[must_use]
    pub fn items(&self, name: &str) -> Option<Vec<&Value>> {
        Some(match self.get(name)? {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        })
    }

    /// Sets a member under the name that the document spells it by.
    pub fn set(&mut self, name: &str, value: Value) {
        let key = self.0.keys().find(|key| key.eq_ignore_ascii_case(name));
        let key = key.cloned().unwrap_or_else(|| name.to_owned());
        self.0.insert(key, value);
    }
}

/// The member `name` of an object in any case; null counts as missing.
#[must_use]
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = object.get(name);
    let found = exact.or_else(|| {
        let mut members = object.iter();
        members
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    });
    found.filter(|value| !value.is_null())
}

/// A text or a number as text, never empty.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// `true`, `"True"`, `"false"` and the like.
#[must_use]
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// What one item of a multi-valued attribute stands for: its `value`, or else its `display`, or itself where it is a
/// plain text.
#[must_use]
pub fn item_key(item: &Value) -> Option<String> {
    match item {
        Value::Object(object) => member(object, "value")
            .or_else(|| member(object, "display"))
            .and_then(text_of),
        plain => text_of(plain),
    }
}

/// The id of a member of a group, or of a group of a user: its `value`, or else the end of its `$ref` (RFC 7643 section
/// 2.4), or itself where it is a plain text. Never its name.
#[must_use]
pub fn member_id(item: &Value) -> Option<String> {
    let Value::Object(object) = item else {
        return text_of(item);
    };
    let value = member(object, "value").and_then(text_of);
    value.or_else(|| {
        let reference = member(object, "$ref").and_then(text_of)?;
        let end = reference.trim_end_matches('/').rsplit('/').next()?;
        (!end.is_empty()).then(|| end.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_are_found_in_any_case_and_null_is_missing() {
        let document =
            Document::of(json!({"UserName": "ada", "Active": "False", "id": 7, "x": null}))
                .unwrap();
        assert_eq!(document.text("userName").as_deref(), Some("ada"));
        assert_eq!(document.text("id").as_deref(), Some("7"));
        assert_eq!(document.get("active").and_then(boolean), Some(false));
        assert_eq!(document.get("x"), None);
    }

    #[test]
    fn setting_keeps_the_spelling() {
        let mut document = Document::of(json!({"Active": true})).unwrap();
        document.set("active", json!(false));
        assert_eq!(document.0, *json!({"Active": false}).as_object().unwrap());
    }

    #[test]
    fn items_stand_for_their_value() {
        for (item, key) in [
            (json!({"value": "admin", "display": "A"}), Some("admin")),
            (json!({"Display": "A"}), Some("A")),
            (json!("plain"), Some("plain")),
            (json!({"type": "x"}), None),
            (json!(true), None),
        ] {
            assert_eq!(item_key(&item).as_deref(), key, "{item}");
        }
    }

    #[test]
    fn members_are_known_by_their_id_and_never_by_their_name() {
        for (item, id) in [
            (json!({"value": "u1", "$ref": "../Users/u2"}), Some("u1")),
            (
                json!({"$REF": "https://x.test/v2/Users/u2/", "display": "u1"}),
                Some("u2"),
            ),
            (json!({"display": "u1"}), None),
            (json!("u3"), Some("u3")),
            (json!({"value": null, "$ref": "/"}), None),
        ] {
            assert_eq!(member_id(&item).as_deref(), id, "{item}");
        }
    }

    proptest! {
        /// Whatever text stands there, reading a Boolean ends and means the same as its lower-case word.
        #[test]
        fn any_text_is_read(text in "\\PC{0,12}") {
            let read = boolean(&Value::String(text.clone()));
            let word = text.trim().to_ascii_lowercase();
            prop_assert_eq!(read, match word.as_str() { "true" => Some(true), "false" => Some(false), _ => None });
        }
    }
}
