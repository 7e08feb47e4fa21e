//! Inspections, plans and verifications as rows.

use std::collections::BTreeMap;

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use sever_domain::entitlement::FamilyReading;
use sever_domain::plan::{Disposition, ManualTask};
use sever_domain::{BindingId, EntitlementKind, StepState};
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::epoch::IntendedStep;
use super::types::{
    Affected, BindingJudgement, ClaimedJob, NewInspection, NewPlan, NewStep, Verification,
};
use crate::error::StoreError;
use crate::pool::Tx;

/// A binding is judged once more with every resolve; a confirmed id has one owner (unique index).
const JUDGE_BINDING: &str = "
INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
SELECT b.id, $1, $2, $7, b.provider_id, b.state, b.basis, CASE WHEN b.state = 'confirmed' THEN now() END
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[]) AS b (id, provider_id, state, basis)
ON CONFLICT (subject_id, connection_id, kind, provider_id)
DO UPDATE SET state = excluded.state, basis = excluded.basis, confirmed_at = coalesce(binding.confirmed_at, excluded.confirmed_at)";

const INSERT_INSPECTION: &str = "
INSERT INTO inspection (id, job_id, seq, epoch, purpose, started_at, ended_at, digest)
SELECT $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5::timestamptz, greatest($5::timestamptz, $6::timestamptz), $7 FROM inspection WHERE job_id = $2";

const INSERT_FAMILIES: &str = "
INSERT INTO inspection_family (inspection_id, binding_id, family, result, found, rule, detail)
SELECT $1, f.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int4[], $6::text[], $7::text[]) AS f";

const INSERT_ENTITLEMENTS: &str = "
INSERT INTO entitlement (inspection_id, ordinal, binding_id, kind, provider_key, privileged, facts)
SELECT $1, e.* FROM unnest($2::int4[], $3::uuid[], $4::text[], $5::text[], $6::bool[], $7::jsonb[]) AS e";

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

const INSERT_VERIFICATIONS: &str = "
INSERT INTO verification (step_id, no, inspection_id, grade, rule, verdict, at, digest)
SELECT v.step_id, (SELECT coalesce(max(no), 0) + 1 FROM verification AS earlier WHERE earlier.step_id = v.step_id), $5, v.grade, v.rule, v.verdict, $6, $7
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS v (step_id, grade, rule, verdict)";

/// What refers to each other here, and what other modules' rows refer to: prepared before it travels together.
pub(super) const STATEMENTS: [&str; 8] = [
    JUDGE_BINDING,
    INSERT_INSPECTION,
    INSERT_FAMILIES,
    INSERT_ENTITLEMENTS,
    INSERT_PLAN,
    INSERT_STEPS,
    INSERT_NEEDS,
    INSERT_VERIFICATIONS,
];

pub(super) async fn judge_bindings(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    judged: &[BindingJudgement],
) -> Result<(), StoreError> {
    if judged.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = judged.iter().map(|binding| binding.id.0).collect();
    let accounts: Vec<&str> = judged
        .iter()
        .map(|binding| binding.provider_id.as_str())
        .collect();
    let states: Vec<&str> = judged
        .iter()
        .map(|binding| binding.state.as_str())
        .collect();
    let bases: Vec<&str> = judged
        .iter()
        .map(|binding| binding.basis.as_str())
        .collect();
    tx.execute(
        JUDGE_BINDING,
        &[
            &claimed.subject.0,
            &claimed.connection.0,
            &ids,
            &accounts,
            &states,
            &bases,
            &claimed.subject_kind.binding_kind(),
        ],
        "judging bindings",
    )
    .await?;
    Ok(())
}

