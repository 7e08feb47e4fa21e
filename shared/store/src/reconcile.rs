//! The reconciler's own statements: which inventories are due, and the bells that workers hear.

use std::time::Duration;

use jiff::Timestamp;
use sever_domain::{ConnectionId, Provider, RunId, RunKind, RunState};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::inventory;
use crate::outbox::WORK_EXCHANGE;
use crate::pool::{Client, Store, Tx};
use crate::row::word;

/// When each connection is read again. A full run is due when the last one was asked for long enough ago; one that was given up or
/// found incomplete is tried again sooner: after a tenth of the time, at least five minutes; one whose rows the database lost, after a
/// minute. An incremental run is due when the last run of either kind is old enough, and only where there is a mark from which the
/// provider tells what changed. Nothing is due before the directory knows anybody: every account would be nobody's.
macro_rules! plan {
    () => {
        "
WITH plan AS (
    SELECT connection.id, connection.state = 'open' AND EXISTS (SELECT FROM subject) AS wanted,
           CASE WHEN last_full.created_at IS NULL THEN connection.created_at
                ELSE last_full.created_at + make_interval(secs => CASE
                     WHEN last_full.state = 'refused' THEN least(setting.full_every_s, 60)
                     WHEN last_full.state IN ('failed', 'incomplete') THEN least(setting.full_every_s, greatest(300, setting.full_every_s / 10))
                     ELSE setting.full_every_s END) END AS full_at,
           CASE WHEN EXISTS (SELECT FROM connection_inventory AS pointer WHERE pointer.connection_id = connection.id AND pointer.mark IS NOT NULL)
                THEN last_any.created_at + make_interval(secs => setting.incremental_every_s) END AS incremental_at
    FROM connection
    LEFT JOIN reconcile_setting AS own ON own.connection_id = connection.id
    CROSS JOIN LATERAL (SELECT coalesce(own.full_every_s, 86400) AS full_every_s, own.incremental_every_s) AS setting
    LEFT JOIN LATERAL (
        SELECT run.created_at, run.state FROM inventory_run AS run
        WHERE run.connection_id = connection.id AND run.kind = 'full' ORDER BY run.no DESC LIMIT 1
    ) AS last_full ON true
    LEFT JOIN LATERAL (
        SELECT run.created_at FROM inventory_run AS run WHERE run.connection_id = connection.id ORDER BY run.no DESC LIMIT 1
    ) AS last_any ON true
)"
    };
}

/// A run that the guard holds does not stop the looking: the next full one takes its place, and is held if it is still so.
const DUE: &str = concat!(
    plan!(),
    "
SELECT id, full_at <= now() AS full_due FROM plan
WHERE wanted AND (full_at <= now() OR incremental_at <= now())
  AND NOT EXISTS (SELECT FROM inventory_run AS run WHERE run.connection_id = plan.id
                  AND (run.state IN ('waiting', 'running', 'loaded') OR (run.state = 'held' AND full_at > now())))
ORDER BY full_at LIMIT 20"
);

const RING: &str = "
INSERT INTO outbox (id, job_id, exchange, routing_key, body)
SELECT id, NULL, $1, key, body FROM unnest($2::uuid[], $3::text[], $4::bytea[]) AS bell (id, key, body)";

const STATUS: &str = concat!(
    plan!(),
    "
SELECT CASE WHEN plan.wanted THEN least(plan.full_at, plan.incremental_at) END AS next_at, connection.id, connection.name, connection.provider, promoted.no AS promoted_no, promoted.started_at AS observed_at,
       promoted.accounts AS promoted_accounts, promoted.entitlements AS promoted_entitlements,
       last.id AS last_id, last.no AS last_no, last.kind, last.state, last.state_reason, last.accounts, last.entitlements, last.set_aside,
       last.started_at, last.ended_at,
       (SELECT count(*) FROM finding WHERE finding.connection_id = connection.id AND finding.closed_at IS NULL) AS findings
FROM connection JOIN plan USING (id)
LEFT JOIN connection_inventory AS pointer ON pointer.connection_id = connection.id
LEFT JOIN inventory_run AS promoted ON promoted.id = pointer.run_id
LEFT JOIN LATERAL (
    SELECT run.* FROM inventory_run AS run WHERE run.connection_id = connection.id ORDER BY run.no DESC LIMIT 1
) AS last ON true
WHERE connection.state <> 'closed' AND ($1::text IS NULL OR connection.name = $1) ORDER BY connection.name"
);

