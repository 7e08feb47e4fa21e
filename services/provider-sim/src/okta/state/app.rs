//! Apps and who is assigned to them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::client::Client;

/// An app instance.
#[derive(Debug, Clone)]
pub struct App {
    /// Its id.
    pub id: String,
    /// The name in the integration catalogue.
    pub name: String,
    /// The label people see.
    pub label: String,
    /// `OPENID_CONNECT`, `SAML_2_0` and so on.
    pub sign_on_mode: String,
    /// Whether it is in use.
    pub active: bool,
    /// Deprovisioning on deactivation passes it by: it is private, system or retired.
    pub keeps_on_deactivate: bool,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// Last change.
    pub last_updated: i64,
    /// Groups that grant it.
    pub groups: BTreeSet<String>,
    /// Users with a direct assignment.
    pub users: BTreeSet<String>,
    /// The OAuth side.
    pub client: Client,
}

/// A direct assignment of a user to an app.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: i64,
    /// `credentials.userName`.
    pub user_name: String,
    /// The app profile.
    pub profile: Map<String, Value>,
}

/// What an app shows of one of its users.
#[derive(Debug, Clone)]
pub struct AppUser {
    /// The user's id.
    pub user: String,
    /// True: assigned by hand; false: a group grants it.
    pub direct: bool,
    /// The groups that grant it, lagging removals included.
    pub groups: Vec<String>,
    /// When it was made.
    pub created: i64,
    /// `credentials.userName`.
    pub user_name: String,
    /// The app profile.
    pub profile: Map<String, Value>,
}
