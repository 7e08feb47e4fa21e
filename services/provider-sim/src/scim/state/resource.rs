//! Users and groups as they are kept: attributes by their names in the schema.

use serde_json::{Map, Value, json};

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RFC 7643 section 4.1.
    User,
    /// RFC 7643 section 4.2.
    Group,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Where it is served.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// Its core schema.
    pub fn schema(self) -> &'static str {
        match self {
            Self::User => "urn:ietf:params:scim:schemas:core:2.0:User",
            Self::Group => "urn:ietf:params:scim:schemas:core:2.0:Group",
        }
    }

    /// The attribute that it must have.
    pub fn required(self) -> &'static str {
        match self {
            Self::User => "userName",
            Self::Group => "displayName",
        }
    }
}

/// A change of `active` that is accepted and not done.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Reads until it is done.
    pub polls_left: u32,
    /// The value to come.
    pub active: bool,
}

/// A resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its attributes, `id` among them.
    pub attributes: Map<String, Value>,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// Last change.
    pub last_modified: i64,
    /// Counts changes.
    pub version: u64,
    /// A change under way.
    pub pending: Option<Pending>,
}

impl Resource {
    /// A resource with these attributes and this id.
    pub fn new(id: &str, mut attributes: Map<String, Value>, now_ms: i64) -> Self {
        attributes.insert("id".into(), json!(id));
        Self {
            attributes,
            created: now_ms,
            last_modified: now_ms,
            version: 1,
            pending: None,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// A text attribute, empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.attributes
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// `meta.version`.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// Notes a change.
    pub fn touch(&mut self, now_ms: i64) {
        self.version += 1;
        self.last_modified = now_ms;
    }

    /// The ids in `members`.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        let members = self.attributes.get("members").and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .filter_map(|member| member.get("value")?.as_str())
    }

    /// Whether `user` is in `members`.
    pub fn has_member(&self, user: &str) -> bool {
        self.members().any(|member| member == user)
    }

    /// Takes `user` out of `members`; says whether they were in.
    pub fn drop_member(&mut self, user: &str) -> bool {
        let Some(Value::Array(members)) = self.attributes.get_mut("members") else {
            return false;
        };
        let before = members.len();
        members.retain(|member| member["value"] != user);
        members.len() != before
    }

    /// How many values a multi-valued attribute has.
    pub fn count_of(&self, name: &str) -> usize {
        self.attributes
            .get(name)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }
}
