//! Jobs as they are shown: state and times, the steps that matter, and what the re-reads saw.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{
    Action, ConnectionId, EntitlementKind, Grade, Intent, JobId, JobState, OptOutId, Provider,
    Reversibility, StepClass, StepId, StepState, Urgency,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::{word, word_opt};
use crate::task::{self, TaskWords};

const JOBS: &str = "
SELECT job.id, connection_id, connection.name, job.provider, job.state, job.state_reason, intent, urgency, effective_at, due_at,
       attempt, failures, failing_since, lease_epoch, plan_revision, accepted_at, first_revocation_at, settled_at
FROM job JOIN connection ON connection.id = job.connection_id
WHERE opt_out_id = $1 ORDER BY job.created_at, job.id";

/// For each target the step of its newest revision; an older one was superseded by the later reading.
const STEPS: &str = "
WITH latest AS (
    SELECT DISTINCT ON (job_id, binding_id, action, target_kind, target_key) * FROM step
    WHERE job_id = ANY($1)
    ORDER BY job_id, binding_id, action, target_kind, target_key, revision DESC
)
SELECT latest.job_id, latest.id, latest.revision, latest.ordinal, binding.provider_id AS account, action, class, target_kind, target_key,
       latest.facts ->> 'label' AS label, privileged, reversibility, latest.state, state_reason, declared_grade, verified_grade,
       verified_at, coalesce(seen.rule, latest.rule) AS rule, latest.residual_s, residual_until,
       effect.intent_at, effect.answered_at, effect.status, effect.outcome, effect.code, effect.provider_request_id,
       seen.verdict, seen.at AS seen_at,
       task.asked_of, task.what, task.link, task.evidence_required, task.asked_at, task.due_at, task.evidence, task.evidence_digest,
       task.evidence_reference, task.done_by, task.done_at, task.confirmed_by, task.confirmed_at, task.refused_by, task.refused_why
FROM latest
JOIN binding ON binding.id = latest.binding_id
LEFT JOIN LATERAL (SELECT * FROM effect WHERE effect.step_id = latest.id ORDER BY no DESC LIMIT 1) AS effect ON true
LEFT JOIN LATERAL (SELECT * FROM verification WHERE verification.step_id = latest.id ORDER BY no DESC LIMIT 1) AS seen ON true
LEFT JOIN task ON task.step_id = latest.id
ORDER BY latest.job_id, latest.revision, latest.ordinal";

const INSPECTIONS: &str = "
SELECT inspection.job_id, inspection.id, seq, purpose, started_at, ended_at,
       binding.provider_id AS account, family.family, family.result, family.found, family.rule, family.detail
FROM inspection
LEFT JOIN inspection_family AS family ON family.inspection_id = inspection.id
LEFT JOIN binding ON binding.id = family.binding_id
WHERE inspection.job_id = ANY($1)
ORDER BY inspection.job_id, seq, account, family.family";

/// One opt-out at one connection.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// Its id.
    pub id: JobId,
    /// The connection.
    pub connection: ConnectionId,
    /// The connection's name.
    pub connection_name: String,
    /// The provider.
    pub provider: Provider,
    /// Its state.
    pub state: JobState,
    /// Why it is in that state, where somebody said so.
    pub state_reason: Option<String>,
    /// How far it goes here.
    pub intent: Intent,
    /// Which queue its bell takes.
    pub urgency: Urgency,
    /// When it takes effect here.
    pub effective_at: Timestamp,
    /// When it may run next.
    pub due_at: Option<Timestamp>,
    /// Attempts so far.
    pub attempt: i32,
    /// Failures in a row.
    pub failures: i32,
    /// When the present series of failures began.
    pub failing_since: Option<Timestamp>,
    /// How often it has been claimed.
    pub lease_epoch: i64,
    /// The newest stored plan; -1 before the first.
    pub plan_revision: i32,
    /// When the request that made it was accepted.
    pub accepted_at: Timestamp,
    /// When the first containing or revoking call was answered.
    pub first_revocation_at: Option<Timestamp>,
    /// When it was settled for good.
    pub settled_at: Option<Timestamp>,
    /// The newest step of each target, in the order of the plans.
    pub steps: Vec<StepFacts>,
    /// Its inspections, oldest first; the last closing one decides.
    pub inspections: Vec<InspectionFacts>,
}

