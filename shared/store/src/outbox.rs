//! The outbox: bells written with the rows they announce, published afterwards by the relay.

use sever_domain::{JobId, Provider, Urgency};
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Store, Tx};

/// The exchange of work bells.
pub const WORK_EXCHANGE: &str = "sever.cmd";
/// The exchange of dead letters.
pub const DEAD_EXCHANGE: &str = "sever.dead";

/// A job has at most one bell that nobody is publishing yet.
const RING: &str = "
INSERT INTO outbox (id, job_id, exchange, routing_key, body)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
ON CONFLICT (job_id, exchange) WHERE claim_token IS NULL DO NOTHING";

/// Fair over routing keys: each key gives its oldest rows first, in turn with the others.
const CLAIM: &str = "
WITH due AS (
    SELECT id, row_number() OVER (PARTITION BY exchange, routing_key ORDER BY next_try_at) AS turn
    FROM (
        SELECT id, exchange, routing_key, next_try_at FROM outbox
        WHERE next_try_at <= now() AND (claimed_until IS NULL OR claimed_until < now())
        ORDER BY next_try_at LIMIT $2::int8 * 8
    ) AS oldest
), chosen AS (
    SELECT outbox.id FROM outbox JOIN due USING (id)
    WHERE claimed_until IS NULL OR claimed_until < now()
    ORDER BY due.turn LIMIT $2::int8
    FOR UPDATE OF outbox SKIP LOCKED
)
UPDATE outbox SET claim_token = $1, claimed_until = now() + make_interval(secs => $3), tries = tries + 1
FROM chosen WHERE outbox.id = chosen.id
RETURNING outbox.id, outbox.job_id, outbox.exchange, outbox.routing_key, outbox.body, outbox.tries";

/// The bell is rung and its row gone in one transaction. Jobs are locked by id, as whoever locks several does. It was
/// rung when its row was claimed: what a worker settles between the publish and here is due later, and is rung then.
const CONFIRM: &str = "
WITH rung AS (
    SELECT id FROM job
    WHERE id IN (SELECT job_id FROM outbox WHERE claim_token = $1 AND id = ANY($2) AND exchange = 'sever.cmd')
    ORDER BY id FOR NO KEY UPDATE
), gone AS (
    DELETE FROM outbox WHERE claim_token = $1 AND id = ANY($2)
)
UPDATE job SET rung_at = outbox.claimed_until - make_interval(secs => $3)
FROM rung JOIN outbox ON outbox.job_id = rung.id AND outbox.claim_token = $1 AND outbox.id = ANY($2) AND outbox.exchange = 'sever.cmd'
WHERE job.id = rung.id";

/// A returned or refused row backs off by itself. One bell of a job at an exchange stays: a row that meanwhile got
/// a twin, here or outside, is dropped.
const PUT_BACK: &str = "
WITH refused AS (
    SELECT r.problem, r.wait_s, outbox.id,
           outbox.job_id IS NULL OR (
               row_number() OVER (PARTITION BY outbox.job_id, outbox.exchange ORDER BY outbox.id) = 1
               AND NOT EXISTS (SELECT FROM outbox AS other WHERE other.job_id = outbox.job_id AND other.exchange = outbox.exchange AND other.claim_token IS NULL)
           ) AS stays
    FROM unnest($2::uuid[], $3::text[], $4::float8[]) AS r (id, problem, wait_s)
    JOIN outbox ON outbox.id = r.id AND outbox.claim_token = $1
), twin AS (
    DELETE FROM outbox USING refused
    WHERE outbox.id = refused.id AND outbox.claim_token = $1 AND NOT refused.stays
)
UPDATE outbox SET claim_token = NULL, claimed_until = NULL, last_problem = refused.problem,
       next_try_at = now() + make_interval(secs => refused.wait_s)
FROM refused
WHERE outbox.id = refused.id AND outbox.claim_token = $1 AND refused.stays";

const BACKLOG: &str = "
SELECT count(*)::int8 AS rows, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_s FROM outbox";

/// One bell to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bell {
    /// The job it is about.
    pub job: JobId,
    /// The exchange.
    pub exchange: &'static str,
    /// The routing key.
    pub routing_key: String,
}

impl Bell {
    /// The bell that tells a provider's workers to look at a job.
    #[must_use]
    pub fn work(job: JobId, provider: Provider, urgency: Urgency) -> Self {
        let routing_key = match urgency {
            Urgency::Ordinary => provider.as_str().to_owned(),
            Urgency::Urgent => format!("{provider}.urgent"),
        };
        Self {
            job,
            exchange: WORK_EXCHANGE,
            routing_key,
        }
    }

