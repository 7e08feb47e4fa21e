//! Requests about somebody whom nobody knows yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::request::Channel;
use sever_store::unmatched::UnmatchedRequest;
use utoipa::ToSchema;
use uuid::Uuid;

/// A request about somebody whom nobody knows yet. It is tried again at each import and every minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnmatchedView {
    /// Its id.
    pub id: Uuid,
    /// The source that said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `source:NAME` or `token:NAME`.
    pub asked_by: String,
    /// The way by which it came.
    #[schema(value_type = String, example = "amqp")]
    pub channel: Channel,
    /// `opt_out`, or the kind of its employment event.
    #[schema(example = "leaver")]
    pub kind: String,
    /// The source's id of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When the alert about it was raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerted_at: Option<Timestamp>,
}

/// A page of unmatched requests, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnmatchedPage {
    /// The requests.
    pub items: Vec<UnmatchedView>,
    /// Pass it as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

impl From<UnmatchedRequest> for UnmatchedView {
    fn from(request: UnmatchedRequest) -> Self {
        Self {
            id: request.id.0,
            source: request.source,
            asked_by: request.asked_by,
            channel: request.channel,
            kind: request.kind,
            external_id: request.external_id,
            reason: request.reason,
            effective_at: request.effective_at,
            received_at: request.received_at,
            alerted_at: request.alerted_at,
        }
    }
}
