//! Sessions and tokens.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A session of a user at one or several clients.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The user's id.
    pub user: String,
    /// Internal ids of the clients.
    pub clients: BTreeSet<String>,
    /// Offline sessions outlive the sign-in; offline tokens belong to them.
    pub offline: bool,
    /// Milliseconds since the Unix epoch.
    pub started_ms: i64,
}

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Gives access, and cannot be recalled from those who check it by themselves.
    Access,
    /// Renews access while the session lasts.
    Refresh,
    /// Renews access for as long as its offline session lasts.
    Offline,
}

/// A token; its secret is its key.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its kind.
    pub kind: TokenKind,
    /// The client's internal id.
    pub client: String,
    /// The user's id; none where the client acts for itself.
    pub user: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// Tokens of one grant are revoked together.
    pub grant: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Milliseconds since the Unix epoch.
    pub issued_ms: i64,
    /// When it ends.
    pub expires_ms: i64,
    /// Ended before its time.
    pub revoked: bool,
}
