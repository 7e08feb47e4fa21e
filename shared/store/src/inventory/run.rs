//! The record of a run: asked for, claimed under a lease, given back, loaded.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::inventory::RowCounts;
use sever_domain::{ConnectionId, InstanceId, Provider, RunId, RunKind};
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Store, Tx};
use crate::row::word;

/// A run that the guard holds gives way to a newer look.
const GIVE_WAY: &str = "
UPDATE inventory_run SET state = 'superseded', state_reason = 'asked_again', ended_at = now() WHERE connection_id = $1 AND state = 'held' AND ($2 = 'full' OR kind = 'incremental')";

/// One open run for each connection.
const ASK: &str = "
INSERT INTO inventory_run (id, connection_id, kind, state, asked_by)
SELECT $1, connection.id, $3, 'waiting', $4 FROM connection WHERE connection.id = $2 AND connection.state <> 'closed'
ON CONFLICT (connection_id) WHERE state IN ('waiting', 'running', 'loaded', 'held') DO NOTHING RETURNING id";

/// Runs that a worker should hear of: due, or with a lease that is over, and not rung within the patience.
const DUE: &str = "
SELECT run.id, connection.provider FROM inventory_run AS run JOIN connection ON connection.id = run.connection_id
LEFT JOIN worker_instance AS instance ON instance.id = run.lease_instance
WHERE run.due_at <= now() AND connection.state = 'open'
  AND (run.state = 'waiting' OR (run.state = 'running' AND (run.lease_until < now() OR instance.stopped_at IS NOT NULL
       OR instance.heartbeat_at < now() - make_interval(secs => instance.dead_after_s))))
  AND (run.rung_at IS NULL OR run.rung_at < now() - make_interval(secs => $1))
ORDER BY run.due_at LIMIT 100";

const MARK_RUNG: &str = "UPDATE inventory_run SET rung_at = now() WHERE id = $1";

const READ: &str = "
SELECT run.no, run.connection_id, run.kind, run.cursor, pointer.mark, run.staged, run.accounts, run.entitlements, run.failures, now() AS now,
       connection.state = 'open' AND (connection.blocked_until IS NULL OR connection.blocked_until <= now()) AS reachable,
       run.state = 'waiting' AND run.due_at <= now() AS waits,
       run.state = 'running' AND (run.lease_until < now() OR instance.stopped_at IS NOT NULL
           OR instance.heartbeat_at < now() - make_interval(secs => instance.dead_after_s)) AS abandoned
FROM inventory_run AS run JOIN connection ON connection.id = run.connection_id
LEFT JOIN worker_instance AS instance ON instance.id = run.lease_instance
LEFT JOIN connection_inventory AS pointer ON pointer.connection_id = run.connection_id
WHERE run.id = $1 FOR UPDATE OF run";

const TAKE: &str = "
UPDATE inventory_run SET state = 'running', state_reason = NULL, lease_epoch = lease_epoch + 1, lease_token = $2, lease_instance = $3,
       lease_until = now() + make_interval(secs => $4), started_at = coalesce(started_at, now())
WHERE id = $1";

const STAGE: &str = "SELECT inventory_stage($1)::text";

const REFUSE: &str = "
UPDATE inventory_run SET state = 'refused', state_reason = 'rows_lost', lease_token = NULL, lease_until = NULL, ended_at = now() WHERE id = $1";

const GIVE_BACK: &str = "
UPDATE inventory_run SET state = 'waiting', state_reason = $3, due_at = now() + make_interval(secs => $4), lease_token = NULL, lease_until = NULL,
       failures = failures + $5, rung_at = NULL
WHERE id = $1 AND lease_token = $2 AND state = 'running'";

const FAIL: &str = "
UPDATE inventory_run SET state = 'failed', state_reason = $3, lease_token = NULL, lease_until = NULL, ended_at = now()
WHERE id = $1 AND lease_token = $2 AND state = 'running'";

const LOADED: &str =
    "SELECT id FROM inventory_run WHERE state = 'loaded' ORDER BY loaded_at LIMIT 100";

