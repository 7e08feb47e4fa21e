//! What could not be taken in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::request::Channel;
use sever_store::reject::Reject;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::hex::hex;

/// Something that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedView {
    /// Its id.
    pub id: Uuid,
    /// The source, or what the sender calls itself.
    pub source: String,
    /// The way by which it came.
    #[schema(value_type = String, example = "amqp")]
    pub channel: Channel,
    /// What was wrong.
    pub reason: String,
    /// The faulty field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// SHA-256 of the body, in hexadecimal.
    pub digest: String,
    /// For a reused key: the digest of the body that was accepted under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_digest: Option<String>,
    /// The size of the body.
    pub body_bytes: i64,
    /// How often it came.
    pub times: i64,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
    /// When it is deleted.
    pub expires_at: Timestamp,
    /// The body, cut at 256 KiB, with U+FFFD where it is not UTF-8; absent in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A page of rejected bodies, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedPage {
    /// Without their bodies.
    pub items: Vec<RejectedView>,
    /// Pass it as `before` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

impl RejectedView {
    /// A rejected body; `with_body` shows it.
    #[must_use]
    pub fn new(reject: Reject, with_body: bool) -> Self {
        let body = with_body.then(|| String::from_utf8_lossy(&reject.body).into_owned());
        Self {
            id: reject.id,
            source: reject.source_name,
            channel: reject.channel,
            reason: reject.reason,
            field: reject.field,
            digest: hex(&reject.digest),
            other_digest: reject.other_digest.as_deref().map(hex),
            body_bytes: reject.body_bytes,
            times: reject.times,
            received_at: reject.received_at,
            last_at: reject.last_at,
            expires_at: reject.expires_at,
            body,
        }
    }
}
