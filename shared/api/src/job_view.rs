//! How a job, its steps and its inspections are shown over HTTP.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::entitlement::FamilyResult;
use sever_domain::{
    Action, EntitlementKind, Grade, Intent, JobState, Provider, Reversibility, Status, StepClass,
    StepState, Urgency,
};
use sever_store::job_view::{EffectFacts, FamilyFacts, InspectionFacts, JobFacts, StepFacts};
use sever_store::standing::Standing;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::task_view::TaskWordsView;

/// One opt-out at one connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// Its state.
    #[schema(value_type = String, example = "done")]
    pub state: JobState,
    /// Why it is in that state, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// The subject's status at this connection.
    #[schema(value_type = String, example = "fully_removed")]
    pub status: Status,
    /// How far it goes here.
    #[schema(value_type = String, example = "remove")]
    pub intent: Intent,
    /// Which queue its bell takes.
    #[schema(value_type = String, example = "ordinary")]
    pub urgency: Urgency,
    /// When it takes effect here.
    pub effective_at: Timestamp,
    /// When it may run next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempt: i32,
    /// Failures in a row.
    pub failures: i32,
    /// When the present series of failures began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// How often a worker took its lease.
    pub lease_epoch: i64,
    /// The newest stored plan; -1 before the first.
    pub plan_revision: i32,
    /// When the request that made it was accepted.
    pub accepted_at: Timestamp,
    /// When the first containing or revoking call was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_revocation_at: Option<Timestamp>,
    /// When it was settled for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Until when something that it revoked can still work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_until: Option<Timestamp>,
    /// The weakest evidence on which the status rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "read")]
    pub weakest_grade: Option<Grade>,
    /// The newest step of each target, in the order of the plans.
    pub steps: Vec<StepView>,
    /// Its inspections, oldest first; the last closing one decides.
    pub inspections: Vec<InspectionView>,
}

/// One idempotent effect on one entitlement, with its last call and the last re-read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// Its id.
    pub id: Uuid,
    /// The plan revision that it belongs to.
    pub revision: i32,
    /// Its place in that plan.
    pub ordinal: i32,
    /// The account that it hangs on, by the provider's id.
    pub account: String,
    /// What it does.
    #[schema(value_type = String, example = "remove_from_group")]
    pub action: Action,
    /// What it is for.
    #[schema(value_type = String, example = "revoke")]
    pub class: StepClass,
    /// The kind of what it ends.
    #[schema(value_type = String, example = "group")]
    pub target_kind: EntitlementKind,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// The provider's name for what it ends, where the plan kept one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it can be taken back.
    #[schema(value_type = String, example = "reversible")]
    pub reversibility: Reversibility,
    /// Its state.
    #[schema(value_type = String, example = "verified")]
    pub state: StepState,
    /// Why, for a blocked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// The best evidence that can be had for it.
    #[schema(value_type = String, example = "read")]
    pub declared_grade: Grade,
    /// The evidence that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "read")]
    pub verified_grade: Option<Grade>,
    /// When that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The named rule that the evidence rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Until when what it ended can still work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_until: Option<Timestamp>,
    /// Its last intended call; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectView>,
    /// What the last re-read saw of it: `gone`, `there`, `inert` or `unread`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// When that re-read was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// What a person is asked, for a manual step: a task of this step's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskWordsView>,
}

/// One intended call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// When its intent was committed, which is before the call.
    pub intent_at: Timestamp,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// `done`, `already_gone`, `not_applied`, `lost` or `refused`; absent while unanswered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The provider's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
}

/// One reading of the subject's entitlements at the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InspectionView {
    /// Its id.
    pub id: Uuid,
    /// Its place among the job's inspections.
    pub seq: i32,
    /// `contain`, `opening` or `closing`.
    pub purpose: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How each family of each account was read.
    pub families: Vec<FamilyView>,
}

/// How one family of one account was read. Only `complete`, or `unsupported` under a rule, proves absence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FamilyView {
    /// The account, by the provider's id.
    pub account: String,
    /// The family.
    #[schema(value_type = String, example = "session")]
    pub family: EntitlementKind,
    /// How well it was read.
    #[schema(value_type = String, example = "complete")]
    pub result: FamilyResult,
    /// How many entitlements it held.
    pub found: i32,
    /// The named rule that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The particulars of a read that did not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl JobView {
    /// The view of a job at `now`; its status is that of the standing at its connection, unknown where there is none.
    #[must_use]
    pub fn new(facts: JobFacts, standings: &[Standing], now: Timestamp) -> Self {
        let standing = standings
            .iter()
            .find(|standing| standing.connection == facts.connection);
        Self {
            id: facts.id.0,
            connection: facts.connection_name,
            provider: facts.provider,
            state: facts.state,
            state_reason: facts.state_reason,
            status: standing.map_or(Status::Unknown, |standing| standing.status(now)),
            intent: facts.intent,
            urgency: facts.urgency,
            effective_at: facts.effective_at,
            due_at: facts.due_at,
            attempt: facts.attempt,
            failures: facts.failures,
            failing_since: facts.failing_since,
            lease_epoch: facts.lease_epoch,
            plan_revision: facts.plan_revision,
            accepted_at: facts.accepted_at,
            first_revocation_at: facts.first_revocation_at,
            settled_at: facts.settled_at,
            residual_until: standing
                .and_then(|standing| standing.facts.residual_until)
                .filter(|until| *until > now),
            weakest_grade: standing.and_then(|standing| standing.facts.weakest_grade),
            steps: facts.steps.into_iter().map(StepView::from).collect(),
            inspections: facts
                .inspections
                .into_iter()
                .map(InspectionView::from)
                .collect(),
        }
    }
}

impl From<StepFacts> for StepView {
    fn from(facts: StepFacts) -> Self {
        Self {
            id: facts.id.0,
            revision: facts.revision,
            ordinal: facts.ordinal,
            account: facts.account,
            action: facts.action,
            class: facts.class,
            target_kind: facts.target_kind,
            target_key: facts.target_key,
            label: facts.label,
            privileged: facts.privileged,
            reversibility: facts.reversibility,
            state: facts.state,
            state_reason: facts.state_reason,
            declared_grade: facts.declared_grade,
            verified_grade: facts.verified_grade,
            verified_at: facts.verified_at,
            rule: facts.rule,
            residual_until: facts.residual_until,
            effect: facts.effect.map(EffectView::from),
            seen: facts.verdict,
            seen_at: facts.seen_at,
            task: facts.task.map(TaskWordsView::from),
        }
    }
}

impl From<EffectFacts> for EffectView {
    fn from(facts: EffectFacts) -> Self {
        Self {
            intent_at: facts.intent_at,
            answered_at: facts.answered_at,
            status: facts.status,
            outcome: facts.outcome,
            code: facts.code,
            provider_request_id: facts.provider_request_id,
        }
    }
}

impl From<InspectionFacts> for InspectionView {
    fn from(facts: InspectionFacts) -> Self {
        let family = |facts: FamilyFacts| FamilyView {
            account: facts.account,
            family: facts.family,
            result: facts.result,
            found: facts.found,
            rule: facts.rule,
            detail: facts.detail,
        };
        Self {
            id: facts.id,
            seq: facts.seq,
            purpose: facts.purpose,
            started_at: facts.started_at,
            ended_at: facts.ended_at,
            families: facts.families.into_iter().map(family).collect(),
        }
    }
}
