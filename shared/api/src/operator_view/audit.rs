//! Audit events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::audit::StoredEvent;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::hex::hex;

/// The audit events of one opt-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    /// In the order in which they were written.
    pub items: Vec<AuditEventView>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

/// One audit event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEventView {
    /// Its place in the order.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub kind: String,
    /// The canonical bytes, which are JSON in UTF-8.
    pub canonical: String,
    /// The SHA-256 stored with them, in hexadecimal.
    pub digest: String,
    /// Whether the stored digest is that of the bytes, as the service finds it; check it yourself.
    pub digest_holds: bool,
}

impl From<StoredEvent> for AuditEventView {
    fn from(event: StoredEvent) -> Self {
        Self {
            seq: event.seq,
            id: event.id,
            at: event.at,
            actor: event.actor,
            kind: event.kind,
            canonical: String::from_utf8_lossy(&event.canonical).into_owned(),
            digest: hex(&event.digest),
            digest_holds: event.digest_holds,
        }
    }
}
