//! A database that was brought back to an earlier point: its new mark, and what that point does not know.
//!
//! What was accepted after the point is not in this database, and nobody here can know it. It is named in two ways: for
//! each source, the last thing that is still known, from which on it sends again (repetitions are recognised by their
//! keys); and, where the database as it was before can still be read, each request by its key.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// The most lost requests that are named one by one.
pub const LOST_MAX: i64 = 100_000;

const RENEW: &str = "
UPDATE incarnation SET value = gen_random_uuid(), since = now()
FROM incarnation AS old_mark RETURNING old_mark.value AS before, incarnation.value AS value, now() AS now";

/// Processes of the lost history: their jobs may be taken at once.
const STOP_INSTANCES: &str =
    "UPDATE worker_instance SET stopped_at = now() WHERE stopped_at IS NULL";

/// Bells that the lost history rang are no bells of this one.
const RING_AGAIN: &str = "UPDATE broker_epoch SET lost_at = now()";

const NEWEST: &str = "SELECT max(at) AS at FROM audit_event WHERE kind <> 'database.restored'";

const SOURCES: &str = "
SELECT asked_by, channel, max(received_at) AS last_at, (array_agg(idem_key ORDER BY received_at DESC))[1] AS last_key,
       count(*)::int8 AS requests
FROM request GROUP BY asked_by, channel ORDER BY asked_by, channel";

const AFTER: &str = "
SELECT asked_by, channel, idem_key, received_at FROM request WHERE received_at > $1::timestamptz ORDER BY received_at LIMIT $2";

const KNOWN: &str = "SELECT asked_by, idem_key FROM request WHERE received_at > $1::timestamptz - interval '1 hour'";

/// What renewing the mark found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The mark of the history that was left.
    pub before: Uuid,
    /// The new mark.
    pub incarnation: Uuid,
    /// The newest thing that this database knows; `None` where it knows nothing. What was accepted later is lost.
    pub newest: Option<Timestamp>,
    /// Processes that were still registered; they end by themselves at their next heartbeat.
    pub stopped: u64,
}

/// A way by which requests came, and the last of them that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// The source's or the token's name.
    pub asked_by: String,
    /// `amqp`, `http` or `console`.
    pub channel: String,
    /// When its last known request was recorded.
    pub last_at: Timestamp,
    /// The key of that request.
    pub last_key: String,
    /// Requests that are known.
    pub requests: i64,
}

/// A request that the database knew before and does not know any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRequest {
    /// The source's or the token's name.
    pub asked_by: String,
    /// `amqp`, `http` or `console`.
    pub channel: String,
    /// Its key: CloudEvents source and id, or `Idempotency-Key`.
    pub idem_key: String,
    /// When it was recorded.
    pub received_at: Timestamp,
}

/// Writes a new mark, counts every registered process as stopped and every rung bell as lost. Needs the owner role.
///
/// # Errors
/// As any statement.
pub async fn renew(tx: &Tx<'_>, actor: &str, reason: &str) -> Result<Renewed, StoreError> {
    let doing = "writing a new incarnation";
    let newest = tx.query(NEWEST, &[], doing).await?;
    let newest: Option<Timestamp> = newest.first().and_then(|row| row.get("at"));
    let renewed = tx.query_opt(RENEW, &[], doing).await?;
    let renewed = renewed.ok_or(StoreError::Conflict { doing })?;
    let (before, incarnation): (Uuid, Uuid) = (renewed.get("before"), renewed.get("value"));
    let stopped = tx.execute(STOP_INSTANCES, &[], doing).await?;
    tx.execute_one(RING_AGAIN, &[], doing).await?;
    let data = json!({"before": before, "incarnation": incarnation, "newest": newest.map(|at| at.to_string()), "reason": reason});
    let event = AuditEvent::new(AuditKind::DatabaseRestored, renewed.get("now"), actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(Renewed {
        before,
        incarnation,
        newest,
        stopped,
    })
}

/// Every way by which requests came, with the last one that is known.
///
/// # Errors
/// As any statement.
pub async fn known_sources(client: &Client) -> Result<Vec<KnownSource>, StoreError> {
    let rows = client
        .query(SOURCES, &[], "looking at who has asked so far")
        .await?;
    Ok(rows.iter().map(known_source).collect())
}

/// The requests that `old` recorded after `newest` and `restored` does not know, oldest first, at most [`LOST_MAX`].
///
/// # Errors
/// As any statement.
pub async fn lost_requests(
    old: &Client,
    restored: &Client,
    newest: Timestamp,
) -> Result<Vec<LostRequest>, StoreError> {
    let doing = "comparing requests before and after";
    let known = restored.query(KNOWN, &[&newest], doing).await?;
    let known: std::collections::HashSet<(String, String)> = known
        .iter()
        .map(|row| (row.get("asked_by"), row.get("idem_key")))
        .collect();
    let rows = old.query(AFTER, &[&newest, &LOST_MAX], doing).await?;
    let requests = rows.iter().map(|row| LostRequest {
        asked_by: row.get("asked_by"),
        channel: row.get("channel"),
        idem_key: row.get("idem_key"),
        received_at: row.get("received_at"),
    });
    Ok(requests
        .filter(|request| !known.contains(&(request.asked_by.clone(), request.idem_key.clone())))
        .collect())
}

fn known_source(row: &Row) -> KnownSource {
    KnownSource {
        asked_by: row.get("asked_by"),
        channel: row.get("channel"),
        last_at: row.get("last_at"),
        last_key: row.get("last_key"),
        requests: row.get("requests"),
    }
}
