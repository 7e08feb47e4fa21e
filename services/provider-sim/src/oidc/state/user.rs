//! Users.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A user.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// The immutable id; `sub` in tokens.
    pub id: String,
    /// `username`, in lower case as Keycloak keeps it.
    pub username: String,
    /// `email`.
    pub email: String,
    /// `firstName`.
    pub first_name: String,
    /// `lastName`.
    pub last_name: String,
    /// Whether they may sign in.
    pub enabled: bool,
    /// `attributes`.
    pub attributes: Map<String, Value>,
    /// Milliseconds since the Unix epoch.
    pub created_ms: i64,
    /// What was issued to them before this second is not valid.
    pub not_before_s: i64,
    /// Ids of groups.
    pub groups: BTreeSet<String>,
    /// Ids of realm roles.
    pub realm_roles: BTreeSet<String>,
    /// Names of roles by the client's internal id.
    pub client_roles: BTreeMap<String, BTreeSet<String>>,
    /// Types of credentials by id.
    pub credentials: BTreeMap<String, String>,
    /// Ids at identity providers by alias.
    pub federated: BTreeMap<String, String>,
    /// Consents: scopes by the client's internal id.
    pub consents: BTreeMap<String, BTreeSet<String>>,
    /// The internal id of the client whose service account this is.
    pub service_account_of: Option<String>,
}

impl User {
    /// How many roles they have.
    pub fn role_count(&self) -> usize {
        let of_clients: usize = self.client_roles.values().map(BTreeSet::len).sum();
        self.realm_roles.len() + of_clients
    }
}
