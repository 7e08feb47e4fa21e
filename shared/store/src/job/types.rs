//! The rows of a job's work, as values.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sever_domain::entitlement::AccountReading;
use sever_domain::guard::MassGuard;
use sever_domain::identity::{BindingBasis, BindingState};
use sever_domain::plan::PlannedStep;
use sever_domain::{
    Action, BindingId, ConnectionId, EntitlementKind, Grade, HoldReason, InstanceId, Intent, JobId,
    JobKind, OptOutId, Provider, StepId, StepState, SubjectId, SubjectKind, Urgency,
};
use uuid::Uuid;

/// The right to write for a job: epoch and token must both be the row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The epoch; one more than the claim before.
    pub epoch: i64,
    /// A random token, new with every claim.
    pub token: Uuid,
    /// The process that holds it.
    pub instance: InstanceId,
    /// The database's incarnation, as the process read it at start.
    pub incarnation: Uuid,
}

/// A claimed job with everything that its epoch starts from.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// The lease.
    pub lease: Lease,
    /// The provider.
    pub provider: Provider,
    /// Which queue its bells take.
    pub urgency: Urgency,
    /// How far the removal goes at this connection.
    pub intent: Intent,
    /// The opt-out.
    pub opt_out: OptOutId,
    /// The opt-out's revision at the claim.
    pub opt_out_revision: i32,
    /// What the job is for.
    pub kind: JobKind,
    /// Who loses access.
    pub subject: SubjectId,
    /// What kind of subject it is.
    pub subject_kind: SubjectKind,
    /// The subject's version at the claim.
    pub subject_version: i64,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's version at the claim.
    pub connection_version: i64,
    /// Attempts so far.
    pub attempts: i32,
    /// Failures in a row.
    pub failures: i32,
    /// How long it has been failing while the connection's breaker was closed; zero where it is not failing.
    pub failing_for: Duration,
    /// Whether the connection's breaker wants to hear of answers too.
    pub breaker_listens: bool,
    /// The newest stored plan; -1 before the first.
    pub plan_revision: i32,
    /// The opt-out revision that the newest plan knows; 0 before the first.
    pub planned_for: i32,
    /// When the first request was accepted.
    pub accepted_at: Timestamp,
    /// From when the removal is to be in force.
    pub effective_at: Timestamp,
    /// When the first effect was answered.
    pub first_revocation_at: Option<Timestamp>,
    /// Who asked first; the guard counts by it.
    pub asked_by: String,
    /// With how many people the mass guard has been charged for this opt-out; 0 before the first intent.
    pub charged: i64,
    /// Whether another job waits for this one.
    pub needed: bool,
    /// Whether jobs that its last steps wait for are not closed yet.
    pub needs_open: bool,
    /// Whether a person says that it was done by hand: this epoch only reads.
    pub resolving: bool,
    /// Who else the job affects, once that was counted.
    pub affected: Option<Affected>,
    /// How long one-way steps wait after their plan.
    pub fence_delay: Duration,
    /// Whether one-way steps need a person's release besides.
    pub fence_approval: bool,
    /// Reasons of holds on this job or opt-out that a person has released.
    pub released: Vec<HoldReason>,
    /// What is known of the subject's accounts here.
    pub bindings: Vec<StoredBinding>,
    /// The steps of the newest plan, in order, after those of plan 0 and what older plans left to be proven.
    pub steps: Vec<StoredStep>,
    /// The newest intent whose answer never came.
    pub unanswered_since: Option<Timestamp>,
    /// When an effect was last answered.
    pub last_answer_at: Option<Timestamp>,
    /// The database's clock at the claim.
    pub now: Timestamp,
}

/// The connection's breaker when a job was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BreakerAtClaim {
    /// Whether it wants to hear of answers too.
    pub(super) listens: bool,
    /// How long it has been not closed, all in all.
    pub(super) open_for: SignedDuration,
}

/// A binding as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBinding {
    /// The binding.
    pub id: BindingId,
    /// The provider's immutable id.
    pub provider_id: String,
    /// What is known of it.
    pub state: BindingState,
    /// Why it is believed.
    pub basis: BindingBasis,
}

/// A step as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStep {
    /// The step.
    pub id: StepId,
    /// The plan it belongs to.
    pub revision: i32,
    /// Its state.
    pub state: StepState,
    /// Effects so far.
    pub effects: i32,
    /// It may not be sent before.
    pub fence_until: Option<Timestamp>,
    /// What was planned; `needs` holds positions within [`ClaimedJob::steps`].
    pub planned: PlannedStep,
}

/// What a resolve found out about one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingJudgement {
    /// The binding; new ids are made by the caller.
    pub id: BindingId,
    /// The provider's immutable id.
    pub provider_id: String,
    /// What is known of it now.
    pub state: BindingState,
    /// Why.
    pub basis: BindingBasis,
}

/// How one intended call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectOutcome {
    /// The provider did it.
    Done,
    /// It was already so.
    AlreadyGone,
    /// It was surely not applied.
    NotApplied,
    /// The answer was lost.
    Lost,
    /// The provider refused.
    Refused,
}

