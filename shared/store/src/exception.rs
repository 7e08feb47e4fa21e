//! Exceptions: accounts that no person owns and that may stay until a date, because somebody answers for them.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// The most exceptions that one list holds.
pub const LIST_MAX: i64 = 10_000;

/// What an exception may be about: as the column's CHECK.
pub const KINDS: [&str; 3] = ["service_account", "shared_mailbox", "break_glass"];

const LIST: &str = "
SELECT exception.id, connection.name AS connection, provider_id, kind, owner, reason, until, created_by, exception.created_at,
       ended_at, ended_by, exception.ended_at IS NULL AND until > now() AS excepts
FROM exception JOIN connection ON connection.id = exception.connection_id
WHERE $1 OR exception.ended_at IS NULL
ORDER BY exception.ended_at IS NOT NULL, until, exception.id LIMIT $2";

const ADD: &str = "
INSERT INTO exception (id, connection_id, provider_id, kind, owner, reason, until, created_by)
SELECT $1, connection.id, $3, $4, $5, $6, $7, $8 FROM connection WHERE connection.name = $2
ON CONFLICT (connection_id, provider_id) WHERE ended_at IS NULL
DO UPDATE SET kind = excluded.kind, owner = excluded.owner, reason = excluded.reason, until = excluded.until,
              created_by = excluded.created_by
RETURNING id, now() AS now";

const END: &str = "
UPDATE exception SET ended_at = now(), ended_by = $2 WHERE id = $1 AND ended_at IS NULL
RETURNING provider_id, kind, owner, now() AS now";

/// An account that is to be excepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The connection's name.
    pub connection: String,
    /// The account's immutable id.
    pub provider_id: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// The role that answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// From then on it excepts no more.
    pub until: Timestamp,
}

/// An exception as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Its id.
    pub id: Uuid,
    /// What was said of it.
    pub exception: Exception,
    /// Who said it.
    pub created_by: String,
    /// When it was first added.
    pub created_at: Timestamp,
    /// When a person ended it.
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Whether it excepts now; one that does not, and that nobody ended, has run out.
    pub excepts: bool,
}

/// Exceptions, those that run out first first, at most [`LIST_MAX`]; `with_ended` with those that a person ended.
///
/// # Errors
/// As any statement.
pub async fn list(client: &Client, with_ended: bool) -> Result<Vec<ExceptionRow>, StoreError> {
    let rows = client
        .query(LIST, &[&with_ended, &LIST_MAX], "listing exceptions")
        .await?;
    Ok(rows.iter().map(exception).collect())
}

/// Adds an exception, or replaces what is said of the account's standing one; the next inventory obeys it. Returns its id; `None`
/// where the connection is not known.
///
/// # Errors
/// As any statement.
pub async fn add(tx: &Tx<'_>, wanted: &Exception, actor: &str) -> Result<Option<Uuid>, StoreError> {
    let Exception {
        connection,
        provider_id,
        kind,
        owner,
        reason,
        until,
    } = wanted;
    let added = tx
        .query_opt(
            ADD,
            &[
                &Uuid::now_v7(),
                connection,
                provider_id,
                kind,
                owner,
                reason,
                until,
                &actor,
            ],
            "adding an exception",
        )
        .await?;
    let Some(row) = added else {
        return Ok(None);
    };
    let id: Uuid = row.get("id");
    let data = json!({
        "change": "added", "exception": id, "account": format!("{connection}:{provider_id}"), "kind": kind, "owner": owner,
        "reason": reason, "until": until.to_string(),
    });
    let event = AuditEvent::new(AuditKind::ExceptionChanged, row.get("now"), actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(Some(id))
}

/// Ends an exception before its date; the next inventory obeys it. `false` where there is none of this id, or it has ended.
///
/// # Errors
/// As any statement.
pub async fn end(tx: &Tx<'_>, id: Uuid, actor: &str) -> Result<bool, StoreError> {
    let ended = tx
        .query_opt(END, &[&id, &actor], "ending an exception")
        .await?;
    let Some(row) = ended else {
        return Ok(false);
    };
    let data = json!({
        "change": "ended", "exception": id, "account": row.get::<_, &str>("provider_id"), "kind": row.get::<_, &str>("kind"),
        "owner": row.get::<_, &str>("owner"),
    });
    let event = AuditEvent::new(AuditKind::ExceptionChanged, row.get("now"), actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(true)
}

fn exception(row: &Row) -> ExceptionRow {
    ExceptionRow {
        id: row.get("id"),
        exception: Exception {
            connection: row.get("connection"),
            provider_id: row.get("provider_id"),
            kind: row.get("kind"),
            owner: row.get("owner"),
            reason: row.get("reason"),
            until: row.get("until"),
        },
        created_by: row.get("created_by"),
        created_at: row.get("created_at"),
        ended_at: row.get("ended_at"),
        ended_by: row.get("ended_by"),
        excepts: row.get("excepts"),
    }
}
