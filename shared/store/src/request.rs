//! Requests: what was asked for, once for each asker and key.

use jiff::Timestamp;
use sever_domain::request::{Channel, RequestState};
use sever_domain::{Intent, OptOutId, RequestId, SourceId, SubjectId, Urgency};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::{word, word_opt};

/// The constraint that a concurrent twin of a request meets.
pub const IDEMPOTENT: &str = "request_idempotent";

const FIND_BY_KEY: &str = "
SELECT id, body_digest, subject_id, opt_out_id, state FROM request WHERE asked_by = $1 AND idem_key = $2";

const INSERT: &str = "
INSERT INTO request (id, source_id, asked_by, channel, idem_key, body_digest, event_kind, external_id, email_digest, subject_id,
                     opt_out_id, intent, urgency, scope, reason, effective_at, employment_version, occurred_at, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

const PLACE: &str = "
UPDATE request SET subject_id = $2, opt_out_id = $3, state = $4 WHERE id = $1 AND state IN ('unmatched', 'held')";

/// Locks the request, so that two tries do not place it twice.
const LOAD: &str = "
SELECT id, source_id, asked_by, channel, idem_key, body_digest, event_kind, external_id, email_digest, subject_id, intent,
       urgency, scope, reason, effective_at, employment_version, occurred_at, state
FROM request WHERE id = $1 FOR NO KEY UPDATE";

/// How far the asked leaver events of a source are known at an opt-out.
const NEWEST_LEAVER: &str = "
SELECT max(employment_version) AS version FROM request
WHERE opt_out_id = $1 AND source_id = $2 AND event_kind = 'leaver'";

const HAS_LEAVER: &str =
    "SELECT EXISTS (SELECT FROM request WHERE opt_out_id = $1 AND event_kind = 'leaver') AS has";

/// Whatever the reconciler asked for rests on the leave that it found.
const RESTS_ON_LEAVE: &str = "
SELECT EXISTS (SELECT FROM request WHERE opt_out_id = $1 AND (event_kind = 'leaver' OR asked_by = $2)) AS rests";

/// A request that is known by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRequest {
    /// Its id.
    pub id: RequestId,
    /// The digest of the body that was accepted.
    pub body_digest: Vec<u8>,
    /// Whom it means, once that is known.
    pub subject: Option<SubjectId>,
    /// The opt-out to which it is attached.
    pub opt_out: Option<OptOutId>,
    /// What has become of it.
    pub state: RequestState,
}

/// A request as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// Its id.
    pub id: RequestId,
    /// The source that said it, where one did.
    pub source: Option<SourceId>,
    /// `source:NAME` or `token:NAME`; never the approver of what it caused.
    pub asked_by: String,
    /// The way by which it came.
    pub channel: Channel,
    /// The key; at most 512 characters.
    pub idem_key: String,
    /// The digest of the body.
    pub body_digest: [u8; 32],
    /// `opt_out`, or the kind of the employment event.
    pub event_kind: String,
    /// The source's id of the person.
    pub external_id: Option<String>,
    /// SHA-256 of the e-mail named in the event.
    pub email_digest: Option<Vec<u8>>,
    /// Whom it means, once that is known.
    pub subject: Option<SubjectId>,
    /// How far it goes; `None` for an event that asks for no removal.
    pub intent: Option<Intent>,
    /// Which queue it asks for.
    pub urgency: Urgency,
    /// Connections named; `None` for all.
    pub scope: Option<Vec<Uuid>>,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it takes effect.
    pub effective_at: Option<Timestamp>,
    /// The source's version of the employment.
    pub employment_version: Option<i64>,
    /// When it happened at the source.
    pub occurred_at: Timestamp,
    /// What has become of it.
    pub state: RequestState,
}

/// The request of this asker and key.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find_by_key(
    tx: &Tx<'_>,
    asked_by: &str,
    idem_key: &str,
) -> Result<Option<KnownRequest>, StoreError> {
    let row = tx
        .query_opt(
            FIND_BY_KEY,
            &[&asked_by, &idem_key],
            "looking up a request by key",
        )
        .await?;
    row.map(|row| {
        Ok(KnownRequest {
            id: RequestId(row.get("id")),
            body_digest: row.get("body_digest"),
            subject: row.get::<_, Option<Uuid>>("subject_id").map(SubjectId),
            opt_out: row.get::<_, Option<Uuid>>("opt_out_id").map(OptOutId),
            state: word(&row, "state")?,
        })
    })
    .transpose()
}