    /// The letter that puts a dead job before a person.
    #[must_use]
    pub fn dead(job: JobId, provider: Provider) -> Self {
        Self {
            job,
            exchange: DEAD_EXCHANGE,
            routing_key: provider.as_str().to_owned(),
        }
    }

    /// The message: ids only.
    fn body(&self) -> Vec<u8> {
        format!(r#"{{"v":1,"job":"{}"}}"#, self.job).into_bytes()
    }
}

/// Writes bells in the caller's transaction.
///
/// # Errors
/// As any statement.
pub async fn ring(tx: &Tx<'_>, bells: &[Bell]) -> Result<(), StoreError> {
    if bells.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = bells.iter().map(|_| Uuid::now_v7()).collect();
    let jobs: Vec<Uuid> = bells.iter().map(|bell| bell.job.0).collect();
    let exchanges: Vec<&str> = bells.iter().map(|bell| bell.exchange).collect();
    let keys: Vec<&str> = bells.iter().map(|bell| bell.routing_key.as_str()).collect();
    let bodies: Vec<Vec<u8>> = bells.iter().map(Bell::body).collect();
    tx.execute(
        RING,
        &[&ids, &jobs, &exchanges, &keys, &bodies],
        "writing bells to the outbox",
    )
    .await?;
    Ok(())
}

/// One row that the relay has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedBell {
    /// The row's id, which is the message id.
    pub id: Uuid,
    /// The exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The message.
    pub body: Vec<u8>,
    /// How often it has been claimed, this time included.
    pub tries: i32,
}

/// Claims at most `limit` due rows for `lease_s` seconds. Takes row locks with SKIP LOCKED, so that
/// several relays share the work.
///
/// # Errors
/// As any statement.
pub async fn claim(
    store: &Store,
    token: Uuid,
    limit: i64,
    lease_s: f64,
) -> Result<Vec<ClaimedBell>, StoreError> {
    let doing = "claiming outbox rows";
    let client = store.client(doing).await?;
    let rows = client
        .query(CLAIM, &[&token, &limit, &lease_s], doing)
        .await?;
    let bell = |row: &tokio_postgres::Row| ClaimedBell {
        id: row.get("id"),
        exchange: row.get("exchange"),
        routing_key: row.get("routing_key"),
        body: row.get("body"),
        tries: row.get("tries"),
    };
    Ok(rows.iter().map(bell).collect())
}

/// Deletes confirmed rows and marks their jobs as rung, in one transaction. `lease_s` is that of the claim.
///
/// # Errors
/// As any statement.
pub async fn confirm(
    store: &Store,
    token: Uuid,
    ids: &[Uuid],
    lease_s: f64,
) -> Result<(), StoreError> {
    let doing = "deleting confirmed outbox rows";
    store
        .client(doing)
        .await?
        .execute(CONFIRM, &[&token, &ids, &lease_s], doing)
        .await
        .map(drop)
}

/// A row that the broker did not take, and how long it backs off.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The row.
    pub id: Uuid,
    /// Why, in our words.
    pub problem: String,
    /// Seconds until it is tried again.
    pub wait_s: f64,
}

/// Gives refused rows back, each with its own delay.
///
/// # Errors
/// As any statement.
pub async fn put_back(store: &Store, token: Uuid, refused: &[Refused]) -> Result<(), StoreError> {
    let doing = "giving refused outbox rows back";
    let ids: Vec<Uuid> = refused.iter().map(|row| row.id).collect();
    let problems: Vec<&str> = refused.iter().map(|row| row.problem.as_str()).collect();
    let waits: Vec<f64> = refused.iter().map(|row| row.wait_s).collect();
    let client = store.client(doing).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&token, &ids, &problems, &waits];
    match client.execute(PUT_BACK, &values, doing).await {
        // Somebody rang one of the jobs at this moment: its bell is seen now.
        Err(error) if error.constraint() == Some("outbox_one_bell") => {
            client.execute(PUT_BACK, &values, doing).await
        }
        done => done,
    }
    .map(drop)
}

/// How much waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Rows.
    pub rows: i64,
    /// The age of the oldest row, in seconds; 0 when there is none.
    pub oldest_s: f64,
}

/// The depth and age of the outbox.
///
/// # Errors
/// As any statement.
pub async fn backlog(client: &Client) -> Result<Backlog, StoreError> {
    let rows = client.query(BACKLOG, &[], "measuring the outbox").await?;
    Ok(Backlog {
        rows: rows[0].get("rows"),
        oldest_s: rows[0].get("oldest_s"),
    })
}
