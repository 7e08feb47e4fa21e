//! Plans as rows: their steps, the needs between them, what is asked of people, and whom they affect.

use futures::try_join;
use serde_json::{Value, json};
use sever_audit::Particulars;
use sever_domain::StepState;
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::epoch::IntendedStep;
use super::types::{Affected, ClaimedJob, NewPlan, NewStep};
use crate::error::StoreError;
use crate::pool::Tx;

const INSERT_PLAN: &str =
    "INSERT INTO plan (job_id, revision, inspection_id, epoch, digest) VALUES ($1, $2, $3, $4, $5)";

const INSERT_STEPS: &str = "
INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility,
                  declared_grade, rule, facts, state, state_reason, residual_s, fence_until)
SELECT s.id, $1, $2, s.ordinal, s.binding, s.action, s.class, s.kind, s.target, s.privileged, s.reversibility,
       s.grade, s.rule, s.facts, s.state, s.reason, s.residual, now() + make_interval(secs => s.fence)
FROM unnest($3::uuid[], $4::int4[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bool[], $11::text[],
            $12::text[], $13::text[], $14::jsonb[], $15::text[], $16::text[], $17::int8[], $18::float8[])
     AS s (id, ordinal, binding, action, class, kind, target, privileged, reversibility, grade, rule, facts, state, reason, residual, fence)";

const INSERT_NEEDS: &str = "
INSERT INTO step_need (step_id, needs_step_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])";

const INSERT_AFFECTED: &str = "
INSERT INTO blast_radius (job_id, people, groups, applications, complete, last_sign_in_path, calls, seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (job_id) DO UPDATE SET people = excluded.people, groups = excluded.groups, applications = excluded.applications,
    complete = excluded.complete, last_sign_in_path = excluded.last_sign_in_path, calls = excluded.calls, seconds = excluded.seconds,
    counted_at = now()";

const INSERT_TASKS: &str = "
INSERT INTO task (step_id, asked_of, what, link, evidence_required, due_at)
SELECT t.step_id, t.asked_of, t.what, t.link, t.evidence, now() + make_interval(secs => t.due)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[]) AS t (step_id, asked_of, what, link, evidence, due)";

/// What refers to each other here, and what other modules' rows refer to: prepared before it travels together.
pub(super) const STATEMENTS: [&str; 3] = [INSERT_PLAN, INSERT_STEPS, INSERT_NEEDS];

/// Stores a plan, its steps and their needs; everything is sent when it is first polled. Intended steps are
/// stored as `applying`.
pub(super) async fn insert_plan(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    plan: &NewPlan,
    inspection: Option<Uuid>,
    intended: &[IntendedStep],
) -> Result<(), StoreError> {
    let doing = "writing a plan";
    let inspection = inspection.ok_or(StoreError::Corrupt {
        column: "plan.inspection_id",
        problem: "a plan must rest on an inspection of its own transaction".to_owned(),
    })?;
    let steps: Vec<&PlannedStep> = plan.steps.iter().map(|step| &step.planned).collect();
    let digest = sever_audit::digest_of(&steps).to_vec();
    let (job, epoch) = (claimed.lease.job.0, claimed.lease.epoch);
    let values: &[&(dyn ToSql + Sync)] = &[&job, &plan.revision, &inspection, &epoch, &digest];
    try_join!(
        tx.execute(INSERT_PLAN, values, doing),
        insert_steps(tx, job, plan, intended),
        insert_needs(tx, plan),
        insert_tasks(tx, plan),
        insert_affected(tx, job, plan.affected.as_ref())
    )
    .map(drop)
}

async fn insert_needs(tx: &Tx<'_>, plan: &NewPlan) -> Result<(), StoreError> {
    let edges: Vec<(Uuid, Uuid)> = plan
        .steps
        .iter()
        .flat_map(|step| {
            step.planned
                .needs
                .iter()
                .map(|needs| (step.id.0, plan.steps[*needs].id.0))
        })
        .collect();
    if edges.is_empty() {
        return Ok(());
    }
    let (steps, needs): (Vec<Uuid>, Vec<Uuid>) = edges.into_iter().unzip();
    tx.execute(INSERT_NEEDS, &[&steps, &needs], "writing a plan's edges")
        .await
        .map(drop)
}

async fn insert_affected(
    tx: &Tx<'_>,
    job: Uuid,
    affected: Option<&Affected>,
) -> Result<(), StoreError> {
    let Some(affected) = affected else {
        return Ok(());
    };
    tx.execute_one(
        INSERT_AFFECTED,
        &[
            &job,
            &affected.people,
            &affected.groups,
            &affected.applications,
            &affected.complete,
            &affected.last_sign_in_path,
            &affected.calls,
            &affected.seconds,
        ],
        "writing who is affected",
    )
    .await
}

