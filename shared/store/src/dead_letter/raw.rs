//! Dead messages that no job belongs to: each body is kept once, readable, until a person closes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::DeadRawId;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::decide::DecisionError;
use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Store, Tx};

/// The most bytes of a body that are kept.
pub const BODY_KEPT_BYTES_MAX: usize = 64 * 1024;

/// A body that was closed and whose message had left the queue has come anew; one whose message is still on its way out
/// is only seen again.
const STORE: &str = "
INSERT INTO dead_raw AS raw (id, provider, digest, problem, body, body_bytes, headers) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (provider, digest) DO UPDATE SET seen_at = now(),
    times = raw.times + CASE WHEN raw.left_queue_at IS NOT NULL THEN 1 ELSE 0 END,
    state = CASE WHEN raw.left_queue_at IS NOT NULL THEN 'open' ELSE raw.state END,
    body = CASE WHEN raw.left_queue_at IS NOT NULL THEN excluded.body ELSE raw.body END,
    closed_at = CASE WHEN raw.left_queue_at IS NULL THEN raw.closed_at END,
    closed_by = CASE WHEN raw.left_queue_at IS NULL THEN raw.closed_by END,
    closed_reason = CASE WHEN raw.left_queue_at IS NULL THEN raw.closed_reason END,
    discard_asked_by = CASE WHEN raw.left_queue_at IS NULL THEN raw.discard_asked_by END,
    left_queue_at = NULL
RETURNING raw.id, raw.state = 'open' AS stands, raw.xmax = 0 AS new";

const FIND: &str = "
SELECT id, provider, digest, problem, body, body_bytes, headers, times, state, first_at, seen_at, evidence, discard_asked_by, discard_asked_at,
       discard_reason, closed_at, closed_by, closed_reason
FROM dead_raw WHERE id = $1";

const LOCK: &str =
    "SELECT state, provider, discard_asked_by, now() AS now FROM dead_raw WHERE id = $1 FOR UPDATE";
const RESOLVE: &str = "
UPDATE dead_raw SET state = 'resolved', evidence = $4, body = '', closed_at = now(), closed_by = $2, closed_reason = $3, discard_asked_by = NULL
WHERE id = $1 AND state = 'open'";
const ASK_DISCARD: &str = "
UPDATE dead_raw SET discard_asked_by = $2, discard_reason = $3, discard_asked_at = now() WHERE id = $1 AND state = 'open'";
const DISCARD: &str = "
UPDATE dead_raw SET state = 'discarded', body = '', closed_at = now(), closed_by = $2, closed_reason = $3 WHERE id = $1 AND state = 'open'";

/// Only a body that was kept whole can be published again.
const WHOLE: &str = "
SELECT id, body, headers FROM dead_raw WHERE provider = $1 AND state = 'open' AND octet_length(body) = body_bytes AND seen_at < $2
ORDER BY id LIMIT $3";

/// A dead message as the janitor met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRaw<'a> {
    /// Whose queue it was in: a provider's word, or `in`.
    pub provider: &'a str,
    /// Why nothing can be done with it, without personal data.
    pub problem: &'a str,
    /// The body as it came.
    pub body: &'a [u8],
    /// The headers that may be kept.
    pub headers: &'a BTreeMap<String, String>,
}

/// What storing it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRaw {
    /// Its id.
    pub id: DeadRawId,
    /// Whether it stands; a closed one may leave the queue.
    pub stands: bool,
    /// Whether it was met for the first time.
    pub new: bool,
}

/// Keeps a dead message; the same body of the same queue is one row.
///
/// # Errors
/// As any statement.
pub async fn store_raw(store: &Store, raw: &NewRaw<'_>) -> Result<StoredRaw, StoreError> {
    let doing = "storing a dead message";
    let digest: [u8; 32] = Sha256::digest(raw.body).into();
    let kept = &raw.body[..raw.body.len().min(BODY_KEPT_BYTES_MAX)];
    let bytes = i64::try_from(raw.body.len()).unwrap_or(i64::MAX);
    let client = store.client(doing).await?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [
        &Uuid::now_v7(),
        &raw.provider,
        &digest.as_slice(),
        &raw.problem,
        &kept,
        &bytes,
        &Json(raw.headers),
    ];
    let rows = client.query(STORE, &values, doing).await?;
    Ok(StoredRaw {
        id: DeadRawId(rows[0].get("id")),
        stands: rows[0].get("stands"),
        new: rows[0].get("new"),
    })
}