/// Stores an inspection with its families and entitlements. Everything is sent when it is first polled.
pub(super) async fn insert_inspection(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    id: Uuid,
    inspection: &NewInspection,
    digest: &[u8],
) -> Result<(), StoreError> {
    let doing = "writing an inspection";
    let (job, epoch, purpose) = (
        claimed.lease.job.0,
        claimed.lease.epoch,
        inspection.purpose.as_str(),
    );
    let values: &[&(dyn ToSql + Sync)] = &[
        &id,
        &job,
        &epoch,
        &purpose,
        &inspection.started_at,
        &inspection.ended_at,
        &digest,
    ];
    let families: Vec<(BindingId, &FamilyReading)> = inspection
        .accounts
        .iter()
        .flat_map(|account| {
            account
                .reading
                .families
                .iter()
                .map(move |family| (account.binding, family))
        })
        .collect();
    try_join!(
        tx.execute(INSERT_INSPECTION, values, doing),
        insert_families(tx, id, inspection, &families),
        insert_entitlements(tx, id, &families)
    )
    .map(drop)
}

async fn insert_families(
    tx: &Tx<'_>,
    id: Uuid,
    inspection: &NewInspection,
    families: &[(BindingId, &FamilyReading)],
) -> Result<(), StoreError> {
    let rule = |binding: BindingId, family: EntitlementKind| {
        inspection
            .proofs
            .iter()
            .find(|proof| proof.binding == binding && proof.family == family)
            .map(|proof| proof.rule)
    };
    let bindings: Vec<Uuid> = families.iter().map(|(binding, _)| binding.0).collect();
    let kinds: Vec<&str> = families
        .iter()
        .map(|(_, family)| family.family.as_str())
        .collect();
    let results: Vec<&str> = families
        .iter()
        .map(|(_, family)| family.result.as_str())
        .collect();
    let found: Vec<i32> = families
        .iter()
        .map(|(_, family)| i32::try_from(family.entitlements.len()).unwrap_or(i32::MAX))
        .collect();
    let rules: Vec<Option<&str>> = families
        .iter()
        .map(|(binding, family)| rule(*binding, family.family))
        .collect();
    let details: Vec<Option<&str>> = families
        .iter()
        .map(|(_, family)| family.detail.as_deref())
        .collect();
    tx.execute(
        INSERT_FAMILIES,
        &[&id, &bindings, &kinds, &results, &found, &rules, &details],
        "writing inspected families",
    )
    .await?;
    Ok(())
}

