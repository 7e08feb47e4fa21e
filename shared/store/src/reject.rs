//! What could not be taken in: kept with its raw body and the reason, for a person to see.

use jiff::Timestamp;
use sever_domain::request::Channel;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Store};
use crate::row::word;

/// The most bytes of a rejected body that are kept.
pub const BODY_KEPT_BYTES_MAX: usize = 256 * 1024;

/// The most characters of a reason or a field that are kept.
const TEXT_MAX: usize = 500;

/// The most rows that one page holds.
pub const PAGE_MAX: i64 = 200;

/// The same body from the same source for the same reason is counted, not stored again.
const UPSERT: &str = "
INSERT INTO intake_reject (id, source_name, channel, digest, other_digest, reason, field, body, body_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (source_name, digest, reason) DO UPDATE
SET times = intake_reject.times + 1, last_at = now(), expires_at = excluded.expires_at
RETURNING id";

const FIND: &str = "
SELECT id, source_name, channel, digest, other_digest, reason, field, body, body_bytes, times, received_at, last_at, expires_at
FROM intake_reject WHERE id = $1";

/// Newest first; version 7 ids are ordered by time, so the id is the place of a page.
const PAGE: &str = "
SELECT id, source_name, channel, digest, other_digest, reason, field, ''::bytea AS body, body_bytes, times, received_at, last_at, expires_at
FROM intake_reject WHERE ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2";

const EXPIRE: &str = "DELETE FROM intake_reject WHERE id IN (SELECT id FROM intake_reject WHERE expires_at < now() LIMIT 1000)";

/// Something that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReject<'a> {
    /// The source, or what the sender calls itself where nobody knows it.
    pub source_name: &'a str,
    /// The way by which it came.
    pub channel: Channel,
    /// For a reused key: the digest of the body that was accepted under it.
    pub other_digest: Option<[u8; 32]>,
    /// What was wrong, in words.
    pub reason: &'a str,
    /// The faulty field, where one is named.
    pub field: Option<&'a str>,
    /// The body as it came; what is over [`BODY_KEPT_BYTES_MAX`] is cut.
    pub body: &'a [u8],
}

/// Keeps a rejected body.
///
/// # Errors
/// As any statement.
pub async fn insert(store: &Store, reject: &NewReject<'_>) -> Result<Uuid, StoreError> {
    let doing = "keeping a rejected body";
    let digest = Sha256::digest(reject.body);
    let source_name = kept(reject.source_name);
    let (reason, field) = (kept(reject.reason), reject.field.map(kept));
    let body = &reject.body[..reject.body.len().min(BODY_KEPT_BYTES_MAX)];
    let body_bytes = i64::try_from(reject.body.len()).unwrap_or(i64::MAX);
    let other_digest = reject.other_digest.as_ref().map(<[u8; 32]>::as_slice);
    let row = store
        .client(doing)
        .await?
        .query_opt(
            UPSERT,
            &[
                &Uuid::now_v7(),
                &source_name,
                &reject.channel.as_str(),
                &digest.as_slice(),
                &other_digest,
                &reason,
                &field,
                &body,
                &body_bytes,
            ],
            doing,
        )
        .await?;
    row.map(|row| row.get("id"))
        .ok_or(StoreError::Conflict { doing })
}

/// As much of a text as is kept; PostgreSQL takes no NUL in a text.
fn kept(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(TEXT_MAX).collect()
}

/// A rejected body as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its id.
    pub id: Uuid,
    /// The source, or what the sender calls itself.
    pub source_name: String,
    /// The way by which it came.
    pub channel: Channel,
    /// SHA-256 of the body as it came.
    pub digest: Vec<u8>,
    /// For a reused key: the digest of the body that was accepted under it.
    pub other_digest: Option<Vec<u8>>,
    /// What was wrong.
    pub reason: String,
    /// The faulty field.
    pub field: Option<String>,
    /// The body, cut at [`BODY_KEPT_BYTES_MAX`]; empty in a page.
    pub body: Vec<u8>,
    /// The size of the body as it came.
    pub body_bytes: i64,
    /// How often it came.
    pub times: i64,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
    /// When it is deleted.
    pub expires_at: Timestamp,
}

/// One rejected body.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, id: Uuid) -> Result<Option<Reject>, StoreError> {
    let row = client
        .query_opt(FIND, &[&id], "reading a rejected body")
        .await?;
    row.as_ref().map(reject).transpose()
}

/// A page of rejected bodies without the bodies, newest first, older than `before`, at most `limit`
/// (1 to [`PAGE_MAX`]).
///
/// # Errors
/// As [`find`].
pub async fn page(
    client: &Client,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Reject>, StoreError> {
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(PAGE, &[&before, &limit], "listing rejected bodies")
        .await?;
    rows.iter().map(reject).collect()
}

/// Deletes at most 1,000 rejected bodies whose time is over; returns how many.
///
/// # Errors
/// As any statement.
pub async fn expire(store: &Store) -> Result<u64, StoreError> {
    let doing = "deleting old rejected bodies";
    store.client(doing).await?.execute(EXPIRE, &[], doing).await
}

fn reject(row: &Row) -> Result<Reject, StoreError> {
    Ok(Reject {
        id: row.get("id"),
        source_name: row.get("source_name"),
        channel: word(row, "channel")?,
        digest: row.get("digest"),
        other_digest: row.get("other_digest"),
        reason: row.get("reason"),
        field: row.get("field"),
        body: row.get("body"),
        body_bytes: row.get("body_bytes"),
        times: row.get("times"),
        received_at: row.get("received_at"),
        last_at: row.get("last_at"),
        expires_at: row.get("expires_at"),
    })
}