/// What a run before found of each family: an empty answer after that is no answer.
const BEFORE: &str = "
SELECT run_family.family, run_family.rows FROM connection_inventory JOIN run_family ON run_family.run_id = connection_inventory.run_id
WHERE connection_inventory.connection_id = $1 AND run_family.result = 'complete' ORDER BY run_family.family";

const UNUSED: &str = "
SELECT no FROM inventory_run
WHERE staged AND state IN ('superseded', 'incomplete', 'refused', 'failed') ORDER BY no LIMIT 100";

const UNSTAGE: &str = "SELECT inventory_unstage($1)::text";

const FORGET_SUBJECTS: &str = "
DELETE FROM run_subject USING inventory_run AS run WHERE run.id = run_subject.run_id AND run.no = $1";

/// The right to append to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLease {
    /// The run.
    pub run: RunId,
    /// Its number.
    pub no: i32,
    /// What every write carries.
    pub token: Uuid,
}

/// A run under a lease.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedRun {
    /// The right to append.
    pub lease: RunLease,
    /// What is read.
    pub connection: ConnectionId,
    /// How much of it.
    pub kind: RunKind,
    /// Where reading goes on; `None` at the beginning.
    pub cursor: Option<Value>,
    /// From where the provider tells what changed since the newest inventory; `None` where only reading everything tells.
    pub mark: Option<Value>,
    /// Rows that are there already.
    pub rows: RowCounts,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// The database's clock at the claim.
    pub now: Timestamp,
    /// Rows of each family in the inventory before.
    pub before: Vec<(sever_domain::EntitlementKind, u64)>,
}

/// What a claim came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The run is the caller's.
    Taken(Box<ClaimedRun>),
    /// There is nothing to do: over, not due, somebody else's, or its connection cannot be called.
    NotNow,
    /// The database lost the rows; the run is refused, and another one must be asked for.
    Refused,
}

/// Asks for a run; `None` where one is open already, or the connection is closed or unknown. A full one has the place of one that the mass guard holds.
///
/// # Errors
/// As any statement.
pub async fn ask(
    tx: &Tx<'_>,
    connection: ConnectionId,
    kind: RunKind,
    asked_by: &str,
) -> Result<Option<RunId>, StoreError> {
    let id = RunId::generate();
    tx.execute(
        GIVE_WAY,
        &[&connection.0, &kind.as_str()],
        "asking for an inventory",
    )
    .await?;
    let row = tx
        .query_opt(
            ASK,
            &[&id.0, &connection.0, &kind.as_str(), &asked_by],
            "asking for an inventory",
        )
        .await?;
    Ok(row.map(|row| RunId(row.get("id"))))
}

/// Runs that a worker should be told of, at most a hundred; those told of within `patience` are left out.
///
/// # Errors
/// As any statement.
pub async fn due(
    client: &Client,
    patience: Duration,
) -> Result<Vec<(RunId, Provider)>, StoreError> {
    let rows = client
        .query(DUE, &[&patience.as_secs_f64()], "finding due inventories")
        .await?;
    rows.iter()
        .map(|row| Ok((RunId(row.get("id")), word(row, "provider")?)))
        .collect()
}

/// Notes that a run's bell was written, in the transaction that writes it.
///
/// # Errors
/// As any statement.
pub async fn mark_rung(tx: &Tx<'_>, run: RunId) -> Result<(), StoreError> {
    tx.execute(MARK_RUNG, &[&run.0], "noting an inventory's bell")
        .await
        .map(drop)
}

