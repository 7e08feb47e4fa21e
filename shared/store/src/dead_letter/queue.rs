//! What the janitor needs to keep the broker's queues in step with the tables.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sever_domain::{DeadRawId, JobId, JobState, Provider, Urgency};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Store;
use crate::row::word;

/// A letter whose bell is still in the outbox is not expected in the queue yet; a message that is known to have left it
/// is not expected any more.
const EXPECTED: &str = "
SELECT (SELECT count(*) FROM dead_letter AS letter JOIN job ON job.id = letter.job_id
        WHERE letter.state IN ('open', 'resolving') AND job.provider = $1
          AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = letter.job_id AND outbox.exchange = 'sever.dead'))
     + (SELECT count(*) FROM dead_raw WHERE state = 'open' AND provider = $1 AND left_queue_at IS NULL) AS messages,
       EXISTS (SELECT FROM dead_letter AS letter JOIN job ON job.id = letter.job_id
               WHERE letter.closed_at IS NOT NULL AND letter.left_queue_at IS NULL AND job.provider = $1)
    OR EXISTS (SELECT FROM dead_raw WHERE state <> 'open' AND provider = $1 AND left_queue_at IS NULL) AS leaving,
       (SELECT passed_at FROM dlq_look WHERE provider = $1) AS passed_at, now() AS now";

const LOOK: &str = "
INSERT INTO dlq_look AS look (provider, looked_at, depth, expected, out_of_step_since, passed_at)
VALUES ($1, now(), $2, $3, CASE WHEN $2::int8 <> $3::int8 THEN now() END, $4)
ON CONFLICT (provider) DO UPDATE SET looked_at = now(), depth = excluded.depth, expected = excluded.expected,
    out_of_step_since = CASE WHEN excluded.depth <> excluded.expected THEN coalesce(look.out_of_step_since, now()) END,
    passed_at = coalesce(excluded.passed_at, look.passed_at)";

const ABOUT: &str = "
SELECT job.id, job.state, job.provider, job.urgency,
       EXISTS (SELECT FROM dead_letter WHERE dead_letter.job_id = job.id AND dead_letter.state IN ('open', 'resolving')) AS letter_stands
FROM job WHERE job.id = ANY($1)";

const KEPT: &str = "
UPDATE dead_letter SET seen_at = now() WHERE job_id = ANY($1) AND state IN ('open', 'resolving')";
const ACKED: &str = "
UPDATE dead_letter SET left_queue_at = now() WHERE job_id = ANY($1) AND closed_at IS NOT NULL AND left_queue_at IS NULL";
const ACKED_RAW: &str = "
UPDATE dead_raw SET left_queue_at = now() WHERE id = ANY($1) AND state <> 'open' AND left_queue_at IS NULL";

/// After a whole pass nothing of what was closed before it is in the queue, unless it is still being published.
const GONE: &str = "
UPDATE dead_letter SET left_queue_at = now() FROM job
WHERE job.id = dead_letter.job_id AND job.provider = $1 AND dead_letter.closed_at < $2 AND dead_letter.left_queue_at IS NULL
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id AND outbox.exchange = 'sever.dead')";
/// A body that was cut cannot be published again: it is only in its table from then on.
const GONE_RAW: &str = "
UPDATE dead_raw SET left_queue_at = now()
WHERE provider = $1 AND left_queue_at IS NULL
  AND ((state <> 'open' AND closed_at < $2) OR (state = 'open' AND seen_at < $2 AND octet_length(body) < body_bytes))";

/// Letters that a whole pass did not meet although their message was confirmed before it began.
const MISSING: &str = "
SELECT letter.job_id, job.provider FROM dead_letter AS letter JOIN job ON job.id = letter.job_id
WHERE letter.state IN ('open', 'resolving') AND job.provider = $1 AND letter.opened_at < $2 AND (letter.seen_at IS NULL OR letter.seen_at < $2)
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = letter.job_id AND outbox.exchange = 'sever.dead')
ORDER BY letter.opened_at LIMIT $3";

/// A dead-letter queue, by the word of its provider; `in` is intake's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadQueue {
    /// A provider's.
    Of(Provider),
    /// Intake's.
    Intake,
}

impl DeadQueue {
    /// Its word in tables, labels and routing keys.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Of(provider) => provider.as_str(),
            Self::Intake => "in",
        }
    }
}

/// What belongs into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Messages.
    pub messages: i64,
    /// Whether a message of something closed may still be in it.
    pub leaving: bool,
    /// When each message was last looked at.
    pub passed_at: Option<Timestamp>,
    /// The database's clock.
    pub now: Timestamp,
}

/// What belongs into a queue now.
///
/// # Errors
/// As any statement.
pub async fn expected(store: &Store, queue: DeadQueue) -> Result<Expected, StoreError> {
    let doing = "counting what belongs into a dead-letter queue";
    let client = store.client(doing).await?;
    let rows = client.query(EXPECTED, &[&queue.word()], doing).await?;
    Ok(Expected {
        messages: rows[0].get("messages"),
        leaving: rows[0].get("leaving"),
        passed_at: rows[0].get("passed_at"),
        now: rows[0].get("now"),
    })
}

