//! The shape of a seed document. Unknown members are refused, so that a misspelt one does not pass for planted.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::oidc::state::{Authentication, TokenKind};

/// Clients and users to add to a realm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Clients.
    pub clients: Vec<SeedClient>,
    /// Users with all that hangs on them.
    pub users: Vec<SeedUser>,
}

/// A client.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedClient {
    /// The internal id.
    pub id: Option<String>,
    /// `clientId`.
    pub client_id: String,
    /// The name people see; the client id without one.
    pub name: Option<String>,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Its secret.
    pub secret: Option<String>,
    /// Not in use.
    pub disabled: bool,
    /// Acts for itself, with these realm roles.
    pub service_account: Option<Vec<String>>,
    /// Roles in the administration API; a client with any has a service account.
    pub admin_roles: Vec<String>,
    /// The token that manages its registration.
    pub registration_token: Option<String>,
    /// `redirectUris`.
    pub redirect_uris: Vec<String>,
}

/// A user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// The id; one that exists already gets what this document adds.
    pub id: Option<String>,
    /// `username`.
    pub login: String,
    /// The login without one.
    pub email: Option<String>,
    /// `firstName`.
    pub first_name: String,
    /// `lastName`.
    pub last_name: String,
    /// May not sign in.
    pub disabled: bool,
    /// `attributes`.
    pub attributes: Map<String, Value>,
    /// Client ids with an online session each.
    pub sessions: Vec<String>,
    /// Names of groups, made where they are missing.
    pub groups: Vec<String>,
    /// Names of realm roles, made where they are missing.
    pub realm_roles: Vec<String>,
    /// Names of roles by client id.
    pub client_roles: BTreeMap<String, Vec<String>>,
    /// Types of credentials.
    pub credentials: Vec<String>,
    /// Ids at identity providers by alias.
    pub federated: BTreeMap<String, String>,
    /// Scopes consented to by client id.
    pub consents: BTreeMap<String, Vec<String>>,
    /// Tokens.
    pub tokens: Vec<SeedToken>,
}

/// A token; one that renews comes with its session.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// The client id.
    pub client: String,
    /// Its kind.
    pub kind: TokenKind,
    /// Its secret; a random one without.
    #[serde(default)]
    pub secret: Option<String>,
    /// Scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Seconds until it ends; the realm's lifetime without one.
    #[serde(default)]
    pub lifetime_s: Option<i64>,
}

impl SeedToken {
    /// A token of `kind` for `client`.
    pub fn new(client: &str, kind: TokenKind) -> Self {
        Self {
            client: client.to_owned(),
            kind,
            secret: None,
            scopes: Vec::new(),
            lifetime_s: None,
        }
    }
}