impl EffectOutcome {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyGone => "already_gone",
            Self::NotApplied => "not_applied",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

/// The answer to one intended call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectAnswer {
    /// The step.
    pub step: StepId,
    /// The effect's number.
    pub no: i32,
    /// When, by the database's clock carried by the worker's monotonic one.
    pub answered_at: Timestamp,
    /// How it ended.
    pub outcome: EffectOutcome,
    /// The HTTP status, where one came.
    pub status: Option<i32>,
    /// The provider's error code, where one came.
    pub code: Option<String>,
    /// The provider's id of the exchange.
    pub provider_request_id: Option<String>,
}

/// How a step is named in audit events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepName {
    /// What it does.
    pub action: Action,
    /// The kind of its target.
    pub target_kind: EntitlementKind,
    /// The target's key.
    pub target_key: String,
}

/// A step's change of state, guarded by the state it is expected in.
#[derive(Debug, Clone, PartialEq)]
pub struct StepChange {
    /// The step.
    pub step: StepId,
    /// The state it must be in.
    pub expected: StepState,
    /// The state it gets.
    pub next: StepState,
    /// Why, where it is blocked or inert.
    pub reason: Option<String>,
    /// The evidence, where it is verified.
    pub grade: Option<Grade>,
    /// When it was proven.
    pub verified_at: Option<Timestamp>,
    /// Until when what it ended can still work.
    pub residual_until: Option<Timestamp>,
}

impl StepChange {
    /// A change without evidence.
    #[must_use]
    pub const fn plain(step: StepId, expected: StepState, next: StepState) -> Self {
        Self {
            step,
            expected,
            next,
            reason: None,
            grade: None,
            verified_at: None,
            residual_until: None,
        }
    }
}

/// What an inspection was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionPurpose {
    /// The minimal pre-image of containing.
    Contain,
    /// The pre-image of the plan.
    Opening,
    /// The proof.
    Closing,
}

impl InspectionPurpose {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contain => "contain",
            Self::Opening => "opening",
            Self::Closing => "closing",
        }
    }
}

/// A family that a rule covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyProof {
    /// The account.
    pub binding: BindingId,
    /// The family.
    pub family: EntitlementKind,
    /// The rule's name.
    pub rule: &'static str,
}

/// One account as an inspection read it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadAccount {
    /// The account.
    pub binding: BindingId,
    /// What was read.
    pub reading: AccountReading,
}

/// An inspection to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInspection {
    /// What it was for.
    pub purpose: InspectionPurpose,
    /// When the first read began, by the database's clock carried by the worker's monotonic one.
    pub started_at: Timestamp,
    /// When the last read ended.
    pub ended_at: Timestamp,
    /// What was read.
    pub accounts: Vec<ReadAccount>,
    /// The families that a rule covers.
    pub proofs: Vec<FamilyProof>,
}

/// A step to be stored with its plan.
#[derive(Debug, Clone, PartialEq)]
pub struct NewStep {
    /// Its id, made by the caller.
    pub id: StepId,
    /// Its first state: planned, applying, blocked or asked.
    pub state: StepState,
    /// How long after the plan it may not be sent.
    pub fence: Option<Duration>,
    /// Why, where it is blocked.
    pub reason: Option<String>,
    /// What was planned.
    pub planned: PlannedStep,
}

/// A plan to be stored, resting on the inspection stored in the same transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPlan {
    /// Its number.
    pub revision: i32,
    /// Its steps.
    pub steps: Vec<NewStep>,
    /// Who else it affects, where that was counted for it.
    pub affected: Option<Affected>,
}

/// Who else a job affects, and what its plan costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affected {
    /// People who lose access with the subject.
    pub people: i64,
    /// Groups through which they had it.
    pub groups: i64,
    /// Applications that depend on the subject.
    pub applications: i64,
    /// Whether all of them were counted.
    pub complete: bool,
    /// Whether the organisation's last way to sign in goes through the subject.
    pub last_sign_in_path: bool,
    /// Calls that the plan needs, the closing inspection included.
    pub calls: i64,
    /// Seconds that they take under the provider's rate limits.
    pub seconds: f64,
}

/// What a re-read said of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepVerdict {
    /// Gone.
    Gone,
    /// Still there.
    There,
    /// There, and it cannot act.
    Inert,
    /// The read did not tell.
    Unread,
}

impl StepVerdict {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::There => "there",
            Self::Inert => "inert",
            Self::Unread => "unread",
        }
    }
}

/// The judgement of one step by the closing inspection stored in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The step.
    pub step: StepId,
    /// The evidence.
    pub grade: Grade,
    /// The rule, where the evidence is implied.
    pub rule: Option<String>,
    /// What it says.
    pub verdict: StepVerdict,
}

/// The mass guard with the policy of the hold it opens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardPolicy {
    /// The limits.
    pub mass: MassGuard,
    /// Whether sessions may be cut while its hold stands.
    pub cut_sessions_when_held: bool,
}
