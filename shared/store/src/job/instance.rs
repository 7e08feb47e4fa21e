//! Worker instances: one heartbeat row for each running process.

use std::time::Duration;

use jiff::Timestamp;
use sever_domain::InstanceId;
use uuid::Uuid;

use super::types::Lease;
use crate::error::StoreError;
use crate::pool::Store;

const REGISTER: &str = "
INSERT INTO worker_instance (id, service, dead_after_s, slots, incarnation)
SELECT $1, $2, $3, $4, value FROM incarnation RETURNING incarnation, heartbeat_at";

const BEAT: &str = "
UPDATE worker_instance SET heartbeat_at = now()
WHERE id = $1 AND stopped_at IS NULL AND incarnation = (SELECT value FROM incarnation)
RETURNING heartbeat_at";

const EXTEND: &str = "
UPDATE job SET lease_until = greatest(job.lease_until, now() + make_interval(secs => $4))
FROM unnest($1::uuid[], $2::int8[], $3::uuid[]) AS held (id, epoch, token)
WHERE job.id = held.id AND job.lease_epoch = held.epoch AND job.lease_token = held.token AND job.state = 'running'";

const STOP: &str =
    "UPDATE worker_instance SET stopped_at = now() WHERE id = $1 AND stopped_at IS NULL";

/// Registers a process that counts as dead once its heartbeat is `dead_after` old, and holds at most `slots` leases at once. Returns the
/// incarnation that it must compare from here on, and the database's time.
///
/// # Errors
/// As any statement.
pub async fn register(
    store: &Store,
    id: InstanceId,
    service: &str,
    dead_after: Duration,
    slots: i32,
) -> Result<(Uuid, Timestamp), StoreError> {
    let doing = "registering a worker instance";
    let rows = store
        .client(doing)
        .await?
        .query(
            REGISTER,
            &[&id.0, &service, &dead_after.as_secs_f64(), &slots],
            doing,
        )
        .await?;
    Ok((rows[0].get(0), rows[0].get(1)))
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

/// Extends these leases to `lease` from now, as far as they are still held: a job that somebody else has claimed since
/// keeps what it has. Returns how many were.
///
/// # Errors
/// As any statement.
pub async fn extend(store: &Store, leases: &[Lease], lease: Duration) -> Result<u64, StoreError> {
    let doing = "extending leases";
    let jobs: Vec<Uuid> = leases.iter().map(|lease| lease.job.0).collect();
    let epochs: Vec<i64> = leases.iter().map(|lease| lease.epoch).collect();
    let tokens: Vec<Uuid> = leases.iter().map(|lease| lease.token).collect();
    store
        .client(doing)
        .await?
        .execute(
            EXTEND,
            &[&jobs, &epochs, &tokens, &lease.as_secs_f64()],
            doing,
        )
        .await
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
