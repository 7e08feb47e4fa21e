//! How a hold is shown over HTTP.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldPolicy, HoldReason, SubjectKind};
use sever_store::hold::HoldFacts;
use utoipa::ToSchema;
use uuid::Uuid;

/// One hold, and what it stops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HoldView {
    /// Its id.
    pub id: Uuid,
    /// Its state.
    #[schema(value_type = String, example = "open")]
    pub state: HoldState,
    /// Why it stands.
    #[schema(value_type = String, example = "mass_guard")]
    pub reason: HoldReason,
    /// What kind of thing it stops: `request`, `opt_out` or `job`.
    #[schema(value_type = String, example = "job")]
    pub scope: HoldScope,
    /// The request, opt-out or job that it stops.
    pub target: Uuid,
    /// What may go on while it stands.
    #[schema(value_type = String, example = "nothing")]
    pub policy: HoldPolicy,
    /// The particulars, without personal data.
    pub detail: serde_json::Value,
    /// The opt-out that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Uuid>,
    /// Whose access it is about, by the pseudonymous subject id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// What kind of subject that is: `person` or `integration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "person")]
    pub subject_kind: Option<SubjectKind>,
    /// An integration's name; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// The connection of the job that it stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Who asked for what it stops; never its approver.
    pub requested_by: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// The reason of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}

/// A page of holds, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HoldPage {
    /// The holds.
    pub items: Vec<HoldView>,
    /// Pass it as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// A decision on a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// Why, in words for the record: 1 to 500 characters, no e-mail address.
    #[schema(example = "checked with HR: a planned layoff")]
    pub reason: String,
    /// Whom a held request means: Sever's id, or `source:external_id`. Only to release a hold on a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hr:10001")]
    pub person: Option<String>,
}

/// What a decision changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecidedView {
    /// The hold.
    pub hold: Uuid,
    /// Its state now.
    #[schema(value_type = String, example = "released")]
    pub state: HoldState,
    /// The jobs that wait again, or were called off.
    pub jobs: Vec<Uuid>,
    /// The opt-out that came to its end by it, or to which the request was attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Uuid>,
}

impl From<HoldFacts> for HoldView {
    fn from(facts: HoldFacts) -> Self {
        Self {
            id: facts.id.0,
            state: facts.state,
            reason: facts.reason,
            scope: facts.scope,
            target: facts.target,
            policy: facts.policy,
            detail: facts.detail,
            opt_out: facts.opt_out.map(|id| id.0),
            subject: facts.subject.map(|id| id.0),
            subject_kind: facts.subject_kind,
            subject_name: facts.subject_name,
            connection: facts.connection,
            requested_by: facts.requested_by,
            opened_at: facts.opened_at,
            decided_by: facts.decided_by,
            decided_at: facts.decided_at,
            decision: facts.decision,
        }
    }
}