/// Takes a run for `lease_for`, and makes its tables at the first time. A run that is resumed is counted first.
///
/// # Errors
/// As any statement.
pub async fn claim(
    store: &Store,
    run: RunId,
    instance: InstanceId,
    lease_for: Duration,
) -> Result<Claim, StoreError> {
    let doing = "claiming an inventory";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let Some(row) = tx.query_opt(READ, &[&run.0], doing).await? else {
        return Ok(Claim::NotNow);
    };
    let free =
        row.get::<_, bool>("waits") || row.get::<_, Option<bool>>("abandoned").unwrap_or(false);
    if !free || !row.get::<_, bool>("reachable") {
        return Ok(Claim::NotNow);
    }
    let (no, rows) = (row.get("no"), record(&row));
    if row.get("staged") && crate::drift::count_rows(&tx, no).await? != rows {
        tx.execute(REFUSE, &[&run.0], doing).await?;
        tx.commit().await?;
        return Ok(Claim::Refused);
    }
    let token = Uuid::new_v4();
    tx.execute_one(
        TAKE,
        &[&run.0, &token, &instance.0, &lease_for.as_secs_f64()],
        doing,
    )
    .await?;
    if !row.get::<_, bool>("staged") {
        tx.query(STAGE, &[&no], doing).await?;
    }
    let connection = ConnectionId(row.get("connection_id"));
    let before = tx.query(BEFORE, &[&connection.0], doing).await?;
    let before = before
        .iter()
        .map(|row| Ok((word(row, "family")?, unsigned(row.get("rows")))))
        .collect::<Result<_, StoreError>>()?;
    let claimed = ClaimedRun {
        lease: RunLease { run, no, token },
        connection,
        kind: word(&row, "kind")?,
        cursor: row.get("cursor"),
        mark: row.get("mark"),
        rows,
        failures: u32::try_from(row.get::<_, i32>("failures")).unwrap_or_default(),
        now: row.get("now"),
        before,
    };
    tx.commit().await?;
    Ok(Claim::Taken(Box::new(claimed)))
}

/// The rows that a run's record says it has; the row has the columns `accounts` and `entitlements`.
pub(crate) fn record(row: &tokio_postgres::Row) -> RowCounts {
    RowCounts {
        accounts: unsigned(row.get("accounts")),
        entitlements: unsigned(row.get("entitlements")),
    }
}

pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Gives a run back, to be gone on with after `wait`. `failed` says whether this attempt counts as a failure.
///
/// # Errors
/// [`StoreError::Conflict`] where the lease is lost.
pub async fn give_back(
    store: &Store,
    lease: &RunLease,
    why: &str,
    wait: Duration,
    failed: bool,
) -> Result<(), StoreError> {
    let doing = "giving an inventory back";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
        &lease.run.0,
        &lease.token,
        &why,
        &wait.as_secs_f64(),
        &i32::from(failed),
    ];
    tx.execute_one(GIVE_BACK, values, doing).await?;
    tx.commit().await
}

/// Gives a run up.
///
/// # Errors
/// [`StoreError::Conflict`] where the lease is lost.
pub async fn fail(store: &Store, lease: &RunLease, why: &str) -> Result<(), StoreError> {
    let doing = "giving an inventory up";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    tx.execute_one(FAIL, &[&lease.run.0, &lease.token, &why], doing)
        .await?;
    tx.commit().await
}

/// Runs that wait to be compared, oldest first, at most a hundred.
///
/// # Errors
/// As any statement.
pub async fn loaded(client: &Client) -> Result<Vec<RunId>, StoreError> {
    let rows = client
        .query(LOADED, &[], "finding loaded inventories")
        .await?;
    Ok(rows.iter().map(|row| RunId(row.get("id"))).collect())
}

/// Drops the tables of runs that nothing refers to any more; returns how many there were.
///
/// # Errors
/// As any statement; a table that somebody reads for longer than the lock timeout stays until the next time.
pub async fn drop_unused(store: &Store) -> Result<usize, StoreError> {
    let doing = "dropping the rows of old inventories";
    let mut client = store.client(doing).await?;
    let unused: Vec<i32> = client
        .query(UNUSED, &[], doing)
        .await?
        .iter()
        .map(|row| row.get("no"))
        .collect();
    for no in &unused {
        let tx = client.begin().await?;
        tx.execute(FORGET_SUBJECTS, &[no], doing).await?;
        tx.query(UNSTAGE, &[no], doing).await?;
        tx.commit().await?;
    }
    Ok(unused.len())
}
