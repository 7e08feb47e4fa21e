//! Leader leases: which of several processes does a work that one suffices for.
//!
//! A lease is a row, so that it works through a pooler. It is an optimisation: what a leader does is harmless when two
//! do it for a moment.

use std::time::Duration;

use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Store;

const TAKE: &str = "
INSERT INTO leader_lease (name, holder, lease_until) VALUES ($1, $2, now() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
WHERE leader_lease.holder = excluded.holder OR leader_lease.lease_until < now()
RETURNING 1 AS taken";

const GIVE_BACK: &str = "DELETE FROM leader_lease WHERE name = $1 AND holder = $2";

/// Takes the lease of a work, or extends it; returns whether `holder` leads for `lease` from now on.
///
/// # Errors
/// As any statement.
pub async fn lead(
    store: &Store,
    name: &str,
    holder: Uuid,
    lease: Duration,
) -> Result<bool, StoreError> {
    let doing = "taking a leader's lease";
    let client = store.client(doing).await?;
    let row = client
        .query_opt(TAKE, &[&name, &holder, &lease.as_secs_f64()], doing)
        .await?;
    Ok(row.is_some())
}

/// Gives the lease back, so that another process need not wait for its end.
///
/// # Errors
/// As any statement.
pub async fn resign(store: &Store, name: &str, holder: Uuid) -> Result<(), StoreError> {
    let doing = "giving a leader's lease back";
    let client = store.client(doing).await?;
    client
        .execute(GIVE_BACK, &[&name, &holder], doing)
        .await
        .map(drop)
}