async fn insert_entitlements(
    tx: &Tx<'_>,
    id: Uuid,
    families: &[(BindingId, &FamilyReading)],
) -> Result<(), StoreError> {
    let found: Vec<_> = families
        .iter()
        .flat_map(|(binding, family)| {
            family
                .entitlements
                .iter()
                .map(move |entitlement| (*binding, entitlement))
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let ordinals: Vec<i32> = (0..found.len())
        .map(|ordinal| i32::try_from(ordinal).unwrap_or(i32::MAX))
        .collect();
    let bindings: Vec<Uuid> = found.iter().map(|(binding, _)| binding.0).collect();
    let kinds: Vec<&str> = found
        .iter()
        .map(|(_, entitlement)| entitlement.kind.as_str())
        .collect();
    let keys: Vec<&str> = found
        .iter()
        .map(|(_, entitlement)| entitlement.provider_key.as_str())
        .collect();
    let privileged: Vec<bool> = found
        .iter()
        .map(|(_, entitlement)| entitlement.privileged)
        .collect();
    let facts: Vec<Json<&Value>> = found
        .iter()
        .map(|(_, entitlement)| Json(&entitlement.facts))
        .collect();
    tx.execute(
        INSERT_ENTITLEMENTS,
        &[
            &id,
            &ordinals,
            &bindings,
            &kinds,
            &keys,
            &privileged,
            &facts,
        ],
        "writing inspected entitlements",
    )
    .await?;
    Ok(())
}

/// The digest of what was read.
pub(super) fn inspection_digest(inspection: &NewInspection) -> Vec<u8> {
    let accounts: Vec<Value> = inspection
        .accounts
        .iter()
        .map(|account| json!({"binding": account.binding, "reading": account.reading}))
        .collect();
    sever_audit::digest(Value::Array(accounts).to_string().as_bytes()).to_vec()
}

pub(super) fn describe_inspection(inspection: &NewInspection, digest: &[u8]) -> Value {
    let accounts: Vec<Value> = inspection
        .accounts
        .iter()
        .map(|account| {
            let families: BTreeMap<&str, Value> = account
                .reading
                .families
                .iter()
                .map(|family| (family.family.as_str(), json!([family.result, family.entitlements.len()])))
                .collect();
            json!({"binding": account.binding, "account_state": account.reading.account_state, "families": families})
        })
        .collect();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"purpose": inspection.purpose.as_str(), "accounts": accounts, "digest": hex})
}

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
    let digest = sever_audit::digest(
        &serde_json::to_vec(
            &plan
                .steps
                .iter()
                .map(|step| &step.planned)
                .collect::<Vec<_>>(),
        )
        .unwrap_or_default(),
    )
    .to_vec();
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
    let of = |step: &NewStep| {
        if intended.iter().any(|wanted| wanted.step == step.id) {
            StepState::Applying
        } else {
            step.state
        }
    };
    let rule = |step: &NewStep| match &step.planned.disposition {
        Disposition::Inert { rule } => Some(rule.clone()),
        Disposition::MustGo | Disposition::Blocked { .. } | Disposition::Manual { .. } => {
            step.planned.rule.clone()
        }
    };
    let steps = &plan.steps;
    let ids: Vec<Uuid> = steps.iter().map(|step| step.id.0).collect();
    let ordinals: Vec<i32> = (0..steps.len())
        .map(|ordinal| i32::try_from(ordinal).unwrap_or(i32::MAX))
        .collect();
    let bindings: Vec<Uuid> = steps.iter().map(|step| step.planned.binding.0).collect();
    let actions: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.action.as_str())
        .collect();
    let classes: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.class.as_str())
        .collect();
    let kinds: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.target_kind.as_str())
        .collect();
    let targets: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.target_key.as_str())
        .collect();
    let privileged: Vec<bool> = steps.iter().map(|step| step.planned.privileged).collect();
    let reversible: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.reversibility.as_str())
        .collect();
    let grades: Vec<&str> = steps
        .iter()
        .map(|step| step.planned.grade.as_str())
        .collect();
    let rules: Vec<Option<String>> = steps.iter().map(rule).collect();
    let facts: Vec<Json<&Value>> = steps.iter().map(|step| Json(&step.planned.facts)).collect();
    let states: Vec<&str> = steps.iter().map(|step| of(step).as_str()).collect();
    let reasons: Vec<Option<&str>> = steps.iter().map(|step| step.reason.as_deref()).collect();
    let residual: Vec<Option<i64>> = steps.iter().map(|step| step.planned.residual_s).collect();
    let fences: Vec<Option<f64>> = steps
        .iter()
        .map(|step| step.fence.map(|fence| fence.as_secs_f64()))
        .collect();
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

pub(super) fn describe_plan(plan: &NewPlan) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            json!({"step": step.id, "action": step.planned.action, "target_kind": step.planned.target_kind, "target": step.planned.target_key, "state": step.state, "reversibility": step.planned.reversibility})
        })
        .collect();
    json!({"revision": plan.revision, "steps": steps})
}

/// Stores what an inspection says of each step.
pub(super) async fn insert_verifications(
    tx: &Tx<'_>,
    inspection_id: Uuid,
    inspection: &NewInspection,
    verifications: &[Verification],
    digest: &[u8],
) -> Result<(), StoreError> {
    if verifications.is_empty() {
        return Ok(());
    }
    let steps: Vec<Uuid> = verifications
        .iter()
        .map(|verification| verification.step.0)
        .collect();
    let grades: Vec<&str> = verifications
        .iter()
        .map(|verification| verification.grade.as_str())
        .collect();
    let rules: Vec<Option<&str>> = verifications
        .iter()
        .map(|verification| verification.rule.as_deref())
        .collect();
    let verdicts: Vec<&str> = verifications
        .iter()
        .map(|verification| verification.verdict.as_str())
        .collect();
    let at: Timestamp = inspection.ended_at;
    tx.execute(
        INSERT_VERIFICATIONS,
        &[
            &steps,
            &grades,
            &rules,
            &verdicts,
            &inspection_id,
            &at,
            &digest,
        ],
        "writing verifications",
    )
    .await?;
    Ok(())
}
