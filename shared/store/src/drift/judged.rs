//! What a run's record says, and what becomes of it.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::inventory::{FamilyRecord, RowCounts};
use sever_domain::{ConnectionId, RunId, RunKind, RunState};

use crate::audit;
use crate::error::StoreError;
use crate::inventory::{self, record, unsigned};
use crate::pool::{Store, Tx};
use crate::row::word;

const LOCK: &str = "
SELECT id, no, connection_id, kind, accounts, entitlements, set_aside, started_at, guard_released_by IS NOT NULL AS released, now() AS now
FROM inventory_run WHERE id = $1 AND state = 'loaded' FOR UPDATE SKIP LOCKED";

const FAMILIES: &str = "SELECT family, result, rows, expected, detail FROM run_family WHERE run_id = $1 ORDER BY family";

const COUNT: &str = "
SELECT (SELECT count(*) FROM observed_account WHERE run_no = $1) AS accounts,
       (SELECT count(*) FROM observed_entitlement WHERE run_no = $1) AS entitlements";

const END: &str = "
UPDATE inventory_run SET state = $2, state_reason = $3, opened = $4, seen_again = $5, closed = $6,
       ended_at = CASE WHEN $2 = 'held' THEN NULL ELSE now() END
WHERE id = $1 AND state = 'loaded'";

const SUPERSEDE: &str = "
UPDATE inventory_run SET state = 'superseded' WHERE connection_id = $1 AND state = 'promoted' AND id <> $2";

const POINT: &str = "
INSERT INTO connection_inventory (connection_id, run_id, run_no, mark) SELECT $1, id, no, mark FROM inventory_run WHERE id = $2
ON CONFLICT (connection_id) DO UPDATE SET run_id = excluded.run_id, run_no = excluded.run_no, mark = excluded.mark, promoted_at = now()";

const GIVE_UP: &str = "
UPDATE inventory_run SET state = 'failed', state_reason = 'comparison', ended_at = now() WHERE id = $1 AND state = 'loaded' RETURNING now() AS now";

const RELEASE: &str = "
UPDATE inventory_run SET state = 'loaded', state_reason = NULL, guard_released_by = $2
WHERE id = $1 AND state = 'held' AND asked_by <> $2 RETURNING now() AS now";

/// A loaded run, locked.
pub(super) struct Loaded {
    pub(super) id: RunId,
    pub(super) no: i32,
    pub(super) connection: ConnectionId,
    pub(super) kind: RunKind,
    pub(super) record: RowCounts,
    /// Records that could not be read.
    pub(super) set_aside: i64,
    pub(super) started_at: Timestamp,
    pub(super) released: bool,
    pub(super) now: Timestamp,
}

/// What a comparison changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Changes {
    pub(super) opened: usize,
    pub(super) seen_again: u64,
    pub(super) closed: usize,
}

/// Locks a run that is loaded; `None` for any other, and where somebody else has it.
pub(super) async fn lock(tx: &Tx<'_>, run: RunId) -> Result<Option<Loaded>, StoreError> {
    let row = tx
        .query_opt(LOCK, &[&run.0], "locking an inventory")
        .await?;
    let loaded = |row: tokio_postgres::Row| {
        Ok(Loaded {
            id: RunId(row.get("id")),
            no: row.get("no"),
            connection: ConnectionId(row.get("connection_id")),
            kind: word(&row, "kind")?,
            record: record(&row),
            set_aside: row.get("set_aside"),
            started_at: row.get("started_at"),
            released: row.get("released"),
            now: row.get("now"),
        })
    };
    row.map(loaded).transpose()
}

pub(super) async fn families(tx: &Tx<'_>, run: RunId) -> Result<Vec<FamilyRecord>, StoreError> {
    let rows = tx
        .query(FAMILIES, &[&run.0], "reading the families of an inventory")
        .await?;
    rows.iter()
        .map(|row| {
            Ok(FamilyRecord {
                family: word(row, "family")?,
                result: word(row, "result")?,
                rows: unsigned(row.get("rows")),
                expected: row.get::<_, Option<i64>>("expected").map(unsigned),
                detail: row.get("detail"),
            })
        })
        .collect()
}

/// The rows of a run that are there.
pub(crate) async fn count_rows(tx: &Tx<'_>, no: i32) -> Result<RowCounts, StoreError> {
    let rows = tx
        .query(COUNT, &[&no], "counting the rows of an inventory")
        .await?;
    Ok(record(&rows[0]))
}

/// Ends a run, or stops it for a person, and says so in the audit.
pub(super) async fn end(
    tx: &Tx<'_>,
    run: &Loaded,
    state: RunState,
    reason: Option<&str>,
    changes: Changes,
    actor: &str,
) -> Result<(), StoreError> {
    let doing = "ending an inventory";
    let opened = i64::try_from(changes.opened).unwrap_or(i64::MAX);
    let seen = i64::try_from(changes.seen_again).unwrap_or(i64::MAX);
    let closed = i64::try_from(changes.closed).unwrap_or(i64::MAX);
    tx.execute_one(
        END,
        &[&run.id.0, &state.as_str(), &reason, &opened, &seen, &closed],
        doing,
    )
    .await?;
    let data = json!({
        "run": run.id, "connection": run.connection, "to": state.as_str(), "reason": reason, "opened": changes.opened,
        "seen_again": changes.seen_again, "closed": changes.closed,
        "accounts": run.record.accounts, "entitlements": run.record.entitlements,
    });
    audit::insert(
        tx,
        &[AuditEvent::new(
            AuditKind::InventoryJudged,
            run.now,
            actor,
            data,
        )],
    )
    .await
}

/// Makes a full run its connection's newest inventory: one row changes. What an incremental one saw becomes part of that.
pub(super) async fn promote(tx: &Tx<'_>, run: &Loaded) -> Result<(), StoreError> {
    let doing = "promoting an inventory";
    if run.kind == RunKind::Incremental {
        return inventory::merge(tx, run.connection, (run.id, run.no)).await;
    }
    tx.execute(SUPERSEDE, &[&run.connection.0, &run.id.0], doing)
        .await?;
    tx.execute(POINT, &[&run.connection.0, &run.id.0], doing)
        .await?;
    inventory::forget(tx, run.connection, run.no).await
}

/// Lets a held run open its findings after all; `false` where it is not held, or the one who asked for it is the one who releases.
///
/// # Errors
/// As any statement.
pub async fn release(tx: &Tx<'_>, run: RunId, actor: &str) -> Result<bool, StoreError> {
    let doing = "releasing an inventory";
    let Some(row) = tx.query_opt(RELEASE, &[&run.0, &actor], doing).await? else {
        return Ok(false);
    };
    let data = json!({"run": run, "to": RunState::Loaded.as_str(), "reason": "released"});
    let event = AuditEvent::new(AuditKind::InventoryJudged, row.get("now"), actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(true)
}

/// Gives a loaded run up whose comparison keeps failing, so that its connection is read again; `false` where it is not loaded.
///
/// # Errors
/// As any statement.
pub async fn give_up(store: &Store, run: RunId, actor: &str) -> Result<bool, StoreError> {
    let doing = "giving a comparison up";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let Some(row) = tx.query_opt(GIVE_UP, &[&run.0], doing).await? else {
        return Ok(false);
    };
    let data = json!({"run": run, "to": RunState::Failed.as_str(), "reason": "comparison"});
    let event = AuditEvent::new(AuditKind::InventoryJudged, row.get("now"), actor, data);
    audit::insert(&tx, &[event]).await?;
    tx.commit().await?;
    Ok(true)
}
