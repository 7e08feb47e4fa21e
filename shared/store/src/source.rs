//! Sources: the upstreams that report or ask.

use sever_domain::SourceId;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Tx};

const UPSERT: &str = "
INSERT INTO source (id, name, broker_user, trusted) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET broker_user = coalesce(excluded.broker_user, source.broker_user), trusted = excluded.trusted
RETURNING id, name, broker_user, trusted";

const BY_BROKER_USER: &str =
    "SELECT id, name, broker_user, trusted FROM source WHERE broker_user = $1";

const BY_NAMES: &str = "
SELECT id, name, broker_user, trusted FROM source WHERE name = ANY($1) ORDER BY name";

const LIST: &str = "SELECT id, name, broker_user, trusted FROM source ORDER BY name LIMIT $1";

/// An upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Its name: lower-case letters, digits, `-` and `_`, at most 63.
    pub name: String,
    /// The user name that the broker validates on its messages.
    pub broker_user: Option<String>,
    /// Whether the provider ids that it lists may become bindings.
    pub trusted: bool,
}

/// Makes a source, or changes the one of this name; `broker_user: None` keeps the one that is stored.
///
/// # Errors
/// A name of another shape, or a broker user that another source has, is a statement error with the
/// constraint; else as any statement.
pub async fn upsert(
    tx: &Tx<'_>,
    name: &str,
    broker_user: Option<&str>,
    trusted: bool,
) -> Result<Source, StoreError> {
    let doing = "storing a source";
    let id = Uuid::now_v7();
    let row = tx
        .query_opt(UPSERT, &[&id, &name, &broker_user, &trusted], doing)
        .await?;
    row.as_ref()
        .map(source)
        .ok_or(StoreError::Conflict { doing })
}

/// The source whose messages the broker validates under this user name.
///
/// # Errors
/// As any statement.
pub async fn by_broker_user(client: &Client, user: &str) -> Result<Option<Source>, StoreError> {
    let doing = "looking up the source of a broker user";
    let row = client.query_opt(BY_BROKER_USER, &[&user], doing).await?;
    Ok(row.as_ref().map(source))
}

/// The sources of these names, by name; unknown names are absent.
///
/// # Errors
/// As any statement.
pub async fn by_names(tx: &Tx<'_>, names: &[&str]) -> Result<Vec<Source>, StoreError> {
    let rows = tx
        .query(BY_NAMES, &[&names], "looking up sources by name")
        .await?;
    Ok(rows.iter().map(source).collect())
}

/// At most `limit` sources by name.
///
/// # Errors
/// As any statement.
pub async fn list(client: &Client, limit: i64) -> Result<Vec<Source>, StoreError> {
    let rows = client.query(LIST, &[&limit], "listing sources").await?;
    Ok(rows.iter().map(source).collect())
}

fn source(row: &Row) -> Source {
    Source {
        id: SourceId(row.get("id")),
        name: row.get("name"),
        broker_user: row.get("broker_user"),
        trusted: row.get("trusted"),
    }
}
