//! The circuit breakers of connections: what processes heard, and closing one by hand.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::ConnectionId;
use sever_domain::breaker::{Breaker, BreakerState, Heard};
use tokio_postgres::Row;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Store, Tx};

const MAKE: &str = "INSERT INTO breaker (connection_id) SELECT id FROM connection WHERE id = $1 ON CONFLICT DO NOTHING";

const LOCK: &str = "
SELECT opened_at, retry_at, openings, failures_in_row, window_at, window_calls, window_failures, proven, open_total_s, now() AS now
FROM breaker WHERE connection_id = $1 FOR UPDATE";

const LOCK_BY_NAME: &str = "
SELECT connection_id, opened_at, retry_at, openings, failures_in_row, window_at, window_calls, window_failures, proven, open_total_s, now() AS now
FROM breaker WHERE connection_id = (SELECT id FROM connection WHERE name = $1) FOR UPDATE";

const WRITE: &str = "
UPDATE breaker SET opened_at = $2, retry_at = $3, openings = $4, failures_in_row = $5, window_at = $6, window_calls = $7,
       window_failures = $8, proven = $9, open_total_s = $10
WHERE connection_id = $1";

/// Jobs that the breaker sent away come back a few at a time; locked first, so that one taken meanwhile is left alone.
const RELEASE: &str = "
WITH waiting AS (
    SELECT id, urgency, due_at FROM job
    WHERE connection_id = $1 AND state = 'waiting' AND state_reason = 'breaker'
    ORDER BY id FOR NO KEY UPDATE
), turns AS (
    SELECT id, row_number() OVER (ORDER BY urgency DESC, due_at) AS turn FROM waiting
)
UPDATE job SET due_at = least(job.due_at, now() + make_interval(secs => (turns.turn - 1) * 0.1))
FROM turns WHERE job.id = turns.id";

const KNOWN: &str = "SELECT 1 AS known FROM connection WHERE name = $1";

const HALF_OPEN: &str = "
SELECT connection_id FROM breaker JOIN connection ON connection.id = connection_id
WHERE connection.provider = $1 AND connection.state = 'open' AND breaker.retry_at <= now()";

/// What came of closing a breaker by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedByHand {
    /// It was open or half-open, and is closed; this many jobs come back.
    Closed {
        /// How many.
        jobs: u64,
    },
    /// It was closed already.
    WasClosed,
    /// There is no such connection.
    NoConnection,
}

/// Tells the breaker what a process heard, and returns what it is now. `wait` is how long it stays open at its nth
/// opening in a row. An opening from closed and a closing are audited.
///
/// # Errors
/// As any statement.
pub async fn hear(
    store: &Store,
    connection: ConnectionId,
    heard: Heard,
    actor: &str,
    wait: impl Fn(u32) -> Duration,
) -> Result<(Breaker, BreakerState), StoreError> {
    let doing = "telling a breaker what was heard";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    tx.execute(MAKE, &[&connection.0], doing).await?;
    let Some(row) = tx.query_opt(LOCK, &[&connection.0], doing).await? else {
        return Ok((Breaker::default(), BreakerState::Closed));
    };
    let (standing, now) = (breaker(&row), row.get("now"));
    let next = standing.heard(heard, now, wait);
    write(&tx, connection, &next).await?;
    if standing.opened_at.is_some() != next.opened_at.is_some() {
        let state = next.state(now);
        let data = json!({"connection": connection, "breaker": state, "failed": heard.failed, "retry_at": next.retry_at});
        let event = AuditEvent::new(AuditKind::ConnectionChanged, now, actor, data);
        audit::insert(&tx, &[event]).await?;
    }
    tx.commit().await?;
    Ok((next, next.state(now)))
}

/// Closes the breaker of the connection of this name: its jobs come back, ramped. Audited with the reason.
///
/// # Errors
/// As any statement; the caller's transaction must then be dropped.
pub async fn close(
    tx: &Tx<'_>,
    name: &str,
    actor: &str,
    reason: &str,
) -> Result<ClosedByHand, StoreError> {
    let doing = "closing a breaker";
    let Some(row) = tx.query_opt(LOCK_BY_NAME, &[&name], doing).await? else {
        let known = tx.query_opt(KNOWN, &[&name], doing).await?.is_some();
        return Ok(if known {
            ClosedByHand::WasClosed
        } else {
            ClosedByHand::NoConnection
        });
    };
    let (standing, now) = (breaker(&row), row.get("now"));
    if standing.opened_at.is_none() {
        return Ok(ClosedByHand::WasClosed);
    }
    let connection = ConnectionId(row.get("connection_id"));
    write(tx, connection, &standing.closed(now)).await?;
    let jobs = tx.execute(RELEASE, &[&connection.0], doing).await?;
    let data = json!({"connection": connection, "name": name, "breaker": BreakerState::Closed, "from": standing.state(now), "reason": reason});
    let event = AuditEvent::new(AuditKind::ConnectionChanged, now, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(ClosedByHand::Closed { jobs })
}

/// The open connections of a provider whose breaker is half-open: a canary may try them.
///
/// # Errors
/// As any statement.
pub async fn half_open(
    store: &Store,
    provider: sever_domain::Provider,
) -> Result<Vec<ConnectionId>, StoreError> {
    let doing = "reading half-open breakers";
    let rows = store
        .client(doing)
        .await?
        .query(HALF_OPEN, &[&provider.as_str()], doing)
        .await?;
    Ok(rows.iter().map(|row| ConnectionId(row.get(0))).collect())
}

async fn write(tx: &Tx<'_>, connection: ConnectionId, breaker: &Breaker) -> Result<(), StoreError> {
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
        &connection.0,
        &breaker.opened_at,
        &breaker.retry_at,
        &breaker.openings,
        &breaker.failures_in_row,
        &breaker.window_at,
        &breaker.window_calls,
        &breaker.window_failures,
        &breaker.proven,
        &breaker.open_total.as_secs_f64(),
    ];
    tx.execute_one(WRITE, values, "writing a breaker").await
}

fn breaker(row: &Row) -> Breaker {
    let instant = |column| row.get::<_, Option<Timestamp>>(column);
    Breaker {
        opened_at: instant("opened_at"),
        retry_at: instant("retry_at"),
        openings: row.get("openings"),
        failures_in_row: row.get("failures_in_row"),
        window_at: instant("window_at"),
        window_calls: row.get("window_calls"),
        window_failures: row.get("window_failures"),
        proven: row.get("proven"),
        open_total: seconds(row.get("open_total_s")),
    }
}

/// Seconds of a column that is never negative.
pub(crate) fn seconds(value: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(value).unwrap_or(SignedDuration::ZERO)
}
