//! Connections over HTTP: as they are wanted (the shape of `connections.toml`), and as they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::Provider;
use sever_store::connection::{Change, ConnectionRow, ConnectionSpec};
use utoipa::ToSchema;
use uuid::Uuid;

pub use crate::reconcile_body::{CorrelationBody, ReconcileBody};
pub use crate::span::{NoSpan, Span};

/// The connections to apply: the file `connections.toml`, and the body of `PUT /v1/connections`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionsBody {
    /// The connections; those that are not named stay as they are.
    pub connection: Vec<ConnectionBody>,
}

/// One connection as it is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionBody {
    /// Its name: lower-case letters, digits, `_` and `-`, at most 63.
    #[schema(example = "okta-main")]
    pub name: String,
    /// Its provider; cannot change.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// Where the provider is.
    #[schema(example = "https://example.okta.com")]
    pub base_url: String,
    /// Where its credential is kept: `env:NAME` or `file:/absolute/path`, as the worker sees them. Never the credential itself.
    #[schema(example = "env:SEVER_OKTA_CREDENTIAL")]
    pub credential: String,
    /// The longest time for which an access token works once issued.
    pub access_token_lifetime: Span,
    /// The same by token issuer, where it differs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub access_token_lifetime_by_issuer: BTreeMap<String, Span>,
    /// The largest difference assumed between the provider's clock and the others'.
    #[serde(default = "Span::default_skew")]
    pub clock_skew: Span,
    /// Calls that one worker process may have under way, 1 to 64.
    #[serde(default = "default_in_flight_max")]
    pub in_flight_max: i32,
    /// Jobs that may be worked on at once, over all workers, 1 to 1024.
    #[serde(default = "default_jobs_max")]
    pub jobs_max: i32,
    /// The fence: how long after a plan its one-way steps other than sessions and tokens wait, at most 30 days. Until then an
    /// opt-out can still be restored whole.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub fence_delay: Span,
    /// Whether one-way steps need a second person's release besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fence_approval: bool,
    /// Whether it takes no work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// How it is looked at again; where it is absent, that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<ReconcileBody>,
}

const fn default_in_flight_max() -> i32 {
    8
}

const fn default_jobs_max() -> i32 {
    64
}

/// What applying did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedView {
    /// One line for each connection, in the order of the body.
    pub applied: Vec<AppliedConnection>,
}

/// What became of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedConnection {
    /// Its name.
    pub name: String,
    /// `created`, `changed` or `unchanged`.
    #[schema(example = "created")]
    pub change: String,
}

impl AppliedConnection {
    /// What became of the connection of this name.
    #[must_use]
    pub fn new(name: &str, change: Change) -> Self {
        Self {
            name: name.to_owned(),
            change: change.as_str().to_owned(),
        }
    }
}

/// The connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionList {
    /// By name.
    pub items: Vec<ConnectionView>,
}

/// One connection as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionView {
    /// Its id.
    pub id: Uuid,
    /// What it was configured as.
    #[serde(flatten)]
    pub configured: ConnectionBody,
    /// `open`, `parked` (its credential is wrong) or `closed`.
    #[schema(example = "open")]
    pub state: String,
    /// Why it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_until: Option<Timestamp>,
    /// What its circuit breaker lets through: `closed` (everything), `open` (nothing: the provider does not answer) or `half_open` (a few probes).
    #[schema(example = "closed")]
    pub breaker: String,
    /// Since when its breaker is not closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_opened_at: Option<Timestamp>,
    /// Until when its breaker is open; half-open from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// Its jobs that have not come to an end.
    pub jobs_open: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Why a breaker is closed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseBreakerBody {
    /// Why, for the record; 1 to 500 characters.
    pub reason: String,
}

/// What closing a breaker did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BreakerClosedView {
    /// The connection's name.
    pub connection: String,
    /// Whether it had been open or half-open.
    pub changed: bool,
    /// Jobs that it had sent away and that come back now.
    pub jobs: u64,
}

impl From<ConnectionBody> for ConnectionSpec {
    fn from(body: ConnectionBody) -> Self {
        let lifetimes = body.access_token_lifetime_by_issuer;
        Self {
            name: body.name,
            provider: body.provider,
            base_url: body.base_url,
            credential_ref: body.credential,
            token_lifetime_s: body.access_token_lifetime.as_seconds(),
            token_lifetimes: lifetimes
                .into_iter()
                .map(|(issuer, span)| (issuer, span.as_seconds()))
                .collect(),
            clock_skew_s: body.clock_skew.as_seconds(),
            in_flight_max: body.in_flight_max,
            jobs_max: body.jobs_max,
            fence_delay_s: body.fence_delay.as_seconds(),
            fence_approval: body.fence_approval,
            closed: body.closed,
        }
    }
}

impl From<ConnectionRow> for ConnectionView {
    fn from(row: ConnectionRow) -> Self {
        let spec = row.spec;
        let lifetimes = spec.token_lifetimes.into_iter();
        Self {
            id: row.id.0,
            configured: ConnectionBody {
                name: spec.name,
                provider: spec.provider,
                base_url: spec.base_url,
                credential: spec.credential_ref,
                access_token_lifetime: Span::stored(spec.token_lifetime_s),
                access_token_lifetime_by_issuer: lifetimes
                    .map(|(issuer, seconds)| (issuer, Span::stored(seconds)))
                    .collect(),
                clock_skew: Span::stored(spec.clock_skew_s),
                in_flight_max: spec.in_flight_max,
                jobs_max: spec.jobs_max,
                fence_delay: Span::stored(spec.fence_delay_s),
                fence_approval: spec.fence_approval,
                closed: spec.closed,
                reconcile: None,
            },
            state: row.state,
            state_reason: row.state_reason,
            blocked_until: row.blocked_until,
            breaker: row.breaker.to_string(),
            breaker_opened_at: row.breaker_opened_at,
            breaker_until: row.breaker_until,
            version: row.version,
            jobs_open: row.jobs_open,
            created_at: row.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_little_and_refuses_what_it_does_not_know() {
        let body = r#"{"connection":[{"name":"a","provider":"okta","base_url":"https://a","credential":"env:A","access_token_lifetime":3600}]}"#;
        let read: ConnectionsBody = serde_json::from_str(body).unwrap();
        assert_eq!(read.connection[0].clock_skew.as_seconds(), 30);
        assert_eq!(read.connection[0].in_flight_max, 8);
        let fence = (
            read.connection[0].fence_delay.as_seconds(),
            read.connection[0].fence_approval,
        );
        assert_eq!(fence, (0, false));
        let wrong = body.replace("base_url", "baseurl");
        assert!(serde_json::from_str::<ConnectionsBody>(&wrong).is_err());
    }
}