/// Whether every message has to be looked at: the count differs, something may leave, or nobody looked for `at_least`.
#[must_use]
pub fn needs_pass(expected: &Expected, depth: i64, at_least: Duration) -> bool {
    let age = expected.passed_at.map_or(Duration::MAX, |passed| {
        Duration::try_from(expected.now.duration_since(passed)).unwrap_or_default()
    });
    depth != expected.messages || expected.leaving || (depth > 0 && age > at_least)
}

/// What was seen of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Messages in it.
    pub depth: i64,
    /// Messages that belong there.
    pub expected: i64,
    /// When a whole pass over it began, where one was just made.
    pub passed_at: Option<Timestamp>,
}

/// Notes it.
///
/// # Errors
/// As any statement.
pub async fn look(store: &Store, queue: DeadQueue, look: &Look) -> Result<(), StoreError> {
    let doing = "noting what a dead-letter queue holds";
    let client = store.client(doing).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&queue.word(), &look.depth, &look.expected, &look.passed_at];
    client.execute(LOOK, &values, doing).await.map(drop)
}

/// What the tables say of the job of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The job's state.
    pub state: JobState,
    /// Its provider.
    pub provider: Provider,
    /// Its urgency.
    pub urgency: Urgency,
    /// Whether it has a dead letter that stands.
    pub letter_stands: bool,
}

/// What the tables say of jobs; one that they do not know is absent.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn about(store: &Store, jobs: &[JobId]) -> Result<HashMap<JobId, About>, StoreError> {
    let doing = "reading the jobs of dead messages";
    let client = store.client(doing).await?;
    let rows = client.query(ABOUT, &[&uuids(jobs)], doing).await?;
    let about = |row: &Row| {
        let about = About {
            state: word(row, "state")?,
            provider: word(row, "provider")?,
            urgency: word(row, "urgency")?,
            letter_stands: row.get("letter_stands"),
        };
        Ok((JobId(row.get("id")), about))
    };
    rows.iter().map(about).collect()
}

/// Notes that messages of these jobs are in the queue.
///
/// # Errors
/// As any statement.
pub async fn kept(store: &Store, jobs: &[JobId]) -> Result<(), StoreError> {
    run(store, KEPT, &uuids(jobs), "noting kept dead letters").await
}

/// Notes that messages of these jobs, whose letters are closed, and these closed messages have left the queue.
///
/// # Errors
/// As any statement.
pub async fn acked(store: &Store, jobs: &[JobId], raws: &[DeadRawId]) -> Result<(), StoreError> {
    let doing = "noting dead letters that left their queue";
    run(store, ACKED, &uuids(jobs), doing).await?;
    let raws: Vec<Uuid> = raws.iter().map(|raw| raw.0).collect();
    run(store, ACKED_RAW, &raws, doing).await
}

async fn run(
    store: &Store,
    sql: &'static str,
    ids: &[Uuid],
    doing: &'static str,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let client = store.client(doing).await?;
    client.execute(sql, &[&ids], doing).await.map(drop)
}

/// After a whole pass that began at `began`: what was closed before it has left the queue.
///
/// # Errors
/// As any statement.
pub async fn gone_after_pass(
    store: &Store,
    queue: DeadQueue,
    began: Timestamp,
) -> Result<(), StoreError> {
    let doing = "noting what a pass did not meet";
    let client = store.client(doing).await?;
    for sql in [GONE, GONE_RAW] {
        client.execute(sql, &[&queue.word(), &began], doing).await?;
    }
    Ok(())
}

/// At most `limit` jobs whose letter stands and whose message a whole pass that began at `began` did not meet.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn missing(
    store: &Store,
    queue: DeadQueue,
    began: Timestamp,
    limit: i64,
) -> Result<Vec<(JobId, Provider)>, StoreError> {
    let doing = "looking for dead letters that are missing from their queue";
    let client = store.client(doing).await?;
    let rows = client
        .query(MISSING, &[&queue.word(), &began, &limit], doing)
        .await?;
    let job = |row: &Row| Ok((JobId(row.get("job_id")), word(row, "provider")?));
    rows.iter().map(job).collect()
}

/// Publishes the messages of these jobs again, through the outbox; a second copy is harmless.
///
/// # Errors
/// As any statement.
pub async fn publish_again(store: &Store, jobs: &[(JobId, Provider)]) -> Result<(), StoreError> {
    let bells: Vec<Bell> = jobs
        .iter()
        .map(|(job, provider)| Bell::dead(*job, *provider))
        .collect();
    ring(store, &bells).await
}

/// Rings jobs that are at work or due, and whose bell came to a dead-letter queue only because its worker kept dying.
///
/// # Errors
/// As any statement.
pub async fn ring_innocent(store: &Store, jobs: &[(JobId, About)]) -> Result<(), StoreError> {
    let bells: Vec<Bell> = jobs
        .iter()
        .map(|(job, about)| Bell::work(*job, about.provider, about.urgency))
        .collect();
    ring(store, &bells).await
}

async fn ring(store: &Store, bells: &[Bell]) -> Result<(), StoreError> {
    if bells.is_empty() {
        return Ok(());
    }
    let mut client = store.client("ringing for the janitor").await?;
    let tx = client.begin().await?;
    outbox::ring(&tx, bells).await?;
    tx.commit().await
}

fn uuids(jobs: &[JobId]) -> Vec<Uuid> {
    jobs.iter().map(|job| job.0).collect()
}
