//! Tokens and grants.

use std::collections::BTreeMap;

/// What one client holds for one user.
#[derive(Debug, Clone, Default)]
pub struct ClientAccess {
    /// The client's name.
    pub name: String,
    /// Refresh tokens by id.
    pub tokens: BTreeMap<String, RefreshToken>,
    /// Consents by id.
    pub grants: BTreeMap<String, Grant>,
}

/// A refresh token.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its id.
    pub id: String,
    /// The authorization server; `None` is the org's own.
    pub server: Option<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Milliseconds since the Unix epoch, as all moments here.
    pub created: i64,
    /// When it ends by itself.
    pub expires_at: i64,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A consent of a user to a scope for a client.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// The authorization server; `None` is the org's own.
    pub server: Option<String>,
    /// The scope.
    pub scope: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl ClientAccess {
    /// Whether the client still holds anything that is not revoked.
    pub fn is_live(&self) -> bool {
        self.tokens.values().any(|token| !token.revoked)
            || self.grants.values().any(|grant| !grant.revoked)
    }
}

/// An SSWS token.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub user: String,
    /// `clientName`: `Okta API`, or an agent's.
    pub client_name: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// The secret; a token without one is listed but cannot be used.
    pub secret: Option<String>,
    /// The app whose it really is; no call shows this.
    pub app: Option<String>,
}

/// An access token of a service app.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The service app.
    pub client_id: String,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// When it ends, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}
