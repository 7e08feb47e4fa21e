//! How a foretold removal is shown over HTTP: what would be done at each connection, in order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::{
    Action, EntitlementKind, Intent, JobId, JobState, Provider, Reversibility, StepState,
};
use sever_store::job::Affected;
use sever_store::job_view::{JobFacts, StepFacts};
use sever_store::opt_out_view::OptOutFacts;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a removal would do. Nothing was written at any provider for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// Its id.
    pub id: Uuid,
    /// Whose removal, by the pseudonymous subject id.
    pub subject: Uuid,
    /// How far it would go.
    #[schema(value_type = String, example = "remove")]
    pub intent: Intent,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Whether every connection has answered.
    pub complete: bool,
    /// What would be done where, by connection.
    pub connections: Vec<ConnectionPlanView>,
}

/// What a removal would do at one connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionPlanView {
    /// The connection's name.
    pub connection: String,
    /// Its provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// The state of the job that plans: `done` once the plan is there.
    #[schema(value_type = String, example = "done")]
    pub state: JobState,
    /// What would stop the removal at once, or keeps the plan from being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// Who else is affected, and what the work costs; absent until the plan is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affects: Option<AffectedView>,
    /// Every effect, in order.
    pub steps: Vec<PlannedStepView>,
}

/// Who else is affected by a removal, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AffectedView {
    /// People who lose access; the mass guard is charged with them.
    pub people: i64,
    /// Groups through which they had it.
    pub groups: i64,
    /// Applications that depend on the subject.
    pub applications: i64,
    /// Whether all of them were counted; where not, there may be more.
    pub complete: bool,
    /// Whether the organisation's last way to sign in goes through the subject.
    pub last_sign_in_path: bool,
    /// Calls that the work needs, the closing inspection included.
    pub calls: i64,
    /// Seconds that they take under the provider's rate limits.
    pub seconds: f64,
}

/// One effect as it would be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedStepView {
    /// Its place in the order.
    pub ordinal: i32,
    /// The account or application that it hangs on, by the provider's id.
    pub account: String,
    /// What it does.
    #[schema(value_type = String, example = "remove_from_group")]
    pub action: Action,
    /// The kind of what it ends.
    #[schema(value_type = String, example = "group")]
    pub target_kind: EntitlementKind,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// The provider's name for it, where the plan kept one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// What becomes of it.
    #[schema(value_type = String, example = "goes")]
    pub becomes: Becomes,
    /// Whether it can be taken back.
    #[schema(value_type = String, example = "reversible")]
    pub reversibility: Reversibility,
    /// The reason why it is blocked, or the rule under which it is inert or proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Seconds for which what it ends can still work after its proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual_s: Option<i64>,
}

/// What becomes of an entitlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    /// A call ends it.
    Goes,
    /// It ends with something else, and no call is made for it.
    Left,
    /// It stays, and cannot act once the account is where the removal leaves it: a rule says so.
    Inert,
    /// No call of ours can take it, and a person must see to it.
    Blocked,
    /// A person is asked to end it.
    Manual,
}

impl PlanView {
    /// The plan of a foretold opt-out.
    #[must_use]
    pub fn new(facts: OptOutFacts, affected: &BTreeMap<JobId, Affected>) -> Self {
        let complete = facts.jobs.iter().all(|job| !job.state.is_open());
        Self {
            id: facts.head.id.0,
            subject: facts.head.subject.0,
            intent: facts.head.intent,
            asked_at: facts.head.opened_at,
            complete,
            connections: facts
                .jobs
                .into_iter()
                .map(|job| connection(affected.get(&job.id), job))
                .collect(),
        }
    }
}

fn connection(affected: Option<&Affected>, job: JobFacts) -> ConnectionPlanView {
    ConnectionPlanView {
        connection: job.connection_name,
        provider: job.provider,
        state: job.state,
        stopped_by: job.state_reason,
        affects: affected.map(|affected| AffectedView {
            people: affected.people,
            groups: affected.groups,
            applications: affected.applications,
            complete: affected.complete,
            last_sign_in_path: affected.last_sign_in_path,
            calls: affected.calls,
            seconds: affected.seconds,
        }),
        steps: job.steps.into_iter().map(planned).collect(),
    }
}

fn planned(step: StepFacts) -> PlannedStepView {
    PlannedStepView {
        becomes: becomes(&step),
        ordinal: step.ordinal,
        account: step.account,
        action: step.action,
        target_kind: step.target_kind,
        target_key: step.target_key,
        label: step.label,
        privileged: step.privileged,
        reversibility: step.reversibility,
        because: step.state_reason.or(step.rule),
        residual_s: step.residual_s,
    }
}

fn becomes(step: &StepFacts) -> Becomes {
    match (step.state, step.action) {
        (StepState::Blocked, _) => Becomes::Blocked,
        (StepState::Asked | StepState::Asserted | StepState::Attested, _) => Becomes::Manual,
        // What ends with its account has a rule as well, and can work on for a while.
        (_, Action::Leave) if step.rule.is_some() && step.residual_s.is_none() => Becomes::Inert,
        (_, Action::Leave) => Becomes::Left,
        (_, _) => Becomes::Goes,
    }
}