/// Asks for the inventories that are due, full before incremental; returns how many.
///
/// # Errors
/// As any statement.
pub async fn schedule(store: &Store, asked_by: &str) -> Result<usize, StoreError> {
    let doing = "scheduling inventories";
    let mut client = store.client(doing).await?;
    let due = client.query(DUE, &[], doing).await?;
    let mut asked = 0;
    for row in &due {
        let tx = client.begin().await?;
        let kind = if row.get("full_due") {
            RunKind::Full
        } else {
            RunKind::Incremental
        };
        let run = inventory::ask(&tx, ConnectionId(row.get("id")), kind, asked_by).await?;
        tx.commit().await?;
        asked += usize::from(run.is_some());
    }
    Ok(asked)
}

/// Writes the bells of runs that wait for a worker; those rung within `patience` are left out. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn ring_runs(store: &Store, patience: Duration) -> Result<usize, StoreError> {
    let mut client = store.client("ringing for inventories").await?;
    let due = inventory::due(&client, patience).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let tx = client.begin().await?;
    let bells: Vec<_> = due
        .iter()
        .map(|(run, provider)| (*provider, format!(r#"{{"v":1,"run":"{run}"}}"#)))
        .collect();
    ring(&tx, &bells).await?;
    for (run, _) in &due {
        inventory::mark_rung(&tx, *run).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

/// Writes the bells that have suspected findings looked at.
///
/// # Errors
/// As any statement.
pub async fn ring_looks(
    store: &Store,
    connections: &[(ConnectionId, Provider)],
) -> Result<(), StoreError> {
    if connections.is_empty() {
        return Ok(());
    }
    let bells: Vec<_> = connections
        .iter()
        .map(|(connection, provider)| (*provider, format!(r#"{{"v":1,"look":"{connection}"}}"#)))
        .collect();
    let mut client = store.client("ringing for reads by id").await?;
    let tx = client.begin().await?;
    ring(&tx, &bells).await?;
    tx.commit().await
}

async fn ring(tx: &Tx<'_>, bells: &[(Provider, String)]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = bells.iter().map(|_| Uuid::now_v7()).collect();
    let keys: Vec<String> = bells
        .iter()
        .map(|(provider, _)| format!("{provider}.inventory"))
        .collect();
    let bodies: Vec<&[u8]> = bells.iter().map(|(_, body)| body.as_bytes()).collect();
    tx.execute(
        RING,
        &[&WORK_EXCHANGE, &ids, &keys, &bodies],
        "writing inventory bells",
    )
    .await
    .map(drop)
}

/// How a connection is observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: Provider,
    /// When the newest promoted inventory began; `None` where there is none: nothing is known.
    pub observed_at: Option<Timestamp>,
    /// Accounts and entitlements in it.
    pub rows: Option<(i64, i64)>,
    /// The newest run.
    pub last: Option<LastRun>,
    /// Findings that are open.
    pub findings: i64,
    /// When the schedule asks for the next one; in the past where one is due or under way, `None` where the connection or the
    /// directory keeps it from asking.
    pub next_at: Option<Timestamp>,
}

/// A connection's newest run.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// Its number.
    pub no: i32,
    /// How much it reads.
    pub kind: RunKind,
    /// How far it is.
    pub state: RunState,
    /// Why it is there.
    pub reason: Option<String>,
    /// Account rows so far.
    pub accounts: i64,
    /// Entitlement rows so far.
    pub entitlements: i64,
    /// Records set aside so far.
    pub set_aside: i64,
    /// When a worker began to read.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How each connection is observed, or the one of this name.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn status(
    client: &Client,
    connection: Option<&str>,
) -> Result<Vec<Observed>, StoreError> {
    let rows = client
        .query(
            STATUS,
            &[&connection],
            "reading how connections are observed",
        )
        .await?;
    rows.iter().map(observed).collect()
}

fn observed(row: &Row) -> Result<Observed, StoreError> {
    let last = match row.get::<_, Option<Uuid>>("last_id") {
        None => None,
        Some(id) => Some(LastRun {
            id: RunId(id),
            no: row.get("last_no"),
            kind: word(row, "kind")?,
            state: word(row, "state")?,
            reason: row.get("state_reason"),
            accounts: row.get("accounts"),
            entitlements: row.get("entitlements"),
            set_aside: row.get("set_aside"),
            started_at: row.get("started_at"),
            ended_at: row.get("ended_at"),
        }),
    };
    Ok(Observed {
        connection: ConnectionId(row.get("id")),
        name: row.get("name"),
        provider: word(row, "provider")?,
        observed_at: row.get("observed_at"),
        rows: row
            .get::<_, Option<i64>>("promoted_accounts")
            .zip(row.get("promoted_entitlements")),
        last,
        findings: row.get("findings"),
        next_at: row.get("next_at"),
    })
}