/// The tasks of a plan's manual steps.
async fn insert_tasks(tx: &Tx<'_>, plan: &NewPlan) -> Result<(), StoreError> {
    let tasks: Vec<(Uuid, &ManualTask)> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.planned.disposition {
            Disposition::Manual { task } => Some((step.id.0, task)),
            Disposition::MustGo | Disposition::Inert { .. } | Disposition::Blocked { .. } => None,
        })
        .collect();
    if tasks.is_empty() {
        return Ok(());
    }
    let steps: Vec<Uuid> = tasks.iter().map(|(step, _)| *step).collect();
    let asked_of: Vec<&str> = tasks
        .iter()
        .map(|(_, task)| task.asked_of.as_str())
        .collect();
    let what: Vec<&str> = tasks.iter().map(|(_, task)| task.what.as_str()).collect();
    let links: Vec<Option<&str>> = tasks.iter().map(|(_, task)| task.link.as_deref()).collect();
    let evidence: Vec<&str> = tasks
        .iter()
        .map(|(_, task)| task.evidence.as_str())
        .collect();
    let due: Vec<i64> = tasks.iter().map(|(_, task)| task.due_s).collect();
    tx.execute(
        INSERT_TASKS,
        &[&steps, &asked_of, &what, &links, &evidence, &due],
        "writing tasks",
    )
    .await
    .map(drop)
}

async fn insert_steps(
    tx: &Tx<'_>,
    job: Uuid,
    plan: &NewPlan,
    intended: &[IntendedStep],
) -> Result<(), StoreError> {
    if plan.steps.is_empty() {
        return Ok(());
    }
    let steps = &plan.steps;
    let words = |word: fn(&PlannedStep) -> &str| -> Vec<&str> {
        steps.iter().map(|step| word(&step.planned)).collect()
    };
    let ids: Vec<Uuid> = steps.iter().map(|step| step.id.0).collect();
    let ordinals: Vec<i32> = (0..).take(steps.len()).collect();
    let bindings: Vec<Uuid> = steps.iter().map(|step| step.planned.binding.0).collect();
    let actions = words(|step| step.action.as_str());
    let classes = words(|step| step.class.as_str());
    let kinds = words(|step| step.target_kind.as_str());
    let targets = words(|step| step.target_key.as_str());
    let privileged: Vec<bool> = steps.iter().map(|step| step.planned.privileged).collect();
    let reversible = words(|step| step.reversibility.as_str());
    let grades = words(|step| step.grade.as_str());
    let rules: Vec<Option<&String>> = steps.iter().map(|step| rule(&step.planned)).collect();
    let facts: Vec<Json<&Value>> = steps.iter().map(|step| Json(&step.planned.facts)).collect();
    let states: Vec<&str> = steps.iter().map(|step| first(step, intended)).collect();
    let reasons: Vec<Option<&str>> = steps.iter().map(|step| step.reason.as_deref()).collect();
    let residual: Vec<Option<i64>> = steps.iter().map(|step| step.planned.residual_s).collect();
    let fences: Vec<Option<f64>> = steps.iter().map(fence).collect();
    tx.execute(
        INSERT_STEPS,
        &[
            &job,
            &plan.revision,
            &ids,
            &ordinals,
            &bindings,
            &actions,
            &classes,
            &kinds,
            &targets,
            &privileged,
            &reversible,
            &grades,
            &rules,
            &facts,
            &states,
            &reasons,
            &residual,
            &fences,
        ],
        "writing a plan's steps",
    )
    .await?;
    Ok(())
}

/// The state in which a step is stored: `applying` where its call goes out with this transaction.
fn first(step: &NewStep, intended: &[IntendedStep]) -> &'static str {
    if intended.iter().any(|wanted| wanted.step == step.id) {
        StepState::Applying.as_str()
    } else {
        step.state.as_str()
    }
}

fn rule(step: &PlannedStep) -> Option<&String> {
    match &step.disposition {
        Disposition::Inert { rule } => Some(rule),
        Disposition::MustGo | Disposition::Blocked { .. } | Disposition::Manual { .. } => {
            step.rule.as_ref()
        }
    }
}

fn fence(step: &NewStep) -> Option<f64> {
    step.fence.map(|fence| fence.as_secs_f64())
}

pub(super) fn describe_plan(plan: &NewPlan) -> Particulars {
    let steps = plan.steps.iter().map(|step| {
        json!({"step": step.id, "action": step.planned.action, "target_kind": step.planned.target_kind, "target": step.planned.target_key, "state": step.state, "reversibility": step.planned.reversibility})
    });
    Particulars::listed(&json!({"revision": plan.revision}), "steps", steps)
}
