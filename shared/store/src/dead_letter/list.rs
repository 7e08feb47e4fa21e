//! What is dead, in one look: clusters of equal failures, dead messages, and the queues.

use jiff::Timestamp;
use sever_domain::dead_letter::DeadLetterState;
use sever_domain::{DeadLetterId, DeadRawId, JobId, OptOutId, Provider};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most clusters, and the most dead messages, that one look shows.
const SHOWN_MAX: i64 = 200;

/// One look at every letter that stands, with its job for the name of the connection.
const CLUSTERS: &str = "
SELECT fingerprint, count(*)::int8 AS letters, count(*) FILTER (WHERE letter.state = 'resolving')::int8 AS resolving,
       min(letter.opened_at) AS first_at, max(letter.opened_at) AS last_at, array_agg(DISTINCT connection.name ORDER BY connection.name) AS connections
FROM dead_letter AS letter JOIN job ON job.id = letter.job_id JOIN connection ON connection.id = job.connection_id
WHERE letter.state IN ('open', 'resolving') AND ($1::text IS NULL OR job.provider = $1)
GROUP BY fingerprint ORDER BY count(*) DESC, fingerprint LIMIT $2";

const RAWS: &str = "
SELECT id, provider, problem, digest, body_bytes, times, first_at, seen_at, discard_asked_by FROM dead_raw
WHERE state = 'open' AND ($1::text IS NULL OR provider = $1) ORDER BY first_at, id LIMIT $2";

const QUEUES: &str = "
SELECT provider, looked_at, depth, expected, out_of_step_since, passed_at FROM dlq_look
WHERE $1::text IS NULL OR provider = $1 ORDER BY provider";

const LETTERS: &str = "
SELECT letter.id, letter.job_id, letter.state, letter.reason, letter.opened_at, letter.finding, letter.discard_asked_by,
       job.opt_out_id, job.provider, connection.name AS connection
FROM dead_letter AS letter JOIN job ON job.id = letter.job_id JOIN connection ON connection.id = job.connection_id
WHERE letter.fingerprint = $1 AND letter.state IN ('open', 'resolving') AND ($2::uuid IS NULL OR letter.id > $2)
ORDER BY letter.id LIMIT $3";

/// Dead letters with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// How many stand.
    pub letters: i64,
    /// How many of them are being read again after work by hand.
    pub resolving: i64,
    /// When the first of them died.
    pub first_at: Timestamp,
    /// When the last of them died.
    pub last_at: Timestamp,
    /// The names of their connections.
    pub connections: Vec<String>,
}

/// A dead message that no job belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Its id.
    pub id: DeadRawId,
    /// Whose queue it is in: a provider's word, or `in` for intake's.
    pub provider: String,
    /// Why nothing could be done with it.
    pub problem: String,
    /// SHA-256 of its whole body.
    pub digest: Vec<u8>,
    /// Bytes of its whole body.
    pub body_bytes: i64,
    /// How often it was dead-lettered.
    pub times: i64,
    /// When it was first met.
    pub first_at: Timestamp,
    /// When it was last seen in the queue.
    pub seen_at: Timestamp,
    /// Who asked to give it up; `None` where nobody did.
    pub discard_asked_by: Option<String>,
}

/// What the janitor last saw of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueLook {
    /// Whose queue: a provider's word, or `in` for intake's.
    pub provider: String,
    /// When it was looked at.
    pub looked_at: Timestamp,
    /// Messages in it.
    pub depth: i64,
    /// Messages that belonged there.
    pub expected: i64,
    /// Since when the two differ.
    pub out_of_step_since: Option<Timestamp>,
    /// When each message was last looked at.
    pub passed_at: Option<Timestamp>,
}

/// Everything that is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The largest cluster first; at most 200.
    pub clusters: Vec<Cluster>,
    /// The oldest message first; at most 200.
    pub raws: Vec<RawRow>,
    /// One for each queue that the janitor has looked at.
    pub queues: Vec<QueueLook>,
}

/// What is dead, of one provider or of all. Under 200 ms with 10,000 dead letters.
///
/// # Errors
/// As any statement.
pub async fn clusters(
    client: &Client,
    provider: Option<Provider>,
) -> Result<DeadLetters, StoreError> {
    let doing = "listing dead letters";
    let provider = provider.map(Provider::as_str);
    let clusters = client
        .query(CLUSTERS, &[&provider, &SHOWN_MAX], doing)
        .await?;
    let raws = client.query(RAWS, &[&provider, &SHOWN_MAX], doing).await?;
    let queues = client.query(QUEUES, &[&provider], doing).await?;
    Ok(DeadLetters {
        clusters: clusters.iter().map(cluster).collect(),
        raws: raws.iter().map(raw).collect(),
        queues: queues.iter().map(queue).collect(),
    })
}

/// One dead letter of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterRow {
    /// Its id.
    pub id: DeadLetterId,
    /// Its job.
    pub job: JobId,
    /// The job's opt-out.
    pub opt_out: OptOutId,
    /// The provider.
    pub provider: Provider,
    /// The connection's name.
    pub connection: String,
    /// `open` or `resolving`.
    pub state: DeadLetterState,
    /// Why the job gave up.
    pub reason: String,
    /// When it died.
    pub opened_at: Timestamp,
    /// What the last re-read after work by hand still saw.
    pub finding: Option<String>,
    /// Who asked to give it up.
    pub discard_asked_by: Option<String>,
}

/// The dead letters of one fingerprint that stand, oldest first.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn of_fingerprint(
    client: &Client,
    fingerprint: &str,
    after: Option<DeadLetterId>,
    limit: i64,
) -> Result<Vec<LetterRow>, StoreError> {
    let after = after.map(|id| id.0);
    let rows = client
        .query(
            LETTERS,
            &[&fingerprint, &after, &limit],
            "listing the dead letters of a fingerprint",
        )
        .await?;
    rows.iter().map(letter).collect()
}

fn cluster(row: &Row) -> Cluster {
    Cluster {
        fingerprint: row.get("fingerprint"),
        letters: row.get("letters"),
        resolving: row.get("resolving"),
        first_at: row.get("first_at"),
        last_at: row.get("last_at"),
        connections: row.get("connections"),
    }
}

fn raw(row: &Row) -> RawRow {
    RawRow {
        id: DeadRawId(row.get("id")),
        provider: row.get("provider"),
        problem: row.get("problem"),
        digest: row.get("digest"),
        body_bytes: row.get("body_bytes"),
        times: row.get("times"),
        first_at: row.get("first_at"),
        seen_at: row.get("seen_at"),
        discard_asked_by: row.get("discard_asked_by"),
    }
}

fn queue(row: &Row) -> QueueLook {
    QueueLook {
        provider: row.get("provider"),
        looked_at: row.get("looked_at"),
        depth: row.get("depth"),
        expected: row.get("expected"),
        out_of_step_since: row.get("out_of_step_since"),
        passed_at: row.get("passed_at"),
    }
}

fn letter(row: &Row) -> Result<LetterRow, StoreError> {
    Ok(LetterRow {
        id: DeadLetterId(row.get::<_, Uuid>("id")),
        job: JobId(row.get("job_id")),
        opt_out: OptOutId(row.get("opt_out_id")),
        provider: word(row, "provider")?,
        connection: row.get("connection"),
        state: word(row, "state")?,
        reason: row.get("reason"),
        opened_at: row.get("opened_at"),
        finding: row.get("finding"),
        discard_asked_by: row.get("discard_asked_by"),
    })
}
