//! The smaller views of the operator API: sources, tokens, the protected list, rejected bodies, unmatched requests, audit events
//! and the counts of everything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::request::Channel;
use sever_store::api_token::TokenRow;
use sever_store::audit::StoredEvent;
use sever_store::overview::Overview;
use sever_store::protected::{Principal, ProtectedRow};
use sever_store::reject::Reject;
use sever_store::source::Source;
use sever_store::unmatched::UnmatchedRequest;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::connection_view::Span;

/// An upstream that reports or asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name.
    #[schema(example = "hr")]
    pub name: String,
    /// The user name that the broker validates on its messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_user: Option<String>,
    /// Whether the provider ids that it lists become bindings once a read by id finds them.
    pub trusted: bool,
}

/// A source as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceBody {
    /// The user name that the broker validates on its messages; absent leaves the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_user: Option<String>,
    /// Whether the provider ids that it lists become bindings once a read by id finds them.
    #[serde(default)]
    pub trusted: bool,
}

/// The sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceList {
    /// By name.
    pub items: Vec<SourceView>,
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// Its name, unique; appears in audit events. Lower-case letters, digits, `_` and `-`, at most 63.
    #[schema(example = "on-call")]
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<crate::Scope>,
    /// The source for which its bearer speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// For how long it works; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Span>,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The token itself, shown this once and stored nowhere.
    pub token: String,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The source for which its bearer speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// The tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// By name, ended ones included.
    pub items: Vec<TokenView>,
}

/// An entry for the protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectedBody {
    /// A person: Sever's id, or `source:external_id`. Either this or `account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hr:10001")]
    pub person: Option<String>,
    /// An account: `connection:provider_id`. Either this or `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "okta-main:00u1abcd2EFGH3ijk4x7")]
    pub account: Option<String>,
    /// `break_glass`, `service_account`, `last_administrator` or `other`.
    #[schema(example = "break_glass")]
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An entry of the protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtectedView {
    /// Its id.
    pub id: Uuid,
    /// The protected subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// The protected account, as `connection:provider_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What kind of thing it protects.
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtectedList {
    /// Oldest first.
    pub items: Vec<ProtectedView>,
}

/// The id of something that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedId {
    /// The id.
    pub id: Uuid,
}

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

/// The counts of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewView {
    /// By kind of thing (`job`, `opt_out`, `hold`, `connection`, `person`, `request`, `dead_letter`, `rejected`, `outbox`), then by
    /// state or reason. A word without any is absent.
    pub counts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Opt-outs with a job that runs, or that waits though it has taken effect; zero when all is settled.
    pub unsettled: i64,
    /// When it was counted, by the database's clock.
    pub as_of: Timestamp,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            name: source.name,
            broker_user: source.broker_user,
            trusted: source.trusted,
        }
    }
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            scopes: row.scopes,
            source: row.source,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

impl From<ProtectedRow> for ProtectedView {
    fn from(row: ProtectedRow) -> Self {
        let (subject, account) = match row.principal {
            Principal::Subject(subject) => (Some(subject.0), None),
            Principal::Account {
                connection,
                provider_id,
            } => (None, Some(format!("{connection}:{provider_id}"))),
        };
        Self {
            id: row.id,
            subject,
            account,
            kind: row.protection.kind,
            owner: row.protection.owner,
            reason: row.protection.reason,
            until: row.protection.until,
            created_at: row.created_at,
        }
    }
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

impl From<Overview> for OverviewView {
    fn from(overview: Overview) -> Self {
        Self {
            counts: overview.counts,
            unsettled: overview.unsettled,
            as_of: overview.now,
        }
    }
}

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
