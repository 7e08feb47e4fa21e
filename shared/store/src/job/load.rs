//! Reading everything that an epoch starts from.

use std::collections::HashMap;
use std::time::Duration;

use futures::try_join;
use jiff::Timestamp;
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use sever_domain::{
    BindingId, ConnectionId, HoldReason, OptOutId, StepId, StepState, SubjectId, retry,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::types::{Affected, BreakerAtClaim, ClaimedJob, Lease, StoredBinding, StoredStep};
use crate::breaker::seconds;
use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

const JOB: &str = "
SELECT job.provider, job.kind, subject.kind AS subject_kind, job.urgency, job.intent, job.opt_out_id, opt_out.revision, job.subject_id, subject.version AS subject_version,
       job.connection_id, connection.version AS connection_version, job.attempt, job.failures, job.failing_since, job.failing_open_s, job.plan_revision,
       job.opt_out_revision, job.accepted_at, job.effective_at, job.first_revocation_at, job.resolving,
       coalesce((SELECT asked_by FROM request WHERE request.opt_out_id = job.opt_out_id ORDER BY received_at LIMIT 1), 'unknown') AS asked_by,
       coalesce((SELECT weight FROM guard_charge WHERE guard = 'mass' AND subject_id = job.subject_id AND opt_out_id = job.opt_out_id), 0) AS charged,
       ARRAY(SELECT reason FROM hold WHERE target_id IN (job.id, job.opt_out_id) AND state = 'released') AS released,
       EXISTS (SELECT FROM job_need WHERE needs_job_id = job.id) AS needed,
       EXISTS (SELECT FROM job_need JOIN job AS other ON other.id = job_need.needs_job_id
               WHERE job_need.job_id = job.id AND other.state NOT IN ('done', 'cancelled', 'replaced')) AS needs_open, connection.fence_delay_s, connection.fence_approval,
       affected.people, affected.groups, affected.applications, affected.complete, affected.last_sign_in_path, affected.calls, affected.seconds
FROM job JOIN opt_out ON opt_out.id = job.opt_out_id JOIN subject ON subject.id = job.subject_id
JOIN connection ON connection.id = job.connection_id LEFT JOIN blast_radius AS affected ON affected.job_id = job.id
WHERE job.id = $1";

const BINDINGS: &str = "
SELECT binding.id, provider_id, binding.state, basis FROM binding JOIN job USING (subject_id, connection_id)
WHERE job.id = $1 ORDER BY provider_id";

/// The newest plan's steps, those of plan 0, which only contains, what older plans left to be proven, and what a
/// person has attested.
const STEPS: &str = "
SELECT step.*, (SELECT count(*)::int4 FROM effect WHERE effect.step_id = step.id) AS effects,
       ARRAY(SELECT needs_step_id FROM step_need WHERE step_need.step_id = step.id) AS needs,
       task.asked_of, task.what, task.link, task.evidence_required, extract(epoch FROM task.due_at - task.asked_at)::int8 AS due_s
FROM step LEFT JOIN task ON task.step_id = step.id WHERE step.job_id = $1
  AND (step.revision IN (0, (SELECT plan_revision FROM job WHERE id = $1)) OR step.state NOT IN ('verified', 'inert'))
ORDER BY step.revision, step.ordinal";

const UNANSWERED: &str = "
SELECT max(effect.intent_at) FILTER (WHERE effect.outcome IS NULL OR effect.outcome = 'lost') AS unanswered,
       max(effect.answered_at) AS answered
FROM effect JOIN step ON step.id = effect.step_id WHERE step.job_id = $1";

/// Reads the job, its bindings, its steps and its unanswered effects. Takes no locks.
pub(super) async fn claimed(
    tx: &Tx<'_>,
    lease: Lease,
    now: Timestamp,
    breaker: BreakerAtClaim,
) -> Result<ClaimedJob, StoreError> {
    let doing = "reading a claimed job";
    let id = lease.job.0;
    let by_job: &[&(dyn ToSql + Sync)] = &[&id];
    let (jobs, bindings): (Vec<Row>, Vec<Row>) = try_join!(
        tx.query(JOB, by_job, doing),
        tx.query(BINDINGS, by_job, doing)
    )?;
    let row = &jobs[0];
    let plan_revision: i32 = row.get("plan_revision");
    let (steps, unanswered) = if plan_revision < 0 {
        (Vec::new(), None)
    } else {
        let (steps, unanswered) = try_join!(
            tx.query(STEPS, by_job, doing),
            tx.query_opt(UNANSWERED, by_job, doing)
        )?;
        (stored_steps(&steps)?, unanswered)
    };
    Ok(ClaimedJob {
        lease,
        provider: word(row, "provider")?,
        urgency: word(row, "urgency")?,
        intent: word(row, "intent")?,
        opt_out: OptOutId(row.get("opt_out_id")),
        opt_out_revision: row.get("revision"),
        kind: word(row, "kind")?,
        subject: SubjectId(row.get("subject_id")),
        subject_kind: word(row, "subject_kind")?,
        subject_version: row.get("subject_version"),
        connection: ConnectionId(row.get("connection_id")),
        connection_version: row.get("connection_version"),
        attempts: row.get("attempt"),
        failures: row.get("failures"),
        failing_for: failing_for(row, now, breaker),
        breaker_listens: breaker.listens,
        plan_revision,
        planned_for: row.get("opt_out_revision"),
        accepted_at: row.get("accepted_at"),
        effective_at: row.get("effective_at"),
        first_revocation_at: row.get("first_revocation_at"),
        asked_by: row.get("asked_by"),
        charged: row.get("charged"),
        needs_open: row.get("needs_open"),
        needed: row.get("needed"),
        resolving: row.get("resolving"),
        affected: affected(row),
        fence_delay: Duration::from_secs(row.get::<_, i64>("fence_delay_s").unsigned_abs()),
        fence_approval: row.get("fence_approval"),
        released: released(row)?,
        bindings: bindings
            .iter()
            .map(stored_binding)
            .collect::<Result<_, _>>()?,
        steps,
        unanswered_since: unanswered.as_ref().and_then(|row| row.get("unanswered")),
        last_answer_at: unanswered.as_ref().and_then(|row| row.get("answered")),
        now,
    })
}

fn failing_for(row: &Row, now: Timestamp, breaker: BreakerAtClaim) -> Duration {
    let open_then = seconds(row.get("failing_open_s"));
    let failing = retry::failing_for(row.get("failing_since"), now, open_then, breaker.open_for);
    failing.unsigned_abs()
}

fn affected(row: &Row) -> Option<Affected> {
    Some(Affected {
        people: row.get::<_, Option<i64>>("people")?,
        groups: row.get("groups"),
        applications: row.get("applications"),
        complete: row.get("complete"),
        last_sign_in_path: row.get("last_sign_in_path"),
        calls: row.get("calls"),
        seconds: row.get("seconds"),
    })
}

fn released(row: &Row) -> Result<Vec<HoldReason>, StoreError> {
    let words: Vec<String> = row.get("released");
    let reason = |word: &String| {
        word.parse()
            .map_err(|error: sever_domain::UnknownWord| StoreError::Corrupt {
                column: "hold.reason",
                problem: error.to_string(),
            })
    };
    words.iter().map(reason).collect()
}

fn stored_binding(row: &Row) -> Result<StoredBinding, StoreError> {
    Ok(StoredBinding {
        id: BindingId(row.get("id")),
        provider_id: row.get("provider_id"),
        state: word(row, "state")?,
        basis: word(row, "basis")?,
    })
}

fn stored_steps(rows: &[Row]) -> Result<Vec<StoredStep>, StoreError> {
    let positions: HashMap<Uuid, usize> = rows
        .iter()
        .enumerate()
        .map(|(position, row)| (row.get("id"), position))
        .collect();
    rows.iter()
        .map(|row| stored_step(row, &positions))
        .collect()
}

fn manual_task(row: &Row) -> Result<ManualTask, StoreError> {
    let required = |column: &'static str| {
        row.get::<_, Option<String>>(column)
            .ok_or(StoreError::Corrupt {
                column: "step.state",
                problem: "a manual step has no task".to_owned(),
            })
    };
    Ok(ManualTask {
        asked_of: required("asked_of")?,
        what: required("what")?,
        link: row.get("link"),
        evidence: required("evidence_required")?,
        due_s: row.get::<_, Option<i64>>("due_s").unwrap_or(0),
    })
}

