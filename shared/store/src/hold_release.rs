//! Releasing a hold: the work goes on, and is checked anew.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, HoldReason, JobId, Provider, Urgency};
use tokio_postgres::Row;

use crate::audit;
use crate::error::StoreError;
use crate::hold_decision::{
    Approver, Decided, HoldError, about, decide, decision_event, lock, targets,
};
use crate::outbox::{self, Bell};
use crate::pool::Tx;
use crate::row::word;

/// The mass guard's name in its tables.
const MASS: &str = "mass";

/// The release is for as many people as the hold names. A charge that is already there was counted, and stays so.
const CHARGE_RELEASED: &str = "
INSERT INTO guard_charge (guard, subject_id, opt_out_id, weight, released_by)
SELECT $1, $2, $3, greatest(1, coalesce((detail ->> 'weight')::int8, 1)), id FROM hold WHERE id = $4
ON CONFLICT (guard, subject_id, opt_out_id) DO UPDATE
SET weight = greatest(guard_charge.weight, excluded.weight), released_by = coalesce(guard_charge.released_by, excluded.released_by)";

/// Held jobs that no other open hold stops. They are due now, or when they take effect.
const RETURN_JOBS: &str = "
UPDATE job SET state = 'waiting', state_reason = NULL, due_at = greatest(now(), effective_at)
WHERE state = 'held' AND (id = $1 OR opt_out_id = $2)
  AND NOT EXISTS (SELECT FROM hold WHERE hold.state = 'open' AND hold.target_id IN (job.id, job.opt_out_id))
RETURNING id, provider, urgency, due_at";

/// Lets the work go on. Jobs that no other hold stops wait again and are rung; a mass guard's charge is recorded as released,
/// so that the intent's own check passes. Everything else is checked anew by that intent.
///
/// # Errors
/// [`HoldError`], each variant but `JobRunning`; the caller's transaction must then be dropped.
pub async fn release(
    tx: &Tx<'_>,
    id: HoldId,
    approver: Approver<'_>,
    decision: &str,
) -> Result<Decided, HoldError> {
    let hold = lock(tx, id, approver).await?;
    if hold.scope == HoldScope::Request {
        return Err(HoldError::NeedsPerson(id));
    }
    decide(tx, &hold, HoldState::Released, approver, decision).await?;
    if let (HoldReason::MassGuard, Some(subject), Some(opt_out)) =
        (hold.reason, hold.subject, hold.opt_out)
    {
        let doing = "recording a released charge";
        tx.execute(
            CHARGE_RELEASED,
            &[&MASS, &subject.0, &opt_out.0, &id.0],
            doing,
        )
        .await?;
    }
    let (job, opt_out) = targets(&hold);
    let rows = tx
        .query(RETURN_JOBS, &[&job, &opt_out], "returning held jobs")
        .await?;
    let jobs = ring(tx, &rows, hold.now).await?;
    let mut events = vec![decision_event(
        AuditKind::HoldReleased,
        &hold,
        approver,
        decision,
    )];
    events.extend(jobs.iter().map(|job| {
        let data = json!({"from": "held", "to": "waiting", "hold": id});
        about(AuditKind::JobReturned, &hold, approver, data).job(*job)
    }));
    audit::insert(tx, &events).await?;
    Ok(Decided {
        hold: id,
        state: HoldState::Released,
        jobs,
        ended: None,
    })
}

/// Rings the returned jobs that are due; the sweeper rings the others when they are.
async fn ring(tx: &Tx<'_>, rows: &[Row], now: Timestamp) -> Result<Vec<JobId>, StoreError> {
    let mut bells = Vec::new();
    for row in rows {
        let (provider, urgency): (Provider, Urgency) =
            (word(row, "provider")?, word(row, "urgency")?);
        if row.get::<_, Timestamp>("due_at") <= now {
            bells.push(Bell::work(JobId(row.get("id")), provider, urgency));
        }
    }
    outbox::ring(tx, &bells).await?;
    Ok(rows.iter().map(|row| JobId(row.get("id"))).collect())
}
