//! Connections as workers see them: settings, the parking of wrong credentials, and its end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{ConnectionId, JobId, OptOutId, Provider, SubjectId, Urgency};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::audit;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Store;
use crate::row::word;

const OF_ID: &str = "
SELECT id, provider, name, base_url, credential_ref, token_lifetime_s, token_lifetimes, clock_skew_s, in_flight_max, version, state
FROM connection WHERE id = $1";

const PARKED: &str = "
SELECT id, provider, name, base_url, credential_ref, token_lifetime_s, token_lifetimes, clock_skew_s, in_flight_max, version, state
FROM connection WHERE provider = $1 AND state = 'parked' ORDER BY name";

const OPEN: &str = "UPDATE connection SET state = 'open', state_reason = NULL, version = version + 1 WHERE id = $1 AND state = 'parked'";

/// Parked jobs come back a few at a time: each waits a little longer than the one before. They are locked first, by id
/// as whoever locks several does: what was cancelled or held meanwhile stays so.
pub(crate) const UNPARK: &str = "
WITH parked AS (
    SELECT id, urgency, effective_at FROM job WHERE connection_id = $1 AND state = 'parked' ORDER BY id FOR NO KEY UPDATE
), turns AS (
    SELECT id, row_number() OVER (ORDER BY urgency DESC, effective_at) AS turn FROM parked
)
UPDATE job SET state = 'waiting', state_reason = NULL, rung_at = NULL,
       due_at = greatest(job.effective_at, now() + make_interval(secs => (turns.turn - 1) * 0.1))
FROM turns WHERE job.id = turns.id
RETURNING job.id, job.provider, job.urgency, job.subject_id, job.opt_out_id, job.due_at, now() AS now";

/// A connection with what a connector is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConnection {
    /// The connection.
    pub id: ConnectionId,
    /// Its provider.
    pub provider: Provider,
    /// Its name.
    pub name: String,
    /// Where the provider is.
    pub base_url: String,
    /// `env:NAME` or `file:/path`.
    pub credential_ref: String,
    /// The longest lifetime of an access token, in seconds.
    pub token_lifetime_s: i64,
    /// Lifetimes by token issuer, in seconds.
    pub token_lifetimes: BTreeMap<String, i64>,
    /// The clock skew assumed, in seconds.
    pub clock_skew_s: i64,
    /// Calls that one process may have under way.
    pub in_flight_max: i32,
    /// Grows with every change.
    pub version: i64,
}

/// The settings of one connection; `None` when there is none of this id.
///
/// # Errors
/// As any statement.
pub async fn find(store: &Store, id: ConnectionId) -> Result<Option<WorkerConnection>, StoreError> {
    let doing = "reading a connection's settings";
    let row = store
        .client(doing)
        .await?
        .query_opt(OF_ID, &[&id.0], doing)
        .await?;
    row.as_ref().map(connection).transpose()
}

/// The parked connections of a provider.
///
/// # Errors
/// As any statement.
pub async fn parked(
    store: &Store,
    provider: Provider,
) -> Result<Vec<WorkerConnection>, StoreError> {
    let doing = "reading parked connections";
    let rows = store
        .client(doing)
        .await?
        .query(PARKED, &[&provider.as_str()], doing)
        .await?;
    rows.iter().map(connection).collect()
}

/// Opens a parked connection and lets its jobs come back, ramped. Returns how many came back; 0 also
/// when it was not parked.
///
/// # Errors
/// As any statement.
pub async fn unpark(store: &Store, id: ConnectionId, actor: &str) -> Result<usize, StoreError> {
    let doing = "opening a parked connection";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    if tx.execute(OPEN, &[&id.0], doing).await? == 0 {
        return Ok(0);
    }
    let now = tx.now().await?;
    let rows = tx.query(UNPARK, &[&id.0], doing).await?;
    let mut events = vec![AuditEvent::new(
        AuditKind::ConnectionChanged,
        now,
        actor,
        json!({"connection": id, "state": "open"}),
    )];
    let mut bells = Vec::new();
    for row in &rows {
        let (job, due_at): (JobId, Timestamp) = (JobId(row.get("id")), row.get("due_at"));
        let event = AuditEvent::new(
            AuditKind::JobReturned,
            now,
            actor,
            json!({"from": "parked", "to": "waiting"}),
        );
        events.push(
            event
                .subject(SubjectId(row.get("subject_id")))
                .opt_out(OptOutId(row.get("opt_out_id")))
                .job(job),
        );
        if due_at <= now {
            let urgency: Urgency = word(row, "urgency")?;
            bells.push(Bell::work(job, word(row, "provider")?, urgency));
        }
    }
    audit::insert(&tx, &events).await?;
    outbox::ring(&tx, &bells).await?;
    tx.commit().await?;
    Ok(rows.len())
}

fn connection(row: &Row) -> Result<WorkerConnection, StoreError> {
    let lifetimes: Json<BTreeMap<String, i64>> =
        row.try_get("token_lifetimes")
            .map_err(|error| StoreError::Corrupt {
                column: "connection.token_lifetimes",
                problem: error.to_string(),
            })?;
    Ok(WorkerConnection {
        id: ConnectionId(row.get("id")),
        provider: word(row, "provider")?,
        name: row.get("name"),
        base_url: row.get("base_url"),
        credential_ref: row.get("credential_ref"),
        token_lifetime_s: row.get("token_lifetime_s"),
        token_lifetimes: lifetimes.0,
        clock_skew_s: row.get("clock_skew_s"),
        in_flight_max: row.get("in_flight_max"),
        version: row.get("version"),
    })
}
