//! Names of attributes, and where their values are in a resource (RFC 7643 section 2.1, RFC 7644 section 3.10).

use serde_json::{Map, Value};

/// `[URN ":"] name ["." sub]`; names are compared without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// The extension's URN; the core schema's needs none.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
}

impl AttrPath {
    /// Reads `text`; `None` where it is no path. A URN contains dots, so it is taken off first.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) if schema.to_ascii_lowercase().starts_with("urn:") => {
                (Some(schema), rest)
            }
            Some(_) => return None,
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let is_name = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$')
                && text
                    .chars()
                    .skip(1)
                    .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
        };
        (is_name(name) && sub.is_none_or(is_name)).then(|| Self {
            schema: schema.filter(|urn| !is_core(urn)).map(str::to_owned),
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    /// The values at this path: of a multi-valued attribute, each one.
    pub fn values<'a>(&self, resource: &'a Map<String, Value>) -> Vec<&'a Value> {
        let holder = match &self.schema {
            None => Some(resource),
            Some(urn) => member(resource, urn).and_then(Value::as_object),
        };
        let Some(found) = holder.and_then(|holder| member(holder, &self.name)) else {
            return Vec::new();
        };
        let each: Vec<&Value> = match found {
            Value::Array(values) => values.iter().collect(),
            other => vec![other],
        };
        let sub = self.sub.as_deref();
        each.into_iter()
            .filter_map(|value| match (value, sub) {
                (Value::Object(complex), Some(sub)) => member(complex, sub),
                // A filter on a multi-valued attribute without a sub-attribute means its `value`.
                (Value::Object(complex), None) => member(complex, "value").or(Some(value)),
                (_, None) => Some(value),
                (_, Some(_)) => None,
            })
            .collect()
    }
}

fn is_core(urn: &str) -> bool {
    urn.to_ascii_lowercase()
        .starts_with("urn:ietf:params:scim:schemas:core:2.0:")
}

/// The member of `object` with this name, whatever its case.
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let key = key_of(object, name)?;
    object.get(&key)
}

/// The name as `object` spells it.
pub fn key_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    object
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))
        .cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values_whatever_the_case() {
        let resource = json!({
            "userName": "ada",
            "emails": [{ "value": "a@example.com", "type": "work" }, { "value": "b@example.com" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "m1" } },
        });
        let resource = resource.as_object().unwrap();
        for (path, wanted) in [
            ("USERNAME", vec!["ada"]),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName",
                vec!["ada"],
            ),
            ("emails.value", vec!["a@example.com", "b@example.com"]),
            ("emails", vec!["a@example.com", "b@example.com"]),
            ("emails.Type", vec!["work"]),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
                vec!["m1"],
            ),
            ("nothing", vec![]),
        ] {
            let path = AttrPath::parse(path).unwrap();
            assert_eq!(path.values(resource), wanted, "{path:?}");
        }
        assert_eq!(AttrPath::parse("a b"), None);
        assert_eq!(AttrPath::parse(""), None);
    }
}
