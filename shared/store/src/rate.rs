//! Leasing blocks of tokens of a connection's rate budget.

use jiff::{SignedDuration, Timestamp};
use sever_domain::ConnectionId;
use sever_domain::rate::{Grant, KnownWindow, Priority, RateBucket};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::{Store, Tx};

const MAKE: &str =
    "INSERT INTO rate_bucket (connection_id, bucket) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const LOCK: &str = "
SELECT refill, tokens, reset_at, refused_until, clock_timestamp() AS now FROM rate_bucket
WHERE connection_id = $1 AND bucket = $2 FOR UPDATE";

const WRITE: &str = "
UPDATE rate_bucket SET refill = $3, tokens = $4, reset_at = $5, refused_until = $6
WHERE connection_id = $1 AND bucket = $2";

/// A window as a process knows it: an end is a distance from now, because its clock is not the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardWindow {
    /// Calls in one window.
    pub limit: u32,
    /// What the provider last counted as left.
    pub remaining: u32,
    /// How long until it ends.
    pub ends_in: SignedDuration,
    /// Whether documents say so and not an answer.
    pub declared: bool,
}

/// Leases a block of tokens of a bucket. The second value is the database's time of the grant.
///
/// # Errors
/// As any statement.
pub async fn lease(
    store: &Store,
    connection: ConnectionId,
    bucket: &str,
    heard: Option<HeardWindow>,
    priority: Priority,
) -> Result<(Grant, Timestamp), StoreError> {
    let doing = "leasing a block of a rate budget";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let Some((standing, now)) = locked(&tx, connection, bucket, heard.is_some()).await? else {
        return Ok((Grant::Unbounded, Timestamp::UNIX_EPOCH));
    };
    let known = heard.map(|heard| KnownWindow {
        limit: heard.limit,
        remaining: heard.remaining,
        reset_at: now + heard.ends_in,
        declared: heard.declared,
    });
    let (next, grant) = standing.lease(known, priority, now);
    if next != standing {
        write(&tx, connection, bucket, &next).await?;
    }
    tx.commit().await?;
    Ok((grant, now))
}

/// Notes that the provider refused a call of this bucket and wants none for this long.
///
/// # Errors
/// As any statement.
pub async fn refused(
    store: &Store,
    connection: ConnectionId,
    bucket: &str,
    wait: SignedDuration,
) -> Result<(), StoreError> {
    let doing = "noting that a provider refused a call";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    if let Some((standing, now)) = locked(&tx, connection, bucket, true).await? {
        write(&tx, connection, bucket, &standing.refused(wait, now)).await?;
    }
    tx.commit().await
}

/// The bucket under its lock; made first where it is wanted and missing.
async fn locked(
    tx: &Tx<'_>,
    connection: ConnectionId,
    bucket: &str,
    make: bool,
) -> Result<Option<(RateBucket, Timestamp)>, StoreError> {
    let doing = "locking a rate budget";
    let key: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[&connection.0, &bucket];
    let mut row = tx.query_opt(LOCK, key, doing).await?;
    if row.is_none() && make {
        tx.execute(MAKE, key, doing).await?;
        row = tx.query_opt(LOCK, key, doing).await?;
    }
    Ok(row.map(|row| (stored(&row), row.get("now"))))
}

async fn write(
    tx: &Tx<'_>,
    connection: ConnectionId,
    bucket: &str,
    next: &RateBucket,
) -> Result<(), StoreError> {
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
        &connection.0,
        &bucket,
        &i64::from(next.refill),
        &i64::from(next.tokens),
        &next.reset_at,
        &next.refused_until,
    ];
    tx.execute_one(WRITE, values, "writing a rate budget").await
}

fn stored(row: &Row) -> RateBucket {
    let count = |column| u32::try_from(row.get::<_, i64>(column)).unwrap_or(u32::MAX);
    RateBucket {
        refill: count("refill"),
        tokens: count("tokens"),
        reset_at: row.get("reset_at"),
        refused_until: row.get("refused_until"),
    }
}