/// One step with its last effect and the last re-read.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFacts {
    /// Its id.
    pub id: StepId,
    /// The plan revision that it belongs to.
    pub revision: i32,
    /// Its place in that plan.
    pub ordinal: i32,
    /// The account that it hangs on, by the provider's id.
    pub account: String,
    /// What it does.
    pub action: Action,
    /// What it is for.
    pub class: StepClass,
    /// The kind of what it ends.
    pub target_kind: EntitlementKind,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// The provider's name for what it ends, where the plan kept one.
    pub label: Option<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
    /// Its state.
    pub state: StepState,
    /// Why, for a blocked one.
    pub state_reason: Option<String>,
    /// The best evidence that can be had for it.
    pub declared_grade: Grade,
    /// The evidence that it has.
    pub verified_grade: Option<Grade>,
    /// When that was read.
    pub verified_at: Option<Timestamp>,
    /// The named rule that the evidence rests on.
    pub rule: Option<String>,
    /// Seconds for which what it ends can still work after its proof.
    pub residual_s: Option<i64>,
    /// Until when what it ended can still work.
    pub residual_until: Option<Timestamp>,
    /// Its last intended call.
    pub effect: Option<EffectFacts>,
    /// What the last re-read saw of it: `gone`, `there`, `inert` or `unread`.
    pub verdict: Option<String>,
    /// When that re-read was.
    pub seen_at: Option<Timestamp>,
    /// What a person is asked, for a manual step.
    pub task: Option<TaskWords>,
}

/// One intended call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectFacts {
    /// When its intent was committed.
    pub intent_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// The HTTP status of the answer.
    pub status: Option<i32>,
    /// `done`, `already_gone`, `not_applied`, `lost` or `refused`; `None` while unanswered.
    pub outcome: Option<String>,
    /// The provider's own code.
    pub code: Option<String>,
    /// The provider's id of the request.
    pub provider_request_id: Option<String>,
}

/// One reading of the subject's entitlements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectionFacts {
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
    pub families: Vec<FamilyFacts>,
}

/// How one family of one account was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyFacts {
    /// The account, by the provider's id.
    pub account: String,
    /// The family.
    pub family: EntitlementKind,
    /// How well it was read.
    pub result: FamilyResult,
    /// How many entitlements it held.
    pub found: i32,
    /// The named rule that covers it.
    pub rule: Option<String>,
    /// The particulars of a read that did not work.
    pub detail: Option<String>,
}

/// The jobs of an opt-out, oldest first, with their steps and inspections.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn of_opt_out(client: &Client, opt_out: OptOutId) -> Result<Vec<JobFacts>, StoreError> {
    let rows = client
        .query(JOBS, &[&opt_out.0], "reading the jobs of an opt-out")
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
    let mut steps = steps(client, &ids).await?;
    let mut inspections = inspections(client, &ids).await?;
    rows.iter()
        .map(|row| {
            let id = row.get("id");
            let steps = steps.remove(&id).unwrap_or_default();
            job(row, steps, inspections.remove(&id).unwrap_or_default())
        })
        .collect()
}

