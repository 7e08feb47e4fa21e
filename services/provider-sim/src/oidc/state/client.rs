//! Clients: applications that were let in.

use serde::{Deserialize, Serialize};

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// `client_secret_basic` or `client_secret_post`.
    #[default]
    ClientSecret,
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// Not at all: it is public.
    None,
}

/// A client.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The internal id.
    pub uuid: String,
    /// `clientId`.
    pub client_id: String,
    /// The name people see.
    pub name: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Its secret.
    pub secret: String,
    /// What was issued to it before this second is not valid.
    pub not_before_s: i64,
    /// `redirectUris`.
    pub redirect_uris: Vec<String>,
    /// The id of its service account's user.
    pub service_account: Option<String>,
    /// Roles in the administration API, for instance `manage-users`.
    pub admin_roles: Vec<String>,
    /// The token that manages its registration (RFC 7592).
    pub registration_token: Option<String>,
}
