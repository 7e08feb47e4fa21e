//! The part of a seed document that is about apps and hooks.

use serde::Deserialize;

use super::document::SeedRole;

/// An app.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedApp {
    /// Its id.
    pub id: Option<String>,
    /// The label people see.
    pub label: String,
    /// The catalogue's name; the label in lower case without one.
    pub name: Option<String>,
    /// `OPENID_CONNECT` without one.
    pub sign_on_mode: Option<String>,
    /// Not in use.
    pub inactive: bool,
    /// Private, system or retired: assignments outlive a deactivation.
    pub keeps_on_deactivate: bool,
    /// Groups that grant it.
    pub groups: Vec<String>,
    /// `client_id`; the app's id without one.
    pub client_id: Option<String>,
    /// `redirect_uris`.
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`; `client_secret_basic` without one.
    pub auth_method: Option<String>,
    /// Client secrets.
    pub secrets: Vec<SeedSecret>,
    /// Public keys.
    pub keys: Vec<SeedKey>,
    /// Scopes granted to the app itself.
    pub grants: Vec<String>,
    /// Admin roles of the app itself.
    pub roles: Vec<SeedRole>,
    /// Has provisioning, switched on.
    pub provisioning: bool,
}

/// A client secret.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedSecret {
    /// Its id.
    pub id: Option<String>,
    /// The secret.
    pub secret: Option<String>,
    /// Switched off already.
    pub inactive: bool,
}

/// A public key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedKey {
    /// Its id.
    pub id: Option<String>,
    /// `kid`; the id without one.
    pub kid: Option<String>,
    /// For encryption; otherwise for signing.
    pub encryption: bool,
    /// Switched off already.
    pub inactive: bool,
}

/// A hook.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedHook {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// `channel.config.uri`.
    pub uri: String,
    /// Events of an event hook; the type of an inline hook.
    pub events: Vec<String>,
    /// Switched off already.
    pub inactive: bool,
    /// The app whose it really is, by id or label.
    pub app: Option<String>,
}
