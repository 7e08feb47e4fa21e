//! Worker instances: one heartbeat row for each running process.

use std::time::Duration;

use jiff::Timestamp;
use sever_domain::InstanceId;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Store;

const REGISTER: &str = "
INSERT INTO worker_instance (id, service, dead_after_s, incarnation)
SELECT $1, $2, $3, value FROM incarnation RETURNING incarnation";

const BEAT: &str = "
UPDATE worker_instance SET heartbeat_at = now()
WHERE id = $1 AND stopped_at IS NULL AND incarnation = (SELECT value FROM incarnation)
RETURNING heartbeat_at";

const STOP: &str =
    "UPDATE worker_instance SET stopped_at = now() WHERE id = $1 AND stopped_at IS NULL";

/// Registers a process that counts as dead once its heartbeat is `dead_after` old. Returns the incarnation that it must compare from here on.
///
/// # Errors
/// As any statement.
pub async fn register(
    store: &Store,
    id: InstanceId,
    service: &str,
    dead_after: Duration,
) -> Result<Uuid, StoreError> {
    let doing = "registering a worker instance";
    let rows = store
        .client(doing)
        .await?
        .query(
            REGISTER,
            &[&id.0, &service, &dead_after.as_secs_f64()],
            doing,
        )
        .await?;
    Ok(rows[0].get(0))
}

/// Renews the heartbeat. `None` means that this process was declared stopped, or that the database was
/// brought back to an earlier point: it must stop.
///
/// # Errors
/// As any statement.
pub async fn beat(store: &Store, id: InstanceId) -> Result<Option<Timestamp>, StoreError> {
    let doing = "renewing a heartbeat";
    let row = store
        .client(doing)
        .await?
        .query_opt(BEAT, &[&id.0], doing)
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Declares a process stopped: its leases are free at once. Harmless twice.
///
/// # Errors
/// As any statement.
pub async fn stop(store: &Store, id: InstanceId) -> Result<(), StoreError> {
    let doing = "declaring a worker instance stopped";
    store
        .client(doing)
        .await?
        .execute(STOP, &[&id.0], doing)
        .await
        .map(drop)
}
