//! API tokens: stored by digest, shown once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sever_domain::{SourceId, TokenId};
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Store, Tx};

const INSERT: &str = "
INSERT INTO api_token (id, name, digest, scopes, source_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)";

/// Looked up by digest, so that no comparison of a secret takes a time that depends on it.
const FIND_LIVE: &str = "
SELECT api_token.id, api_token.name, api_token.scopes, source.id AS source_id, source.name AS source_name
FROM api_token LEFT JOIN source ON source.id = api_token.source_id
WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

const REVOKE: &str = "
UPDATE api_token SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL RETURNING id";

const LIST: &str = "
SELECT api_token.id, api_token.name, api_token.scopes, source.name AS source_name,
       api_token.created_at, api_token.expires_at, api_token.revoked_at
FROM api_token LEFT JOIN source ON source.id = api_token.source_id
ORDER BY api_token.name LIMIT $1";

/// Random bytes of a token.
const SECRET_BYTES: usize = 32;

/// What a new token may do, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken<'a> {
    /// Its name, unique; appears in audit events.
    pub name: &'a str,
    /// The words of its scopes; at least one.
    pub scopes: &'a [&'a str],
    /// The source for which the bearer speaks.
    pub source: Option<SourceId>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// The token itself. Stored nowhere, so it cannot be shown again; its debug form hides it.
pub struct TokenSecret(String);

impl TokenSecret {
    /// The text that the bearer sends.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn generate() -> Self {
        let bytes: [u8; SECRET_BYTES] = rand::random();
        Self(format!("sv_{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

impl std::fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSecret(hidden)")
    }
}

/// The SHA-256 under which a token is stored.
#[must_use]
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Makes a token and returns it with its secret, which is not readable afterwards.
///
/// # Errors
/// A taken name is a statement error with the constraint `api_token_name_key`; else as any statement.
pub async fn create(
    tx: &Tx<'_>,
    token: &NewToken<'_>,
) -> Result<(TokenId, TokenSecret), StoreError> {
    let (id, secret) = (TokenId::generate(), TokenSecret::generate());
    let digest = digest(secret.expose());
    let source: Option<Uuid> = token.source.map(|source| source.0);
    tx.execute(
        INSERT,
        &[
            &id.0,
            &token.name,
            &digest.as_slice(),
            &token.scopes,
            &source,
            &token.expires_at,
        ],
        "storing an API token",
    )
    .await?;
    Ok((id, secret))
}

/// A token that works now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveToken {
    /// Its id.
    pub id: TokenId,
    /// Its name.
    pub name: String,
    /// The words of its scopes.
    pub scopes: Vec<String>,
    /// The source for which the bearer speaks, with its name.
    pub source: Option<(SourceId, String)>,
}

/// The token with this digest, unless it is unknown, expired or revoked.
///
/// # Errors
/// As any statement.
pub async fn find_live(store: &Store, digest: &[u8; 32]) -> Result<Option<LiveToken>, StoreError> {
    let doing = "looking up an API token";
    let client = store.client(doing).await?;
    let row = client
        .query_opt(FIND_LIVE, &[&digest.as_slice()], doing)
        .await?;
    Ok(row.map(|row| LiveToken {
        id: TokenId(row.get("id")),
        name: row.get("name"),
        scopes: row.get("scopes"),
        source: source_of(&row),
    }))
}

fn source_of(row: &Row) -> Option<(SourceId, String)> {
    let id: Option<Uuid> = row.get("source_id");
    let name: Option<String> = row.get("source_name");
    id.map(SourceId).zip(name)
}

/// Ends the token of this name; `None` if no live one has it. Services that cached it notice within
/// seconds.
///
/// # Errors
/// As any statement.
pub async fn revoke(tx: &Tx<'_>, name: &str) -> Result<Option<TokenId>, StoreError> {
    let row = tx
        .query_opt(REVOKE, &[&name], "revoking an API token")
        .await?;
    Ok(row.map(|row| TokenId(row.get("id"))))
}

/// A token as shown to operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// Its name.
    pub name: String,
    /// The words of its scopes.
    pub scopes: Vec<String>,
    /// The source for which the bearer speaks.
    pub source: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// At most `limit` tokens by name, ended ones included.
///
/// # Errors
/// As any statement.
pub async fn list(client: &Client, limit: i64) -> Result<Vec<TokenRow>, StoreError> {
    let rows = client.query(LIST, &[&limit], "listing API tokens").await?;
    let token = |row: &Row| TokenRow {
        id: TokenId(row.get("id")),
        name: row.get("name"),
        scopes: row.get("scopes"),
        source: row.get("source_name"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        revoked_at: row.get("revoked_at"),
    };
    Ok(rows.iter().map(token).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_marked_and_never_printed() {
        let (one, other) = (TokenSecret::generate(), TokenSecret::generate());
        assert!(one.expose().starts_with("sv_"));
        assert_eq!(one.expose().len(), 3 + 43);
        assert_ne!(one.expose(), other.expose());
        assert_eq!(format!("{one:?}"), "TokenSecret(hidden)");
    }
}