fn stored_step(row: &Row, positions: &HashMap<Uuid, usize>) -> Result<StoredStep, StoreError> {
    let needs: Vec<Uuid> = row.get("needs");
    let planned = PlannedStep {
        needs: needs
            .iter()
            .filter_map(|id| positions.get(id).copied())
            .collect(),
        ..planned_step(row)?
    };
    Ok(StoredStep {
        id: StepId(row.get("id")),
        revision: row.get("revision"),
        state: word(row, "state")?,
        effects: row.get("effects"),
        fence_until: row.get("fence_until"),
        planned,
    })
}

/// The step as it was planned, without its needs.
pub(super) fn planned_step(row: &Row) -> Result<PlannedStep, StoreError> {
    let state: StepState = word(row, "state")?;
    let reason: Option<String> = row.get("state_reason");
    let disposition = match state {
        StepState::Inert => Disposition::Inert {
            rule: row.get::<_, Option<String>>("rule").unwrap_or_default(),
        },
        StepState::Blocked => Disposition::Blocked {
            reason: reason.unwrap_or_default(),
        },
        StepState::Asked | StepState::Asserted | StepState::Attested => Disposition::Manual {
            task: manual_task(row)?,
        },
        StepState::Planned
        | StepState::Applying
        | StepState::Unknown
        | StepState::Applied
        | StepState::Verified => Disposition::MustGo,
    };
    Ok(PlannedStep {
        binding: BindingId(row.get("binding_id")),
        action: word(row, "action")?,
        class: word(row, "class")?,
        target_kind: word(row, "target_kind")?,
        target_key: row.get("target_key"),
        privileged: row.get("privileged"),
        reversibility: word(row, "reversibility")?,
        grade: word(row, "declared_grade")?,
        rule: row.get("rule"),
        disposition,
        residual_s: row.get("residual_s"),
        needs: Vec::new(),
        facts: row.get("facts"),
    })
}