/// Stores a request with the opt-out to which it is attached.
///
/// # Errors
/// A concurrent request with the same asker and key is a statement error with the constraint
/// [`IDEMPOTENT`]; else as any statement.
pub async fn insert(
    tx: &Tx<'_>,
    request: &StoredRequest,
    opt_out: Option<OptOutId>,
) -> Result<(), StoreError> {
    let source = request.source.map(|id| id.0);
    let subject = request.subject.map(|id| id.0);
    let opt_out = opt_out.map(|id| id.0);
    let intent = request.intent.map(Intent::as_str);
    tx.execute(
        INSERT,
        &[
            &request.id.0,
            &source,
            &request.asked_by,
            &request.channel.as_str(),
            &request.idem_key,
            &request.body_digest.as_slice(),
            &request.event_kind,
            &request.external_id,
            &request.email_digest,
            &subject,
            &opt_out,
            &intent,
            &request.urgency.as_str(),
            &request.scope,
            &request.reason,
            &request.effective_at,
            &request.employment_version,
            &request.occurred_at,
            &request.state.as_str(),
        ],
        "storing a request",
    )
    .await
    .map(drop)
}

/// Says what became of a request that was unmatched or held.
///
/// # Errors
/// [`StoreError::Conflict`] if it is neither; else as any statement.
pub async fn place(
    tx: &Tx<'_>,
    id: RequestId,
    subject: SubjectId,
    opt_out: Option<OptOutId>,
    state: RequestState,
) -> Result<(), StoreError> {
    let opt_out = opt_out.map(|id| id.0);
    tx.execute_one(
        PLACE,
        &[&id.0, &subject.0, &opt_out, &state.as_str()],
        "placing a request",
    )
    .await
}

/// Reads a request and locks it until the transaction ends.
///
/// # Errors
/// As [`find_by_key`].
pub async fn lock(tx: &Tx<'_>, id: RequestId) -> Result<Option<StoredRequest>, StoreError> {
    let row = tx.query_opt(LOAD, &[&id.0], "locking a request").await?;
    row.as_ref().map(stored).transpose()
}

fn stored(row: &Row) -> Result<StoredRequest, StoreError> {
    let digest: Vec<u8> = row.get("body_digest");
    Ok(StoredRequest {
        id: RequestId(row.get("id")),
        source: row.get::<_, Option<Uuid>>("source_id").map(SourceId),
        asked_by: row.get("asked_by"),
        channel: word(row, "channel")?,
        idem_key: row.get("idem_key"),
        body_digest: digest.try_into().map_err(|_| StoreError::Corrupt {
            column: "request.body_digest",
            problem: "not 32 bytes".to_owned(),
        })?,
        event_kind: row.get("event_kind"),
        external_id: row.get("external_id"),
        email_digest: row.get("email_digest"),
        subject: row.get::<_, Option<Uuid>>("subject_id").map(SubjectId),
        intent: word_opt(row, "intent")?,
        urgency: word(row, "urgency")?,
        scope: row.get("scope"),
        reason: row.get("reason"),
        effective_at: row.get("effective_at"),
        employment_version: row.get("employment_version"),
        occurred_at: row.get("occurred_at"),
        state: word(row, "state")?,
    })
}

/// The highest employment version of this source's leaver events at an opt-out.
///
/// # Errors
/// As any statement.
pub async fn newest_leaver_version(
    tx: &Tx<'_>,
    opt_out: OptOutId,
    source: SourceId,
) -> Result<Option<i64>, StoreError> {
    let doing = "reading the leaver events of an opt-out";
    let row = tx
        .query_opt(NEWEST_LEAVER, &[&opt_out.0, &source.0], doing)
        .await?;
    Ok(row.and_then(|row| row.get("version")))
}

/// Whether any source's leaver event is attached to an opt-out.
///
/// # Errors
/// As any statement.
pub async fn has_leaver(tx: &Tx<'_>, opt_out: OptOutId) -> Result<bool, StoreError> {
    let doing = "looking for leaver events of an opt-out";
    let row = tx.query_opt(HAS_LEAVER, &[&opt_out.0], doing).await?;
    Ok(row.is_some_and(|row| row.get("has")))
}

/// Whether an opt-out rests on somebody's having left, by a source's event or by what the reconciler found.
///
/// # Errors
/// As any statement.
pub async fn rests_on_leave(tx: &Tx<'_>, opt_out: OptOutId) -> Result<bool, StoreError> {
    let doing = "reading what an opt-out rests on";
    let row = tx
        .query_opt(
            RESTS_ON_LEAVE,
            &[&opt_out.0, &crate::drift::RECONCILER],
            doing,
        )
        .await?;
    Ok(row.is_some_and(|row| row.get("rests")))
}
