//! How an opt-out is shown over HTTP: by intake at `GET /v1/opt-outs/{id}` and by the console.
//!
//! The status is derived while the view is made, from the facts and the moment of reading. A view holds no name and no e-mail:
//! people appear by their subject id, integrations by their name too, accounts by the provider's id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::request::{Channel, RequestState};
use sever_domain::{Grade, Intent, JobState, OptOutState, Provider, Status, SubjectKind, Urgency};
use sever_store::opt_out_view::{OptOutFacts, OptOutSummary, RequestFacts};
use sever_store::standing::overall;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::hold_view::HoldView;
use crate::job_view::JobView;

/// One opt-out with everything that hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OptOutView {
    /// The opt-out itself.
    #[serde(flatten)]
    pub head: OptOutHeadView,
    /// The requests attached to it, oldest first, at most 500.
    pub requests: Vec<RequestView>,
    /// Its jobs, oldest first.
    pub jobs: Vec<JobView>,
    /// Holds on it and on its jobs, oldest first.
    pub holds: Vec<HoldView>,
}

/// The opt-out itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OptOutHeadView {
    /// Its id.
    pub id: Uuid,
    /// Whose access it removes, by the pseudonymous subject id.
    pub subject: Uuid,
    /// What kind of subject that is: `person` or `integration`.
    #[schema(value_type = String, example = "person")]
    pub subject_kind: SubjectKind,
    /// An integration's name; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// The status over the connections of its jobs at `as_of`: the weakest of them.
    #[schema(value_type = String, example = "fully_removed")]
    pub status: Status,
    /// Its state.
    #[schema(value_type = String, example = "open")]
    pub state: OptOutState,
    /// How far it goes.
    #[schema(value_type = String, example = "remove")]
    pub intent: Intent,
    /// Which queue its jobs take.
    #[schema(value_type = String, example = "ordinary")]
    pub urgency: Urgency,
    /// The names of the connections that it is limited to; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// Grows with every request that attaches.
    pub revision: i32,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed, cancelled or reversed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The opt-out that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed_by: Option<Uuid>,
    /// Until when something that was revoked can still work; absent where nothing can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_until: Option<Timestamp>,
    /// The weakest evidence on which the status rests; `attested` where a person answers for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "read")]
    pub weakest_grade: Option<Grade>,
    /// The moment for which the status holds, by the database's clock.
    pub as_of: Timestamp,
}

/// One line of a list of opt-outs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OptOutSummaryView {
    /// The opt-out itself.
    #[serde(flatten)]
    pub head: OptOutHeadView,
    /// Its jobs, oldest first.
    pub jobs: Vec<JobStateView>,
}

/// A job's id and state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobStateView {
    /// The job.
    pub id: Uuid,
    /// Its state.
    #[schema(value_type = String, example = "done")]
    pub state: JobState,
}

/// A page of opt-outs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OptOutPage {
    /// The opt-outs.
    pub items: Vec<OptOutSummaryView>,
    /// Pass it as `before` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// What has become of a request. It is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestedView {
    /// The request.
    pub request: Uuid,
    /// The opt-out to which it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Uuid>,
    /// Where the request stands: `attached`, or `held` until a person decides.
    #[schema(value_type = String, example = "attached")]
    pub state: RequestState,
    /// Whether it is new; else the same key was used with the same body before.
    pub created: bool,
}

/// One request that is attached to the opt-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// Its id.
    pub id: Uuid,
    /// The source that sent it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The source or the token's name.
    pub asked_by: String,
    /// The way by which it came.
    #[schema(value_type = String, example = "amqp")]
    pub channel: Channel,
    /// `opt_out`, or the kind of its employment event.
    pub kind: String,
    /// How far it goes; absent for an event that asks for no removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub intent: Option<Intent>,
    /// Which queue it asks for.
    #[schema(value_type = String)]
    pub urgency: Urgency,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    /// What has become of it.
    #[schema(value_type = String, example = "attached")]
    pub state: RequestState,
    /// When it was accepted.
    pub received_at: Timestamp,
}

/// A connection's name and provider with the status there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionStatusView {
    /// The connection's name.
    pub connection: String,
    /// Its provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// The status there at the view's moment.
    #[schema(value_type = String, example = "fully_removed")]
    pub status: Status,
    /// Until when something that was revoked can still work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_until: Option<Timestamp>,
    /// The weakest evidence on which the status rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "read")]
    pub weakest_grade: Option<Grade>,
}

impl From<OptOutFacts> for OptOutView {
    fn from(facts: OptOutFacts) -> Self {
        let now = facts.head.now;
        let jobs = facts
            .jobs
            .into_iter()
            .map(|job| JobView::new(job, &facts.standings, now))
            .collect();
        Self {
            head: OptOutHeadView::new(facts.head, &facts.standings),
            requests: facts.requests.into_iter().map(RequestView::from).collect(),
            jobs,
            holds: facts.holds.into_iter().map(HoldView::from).collect(),
        }
    }
}

impl OptOutHeadView {
    fn new(
        head: sever_store::opt_out_view::OptOutHead,
        standings: &[sever_store::standing::Standing],
    ) -> Self {
        let residual_until = standings
            .iter()
            .filter_map(|standing| standing.facts.residual_until)
            .filter(|until| *until > head.now)
            .max();
        Self {
            id: head.id.0,
            subject: head.subject.0,
            subject_kind: head.subject_kind,
            subject_name: head.subject_name,
            status: overall(standings, head.now),
            state: head.state,
            intent: head.intent,
            urgency: head.urgency,
            scope: head.scope,
            revision: head.revision,
            effective_at: head.effective_at,
            opened_at: head.opened_at,
            closed_at: head.closed_at,
            reversed_by: head.reversed_by.map(|id| id.0),
            residual_until,
            weakest_grade: standings
                .iter()
                .filter_map(|standing| standing.facts.weakest_grade)
                .min(),
            as_of: head.now,
        }
    }
}

impl From<OptOutSummary> for OptOutSummaryView {
    fn from(summary: OptOutSummary) -> Self {
        let job = |(id, state): (sever_domain::JobId, JobState)| JobStateView { id: id.0, state };
        Self {
            head: OptOutHeadView::new(summary.head, &summary.standings),
            jobs: summary.jobs.into_iter().map(job).collect(),
        }
    }
}

impl From<RequestFacts> for RequestView {
    fn from(facts: RequestFacts) -> Self {
        Self {
            id: facts.id.0,
            source: facts.source,
            asked_by: facts.asked_by,
            channel: facts.channel,
            kind: facts.kind,
            intent: facts.intent,
            urgency: facts.urgency,
            reason: facts.reason,
            effective_at: facts.effective_at,
            state: facts.state,
            received_at: facts.received_at,
        }
    }
}

impl ConnectionStatusView {
    /// The status at one connection at `now`.
    #[must_use]
    pub fn new(standing: &sever_store::standing::Standing, now: Timestamp) -> Self {
        Self {
            connection: standing.connection_name.clone(),
            provider: standing.provider,
            status: standing.status(now),
            residual_until: standing.facts.residual_until.filter(|until| *until > now),
            weakest_grade: standing.facts.weakest_grade,
        }
    }
}