/// A dead message.
#[derive(Debug, Clone, PartialEq)]
pub struct RawFacts {
    /// Its id.
    pub id: DeadRawId,
    /// Whose queue it is in: a provider's word, or `in`.
    pub provider: String,
    /// SHA-256 of the whole body.
    pub digest: Vec<u8>,
    /// Why nothing could be done with it.
    pub problem: String,
    /// The body, cut at [`BODY_KEPT_BYTES_MAX`]; empty once it is closed.
    pub body: Vec<u8>,
    /// Bytes of the whole body.
    pub body_bytes: i64,
    /// The headers that were kept.
    pub headers: serde_json::Value,
    /// How often it was dead-lettered.
    pub times: i64,
    /// `open`, `resolved` or `discarded`.
    pub state: String,
    /// When it was first met.
    pub first_at: Timestamp,
    /// When it was last seen in the queue.
    pub seen_at: Timestamp,
    /// What shows that it was dealt with.
    pub evidence: Option<String>,
    /// Who asked to give it up, when and why.
    pub discard_asked: Option<(String, Timestamp, String)>,
    /// Who closed it, when and why.
    pub closed: Option<(String, Timestamp, String)>,
}

/// One dead message; `None` where there is none of this id.
///
/// # Errors
/// As any statement.
pub async fn find_raw(client: &Client, id: DeadRawId) -> Result<Option<RawFacts>, StoreError> {
    let row = client
        .query_opt(FIND, &[&id.0], "reading a dead message")
        .await?;
    Ok(row.as_ref().map(facts))
}

fn facts(row: &Row) -> RawFacts {
    let three = |by: &str, at: &str, why: &str| {
        let by: Option<String> = row.get(by);
        let why: Option<String> = row.get(why);
        Some((
            by?,
            row.get::<_, Option<Timestamp>>(at)?,
            why.unwrap_or_default(),
        ))
    };
    RawFacts {
        id: DeadRawId(row.get("id")),
        provider: row.get("provider"),
        digest: row.get("digest"),
        problem: row.get("problem"),
        body: row.get("body"),
        body_bytes: row.get("body_bytes"),
        headers: row.get("headers"),
        times: row.get("times"),
        state: row.get("state"),
        first_at: row.get("first_at"),
        seen_at: row.get("seen_at"),
        evidence: row.get("evidence"),
        discard_asked: three("discard_asked_by", "discard_asked_at", "discard_reason"),
        closed: three("closed_by", "closed_at", "closed_reason"),
    }
}

/// What a person makes of a dead message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawDecision<'a> {
    /// What it was about was done otherwise; this shows it.
    Resolve {
        /// Without personal data.
        evidence: &'a str,
    },
    /// It is to be given up; a second person confirms.
    AskDiscard,
    /// The second person.
    ConfirmDiscard,
}

/// Closes a dead message, or asks for it; its body is emptied with the close.
///
/// # Errors
/// [`DecisionError`], each variant but `NotARemoval`.
pub async fn close_raw(
    tx: &Tx<'_>,
    id: DeadRawId,
    actor: &str,
    reason: &str,
    decision: RawDecision<'_>,
) -> Result<(), DecisionError> {
    let doing = "closing a dead message";
    let row = tx.query_opt(LOCK, &[&id.0], doing).await?;
    let row = row.ok_or(DecisionError::NotFound(id.0))?;
    let (state, now): (String, Timestamp) = (row.get("state"), row.get("now"));
    if state != "open" {
        return Err(DecisionError::NotOpen {
            letter: id.0,
            state,
        });
    }
    let word = match decision {
        RawDecision::Resolve { evidence } => {
            tx.execute_one(RESOLVE, &[&id.0, &actor, &reason, &evidence], doing)
                .await?;
            "resolved"
        }
        RawDecision::AskDiscard => {
            tx.execute_one(ASK_DISCARD, &[&id.0, &actor, &reason], doing)
                .await?;
            "discard_asked"
        }
        RawDecision::ConfirmDiscard => {
            let asked_by: Option<String> = row.get("discard_asked_by");
            let asked_by = asked_by.ok_or(DecisionError::NotAsked(id.0))?;
            if asked_by == actor {
                return Err(DecisionError::SamePerson {
                    letter: id.0,
                    asked_by,
                });
            }
            tx.execute_one(DISCARD, &[&id.0, &actor, &reason], doing)
                .await?;
            "discarded"
        }
    };
    let provider: String = row.get("provider");
    let data = json!({"dead_raw": id, "queue": provider, "to": word, "reason": reason});
    let event = AuditEvent::new(AuditKind::DeadRawClosed, now, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(())
}

/// Open messages of a queue that were kept whole and not seen since an instant: id, body and headers of at most
/// `limit`.
///
/// # Errors
/// As any statement.
pub async fn whole_raws(
    store: &Store,
    provider: &str,
    unseen_since: Timestamp,
    limit: i64,
) -> Result<Vec<(DeadRawId, Vec<u8>, BTreeMap<String, String>)>, StoreError> {
    let doing = "reading dead messages that are missing from their queue";
    let client = store.client(doing).await?;
    let rows = client
        .query(WHOLE, &[&provider, &unseen_since, &limit], doing)
        .await?;
    let raw = |row: &Row| {
        let Json(headers): Json<BTreeMap<String, String>> = row.get("headers");
        (DeadRawId(row.get("id")), row.get("body"), headers)
    };
    Ok(rows.iter().map(raw).collect())
}
