//! Groups and group rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::user::Role;

/// The built-in group that contains every user.
pub const EVERYONE_NAME: &str = "Everyone";

/// Who owns a group's membership (management API, `GroupType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupKind {
    /// Okta, and its administrators may change it.
    #[default]
    OktaGroup,
    /// An application or a directory; read-only here.
    AppGroup,
    /// Okta itself.
    BuiltIn,
}

impl GroupKind {
    /// The kind as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OktaGroup => "OKTA_GROUP",
            Self::AppGroup => "APP_GROUP",
            Self::BuiltIn => "BUILT_IN",
        }
    }
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// `profile.name`.
    pub name: String,
    /// `profile.description`.
    pub description: String,
    /// Who owns its membership.
    pub kind: GroupKind,
    /// Milliseconds since the Unix epoch, as all moments here.
    pub created: i64,
    /// Last change of the profile.
    pub last_updated: i64,
    /// Last change of the membership.
    pub last_membership_updated: i64,
    /// Ids of its users; Everyone's are not kept here.
    pub members: BTreeSet<String>,
    /// Ids of the users who own it.
    pub owners: BTreeSet<String>,
    /// Roles that its members inherit, by assignment id.
    pub roles: BTreeMap<String, Role>,
}

impl Group {
    /// An empty group.
    pub fn new(id: &str, name: &str, kind: GroupKind, now_ms: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            kind,
            created: now_ms,
            last_updated: now_ms,
            last_membership_updated: now_ms,
            members: BTreeSet::new(),
            owners: BTreeSet::new(),
            roles: BTreeMap::new(),
        }
    }
}

/// A rule that puts users into groups. Its expression is kept, not evaluated: who is in by a rule is told by the seed.
#[derive(Debug, Clone)]
pub struct GroupRule {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is in force.
    pub active: bool,
    /// The expression as written.
    pub expression: String,
    /// Users it leaves out.
    pub excluded: BTreeSet<String>,
    /// Groups it fills.
    pub groups: Vec<String>,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// Last change.
    pub last_updated: i64,
}