async fn steps(
    client: &Client,
    jobs: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<StepFacts>>, StoreError> {
    let rows = client
        .query(STEPS, &[&jobs], "reading the steps of jobs")
        .await?;
    let mut by_job: BTreeMap<Uuid, Vec<StepFacts>> = BTreeMap::new();
    for row in &rows {
        by_job
            .entry(row.get("job_id"))
            .or_default()
            .push(step(row)?);
    }
    Ok(by_job)
}

async fn inspections(
    client: &Client,
    jobs: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<InspectionFacts>>, StoreError> {
    let rows = client
        .query(INSPECTIONS, &[&jobs], "reading the inspections of jobs")
        .await?;
    let mut by_job: BTreeMap<Uuid, Vec<InspectionFacts>> = BTreeMap::new();
    for row in &rows {
        let list = by_job.entry(row.get("job_id")).or_default();
        let id: Uuid = row.get("id");
        if list.last().is_none_or(|last| last.id != id) {
            list.push(inspection(row, id));
        }
        if let (Some(family), Some(last)) = (family(row)?, list.last_mut()) {
            last.families.push(family);
        }
    }
    Ok(by_job)
}

fn job(
    row: &Row,
    steps: Vec<StepFacts>,
    inspections: Vec<InspectionFacts>,
) -> Result<JobFacts, StoreError> {
    Ok(JobFacts {
        id: JobId(row.get("id")),
        connection: ConnectionId(row.get("connection_id")),
        connection_name: row.get("name"),
        provider: word(row, "provider")?,
        state: word(row, "state")?,
        state_reason: row.get("state_reason"),
        intent: word(row, "intent")?,
        urgency: word(row, "urgency")?,
        effective_at: row.get("effective_at"),
        due_at: row.get("due_at"),
        attempt: row.get("attempt"),
        failures: row.get("failures"),
        failing_since: row.get("failing_since"),
        lease_epoch: row.get("lease_epoch"),
        plan_revision: row.get("plan_revision"),
        accepted_at: row.get("accepted_at"),
        first_revocation_at: row.get("first_revocation_at"),
        settled_at: row.get("settled_at"),
        steps,
        inspections,
    })
}

fn step(row: &Row) -> Result<StepFacts, StoreError> {
    let effect = row
        .get::<_, Option<Timestamp>>("intent_at")
        .map(|intent_at| EffectFacts {
            intent_at,
            answered_at: row.get("answered_at"),
            status: row.get("status"),
            outcome: row.get("outcome"),
            code: row.get("code"),
            provider_request_id: row.get("provider_request_id"),
        });
    Ok(StepFacts {
        id: StepId(row.get("id")),
        revision: row.get("revision"),
        ordinal: row.get("ordinal"),
        account: row.get("account"),
        action: word(row, "action")?,
        class: word(row, "class")?,
        target_kind: word(row, "target_kind")?,
        target_key: row.get("target_key"),
        label: row.get("label"),
        privileged: row.get("privileged"),
        reversibility: word(row, "reversibility")?,
        state: word(row, "state")?,
        state_reason: row.get("state_reason"),
        declared_grade: word(row, "declared_grade")?,
        verified_grade: word_opt(row, "verified_grade")?,
        verified_at: row.get("verified_at"),
        rule: row.get("rule"),
        residual_s: row.get("residual_s"),
        residual_until: row.get("residual_until"),
        effect,
        verdict: row.get("verdict"),
        seen_at: row.get("seen_at"),
        task: row
            .get::<_, Option<&str>>("asked_of")
            .map(|_| task::words(row)),
    })
}

fn inspection(row: &Row, id: Uuid) -> InspectionFacts {
    InspectionFacts {
        id,
        seq: row.get("seq"),
        purpose: row.get("purpose"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        families: Vec::new(),
    }
}

/// `None` for an inspection without any family.
fn family(row: &Row) -> Result<Option<FamilyFacts>, StoreError> {
    let Some(family) = word_opt(row, "family")? else {
        return Ok(None);
    };
    Ok(Some(FamilyFacts {
        account: row.get("account"),
        family,
        result: word(row, "result")?,
        found: row.get("found"),
        rule: row.get("rule"),
        detail: row.get("detail"),
    }))
}
