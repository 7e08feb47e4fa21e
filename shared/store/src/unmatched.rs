//! Requests about somebody whom nobody knows yet, as operators see them.

use jiff::Timestamp;
use sever_domain::RequestId;
use sever_domain::request::Channel;
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most requests that one page holds.
pub const PAGE_MAX: i64 = 200;

/// Oldest first: what has waited longest comes first.
const PAGE: &str = "
SELECT request.id, source.name AS source, asked_by, channel, event_kind, external_id, reason, effective_at, received_at, alerted_at
FROM request LEFT JOIN source ON source.id = request.source_id
WHERE request.state = 'unmatched' AND ($1::uuid IS NULL OR request.id > $1)
ORDER BY request.id LIMIT $2";

/// One request that waits for its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedRequest {
    /// Its id.
    pub id: RequestId,
    /// The source that said it.
    pub source: Option<String>,
    /// `source:NAME` or `token:NAME`.
    pub asked_by: String,
    /// The way by which it came.
    pub channel: Channel,
    /// `opt_out`, or the kind of its employment event.
    pub kind: String,
    /// The source's id of the person.
    pub external_id: Option<String>,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it takes effect.
    pub effective_at: Option<Timestamp>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When the alert about it was raised.
    pub alerted_at: Option<Timestamp>,
}

/// A page of unmatched requests, oldest first, younger than `after`, at most `limit` (1 to [`PAGE_MAX`]).
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn page(
    client: &Client,
    after: Option<RequestId>,
    limit: i64,
) -> Result<Vec<UnmatchedRequest>, StoreError> {
    let after = after.map(|id| id.0);
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(PAGE, &[&after, &limit], "listing unmatched requests")
        .await?;
    rows.iter().map(request).collect()
}

fn request(row: &Row) -> Result<UnmatchedRequest, StoreError> {
    Ok(UnmatchedRequest {
        id: RequestId(row.get("id")),
        source: row.get("source"),
        asked_by: row.get("asked_by"),
        channel: word(row, "channel")?,
        kind: row.get("event_kind"),
        external_id: row.get("external_id"),
        reason: row.get("reason"),
        effective_at: row.get("effective_at"),
        received_at: row.get("received_at"),
        alerted_at: row.get("alerted_at"),
    })
}
