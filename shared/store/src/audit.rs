//! Writing and reading audit events.

use jiff::Timestamp;
use sever_audit::{AuditEvent, digest};
use sever_domain::OptOutId;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::{Client, Tx};

const INSERT: &str = "
INSERT INTO audit_event (id, at, actor, kind, subject_id, opt_out_id, job_id, canonical, digest)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::bytea[])";

const OF_OPT_OUT: &str = "
SELECT seq, id, at, actor, kind, canonical, digest FROM audit_event
WHERE opt_out_id = $1 ORDER BY seq LIMIT $2";

/// Writes events in the caller's transaction, in order.
///
/// # Errors
/// As any statement.
pub async fn insert(tx: &Tx<'_>, events: &[AuditEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let canonical: Vec<Vec<u8>> = events.iter().map(AuditEvent::canonical).collect();
    let digests: Vec<Vec<u8>> = canonical
        .iter()
        .map(|bytes| digest(bytes).to_vec())
        .collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let at: Vec<Timestamp> = events.iter().map(|event| event.at).collect();
    let actors: Vec<&str> = events.iter().map(|event| event.actor.as_str()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let subjects: Vec<Option<Uuid>> = events
        .iter()
        .map(|event| event.subject.map(|id| id.0))
        .collect();
    let opt_outs: Vec<Option<Uuid>> = events
        .iter()
        .map(|event| event.opt_out.map(|id| id.0))
        .collect();
    let jobs: Vec<Option<Uuid>> = events
        .iter()
        .map(|event| event.job.map(|id| id.0))
        .collect();
    tx.execute(
        INSERT,
        &[
            &ids, &at, &actors, &kinds, &subjects, &opt_outs, &jobs, &canonical, &digests,
        ],
        "writing audit events",
    )
    .await?;
    Ok(())
}

/// One stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the order of insertion.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub kind: String,
    /// The canonical bytes.
    pub canonical: Vec<u8>,
    /// The digest stored with them.
    pub digest: Vec<u8>,
    /// Whether the stored digest is that of the bytes.
    pub digest_holds: bool,
}

/// The events of one opt-out in order, at most `limit`.
///
/// # Errors
/// As any statement.
pub async fn of_opt_out(
    client: &Client,
    opt_out: OptOutId,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = client
        .query(
            OF_OPT_OUT,
            &[&opt_out.0, &limit],
            "reading the audit events of an opt-out",
        )
        .await?;
    let event = |row: &tokio_postgres::Row| {
        let canonical: Vec<u8> = row.get("canonical");
        let stored: Vec<u8> = row.get("digest");
        let digest_holds = stored == digest(&canonical);
        StoredEvent {
            seq: row.get("seq"),
            id: row.get("id"),
            at: row.get("at"),
            actor: row.get("actor"),
            kind: row.get("kind"),
            canonical,
            digest: stored,
            digest_holds,
        }
    };
    Ok(rows.iter().map(event).collect())
}
