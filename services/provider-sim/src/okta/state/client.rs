//! The OAuth side of an app: its credentials, the scopes granted to it, its own admin roles.

use std::collections::BTreeMap;

use super::user::Role;

/// What an app is to the authorization server.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// `client_id`; the app's id unless a seed says otherwise.
    pub client_id: String,
    /// `redirect_uris`.
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`.
    pub auth_method: String,
    /// Client secrets by id.
    pub secrets: BTreeMap<String, Secret>,
    /// Keys of the JWKS by id.
    pub keys: BTreeMap<String, Key>,
    /// Scopes granted to the app itself, by grant id.
    pub grants: BTreeMap<String, ScopeGrant>,
    /// Admin roles of the app, by assignment id.
    pub roles: BTreeMap<String, Role>,
    /// Whether provisioning is switched on; `None`: the app has no connection for it.
    pub provisioning: Option<bool>,
}

/// A client secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its id.
    pub id: String,
    /// The secret; lists show it in clear.
    pub value: String,
    /// Whether it is accepted.
    pub active: bool,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
}

/// A public key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// `kid`.
    pub kid: String,
    /// `sig` or `enc`.
    pub usage: String,
    /// Whether it is accepted.
    pub active: bool,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
}

/// A scope granted to an app.
#[derive(Debug, Clone)]
pub struct ScopeGrant {
    /// Its id.
    pub id: String,
    /// The scope.
    pub scope: String,
    /// Who granted it.
    pub created_by: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
}

impl Client {
    /// How many secrets are accepted.
    pub fn active_secrets(&self) -> usize {
        self.secrets.values().filter(|secret| secret.active).count()
    }

    /// How many signing keys are accepted.
    pub fn active_keys(&self) -> usize {
        let keys = self.keys.values();
        keys.filter(|key| key.active && key.usage == "sig").count()
    }

    /// Whether the app proves itself by a signature, so that it cannot be left without a key.
    pub fn needs_key(&self) -> bool {
        self.auth_method == "private_key_jwt"
    }
}
