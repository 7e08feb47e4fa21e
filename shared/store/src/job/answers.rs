//! What calls came to, and the states that steps get.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_domain::{StepId, StepState};
use uuid::Uuid;

use super::epoch::{IntendedStep, name};
use super::types::{ClaimedJob, EffectAnswer, StepChange, StepName};
use crate::error::StoreError;
use crate::pool::Tx;

const ANSWER: &str = "
UPDATE effect SET answered_at = answer.at, status = answer.status, outcome = answer.outcome, code = answer.code, provider_request_id = answer.request
FROM unnest($1::uuid[], $2::int4[], $3::timestamptz[], $4::int4[], $5::text[], $6::text[], $7::text[])
     AS answer (step_id, no, at, status, outcome, code, request)
WHERE effect.step_id = answer.step_id AND effect.no = answer.no AND effect.epoch = $8 AND effect.outcome IS NULL";

/// A person may have said something of a manual step while the worker read: what was read counts.
const CHANGE: &str = "
UPDATE step SET state = change.next, state_reason = change.reason, verified_grade = coalesce(change.grade, step.verified_grade),
       verified_at = coalesce(change.verified_at, step.verified_at), residual_until = coalesce(change.residual_until, step.residual_until)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
     AS change (id, expected, next, reason, grade, verified_at, residual_until)
WHERE step.id = change.id
  AND (step.state = change.expected OR (change.expected IN ('asked', 'asserted') AND step.state IN ('asked', 'asserted', 'attested')))";

/// Writes answers onto their intents. An answer whose intent is not open is a lost lease.
pub(super) async fn insert(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    answers: &[EffectAnswer],
) -> Result<(), StoreError> {
    if answers.is_empty() {
        return Ok(());
    }
    let doing = "writing answers";
    let steps: Vec<Uuid> = answers.iter().map(|answer| answer.step.0).collect();
    let numbers: Vec<i32> = answers.iter().map(|answer| answer.no).collect();
    let times: Vec<Timestamp> = answers.iter().map(|answer| answer.answered_at).collect();
    let statuses: Vec<Option<i32>> = answers.iter().map(|answer| answer.status).collect();
    let outcomes: Vec<&str> = answers
        .iter()
        .map(|answer| answer.outcome.as_str())
        .collect();
    let codes: Vec<Option<&str>> = answers
        .iter()
        .map(|answer| answer.code.as_deref())
        .collect();
    let requests: Vec<Option<&str>> = answers
        .iter()
        .map(|answer| answer.provider_request_id.as_deref())
        .collect();
    let written = tx
        .execute(
            ANSWER,
            &[
                &steps,
                &numbers,
                &times,
                &statuses,
                &outcomes,
                &codes,
                &requests,
                &claimed.lease.epoch,
            ],
            doing,
        )
        .await?;
    if written == answers.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Conflict { doing })
    }
}

/// Changes steps, each guarded by the state it is expected in. Stored steps that are intended in this
/// transaction (`intended`, without those of a new plan) go to `applying` in the same statement.
pub(super) async fn change_steps(
    tx: &Tx<'_>,
    changes: &[StepChange],
    intended: &[IntendedStep],
) -> Result<(), StoreError> {
    let doing = "changing steps";
    let intended_again = |change: &StepChange| {
        change.next == StepState::Planned && intended.iter().any(|step| step.step == change.step)
    };
    let merged = changes.iter().map(|change| {
        // A step that is to be sent once more changes once, straight to `applying`.
        if intended_again(change) {
            StepChange {
                next: StepState::Applying,
                ..change.clone()
            }
        } else {
            change.clone()
        }
    });
    let fresh = intended
        .iter()
        .filter(|step| !changes.iter().any(|change| change.step == step.step))
        .map(|step| StepChange::plain(step.step, StepState::Planned, StepState::Applying));
    let rows: Vec<StepChange> = merged
        .chain(fresh)
        .filter(|change| change.expected != change.next || change.residual_until.is_some())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.step.0).collect();
    let expected: Vec<&str> = rows.iter().map(|row| row.expected.as_str()).collect();
    let next: Vec<&str> = rows.iter().map(|row| row.next.as_str()).collect();
    let reasons: Vec<Option<&str>> = rows.iter().map(|row| row.reason.as_deref()).collect();
    let grades: Vec<Option<&str>> = rows
        .iter()
        .map(|row| row.grade.map(sever_domain::Grade::as_str))
        .collect();
    let verified: Vec<Option<Timestamp>> = rows.iter().map(|row| row.verified_at).collect();
    let residual: Vec<Option<Timestamp>> = rows.iter().map(|row| row.residual_until).collect();
    let changed = tx
        .execute(
            CHANGE,
            &[
                &ids, &expected, &next, &reasons, &grades, &verified, &residual,
            ],
            doing,
        )
        .await?;
    if changed == rows.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Conflict { doing })
    }
}

/// An answer as the audit event tells it.
pub(super) fn describe(answer: &EffectAnswer, names: &HashMap<StepId, StepName>) -> Value {
    let mut described = name(names, answer.step);
    described["effect"] = json!(answer.no);
    described["at_us"] = json!(answer.answered_at.as_microsecond());
    described["outcome"] = json!(answer.outcome.as_str());
    described["status"] = json!(answer.status);
    described["code"] = json!(answer.code);
    described["provider_request_id"] = json!(answer.provider_request_id);
    described
}
