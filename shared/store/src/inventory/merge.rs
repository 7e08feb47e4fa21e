//! Merging: what an incremental run saw becomes part of its connection's newest inventory, unless that was lost.

use sever_domain::{ConnectionId, RunId};

use crate::error::StoreError;
use crate::pool::{Store, Tx};

const BASE: &str = "
SELECT pointer.run_no, run.accounts FROM connection_inventory AS pointer JOIN inventory_run AS run ON run.id = pointer.run_id
WHERE pointer.connection_id = $1 FOR UPDATE OF pointer";

/// The rows of a run are in unlogged tables: a crash of PostgreSQL empties them.
const ANY_ROW: &str = "SELECT EXISTS (SELECT FROM observed_account WHERE run_no = $1) AS there";

const MERGE: &str = "SELECT inventory_merge($1, $2)::text";

/// A run that left an account out has no mark: what changed of it is asked for again.
const MOVE_MARK: &str = "
UPDATE connection_inventory SET mark = coalesce((SELECT mark FROM inventory_run WHERE id = $2), mark) WHERE connection_id = $1";

const FORGET_SUBJECTS: &str = "DELETE FROM run_subject WHERE run_id = $1";

const POINTERS: &str = "
SELECT pointer.connection_id, pointer.run_no, run.accounts FROM connection_inventory AS pointer JOIN inventory_run AS run ON run.id = pointer.run_id
ORDER BY pointer.connection_id FOR UPDATE OF pointer SKIP LOCKED";

const FORGET: &str = "DELETE FROM connection_inventory WHERE connection_id = $1";

const REFUSE: &str = "
UPDATE inventory_run SET state = 'refused', state_reason = 'rows_lost' WHERE connection_id = $1 AND state = 'promoted'";

/// Puts the rows of an incremental run into the newest inventory of its connection, and the mark behind it. Where there is none to put
/// them into, or its own rows were lost, the run's are dropped with it, and only reading everything tells what is there.
pub(crate) async fn merge(
    tx: &Tx<'_>,
    connection: ConnectionId,
    (run, no): (RunId, i32),
) -> Result<(), StoreError> {
    let doing = "merging an inventory";
    let Some(base) = tx.query_opt(BASE, &[&connection.0], doing).await? else {
        return Ok(());
    };
    let base_no: i32 = base.get("run_no");
    if is_lost(tx, base_no, base.get("accounts")).await? {
        return forget(tx, connection).await;
    }
    tx.query(MERGE, &[&base_no, &no], doing).await?;
    tx.execute(MOVE_MARK, &[&connection.0, &run.0], doing)
        .await?;
    tx.execute(FORGET_SUBJECTS, &[&run.0], doing)
        .await
        .map(drop)
}

/// Refuses promoted inventories whose rows a crash of PostgreSQL emptied, so that nothing is concluded from them and others are asked
/// for. Returns how many.
///
/// # Errors
/// As any statement.
pub async fn refuse_lost(store: &Store) -> Result<usize, StoreError> {
    let doing = "looking for inventories that were lost";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let mut lost = 0;
    for pointer in tx.query(POINTERS, &[], doing).await? {
        let connection = ConnectionId(pointer.get("connection_id"));
        if is_lost(&tx, pointer.get("run_no"), pointer.get("accounts")).await? {
            forget(&tx, connection).await?;
            lost += 1;
        }
    }
    tx.commit().await?;
    Ok(lost)
}

async fn is_lost(tx: &Tx<'_>, no: i32, accounts: i64) -> Result<bool, StoreError> {
    let doing = "looking for inventories that were lost";
    let there: bool = tx.query(ANY_ROW, &[&no], doing).await?[0].get("there");
    Ok(accounts > 0 && !there)
}

async fn forget(tx: &Tx<'_>, connection: ConnectionId) -> Result<(), StoreError> {
    let doing = "refusing an inventory that was lost";
    tx.execute(FORGET, &[&connection.0], doing).await?;
    tx.execute(REFUSE, &[&connection.0], doing).await.map(drop)
}
