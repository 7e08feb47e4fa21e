//! Rejecting a hold: the work is called off.

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, JobId, OptOutId};
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::hold_decision::{
    Approver, Decidable, Decided, HoldError, about, decide, decision_event, lock, targets,
};
use crate::pool::Tx;

const LOCK_JOBS: &str = "
SELECT id, state FROM job
WHERE (id = $1 OR opt_out_id = $2) AND state IN ('waiting', 'running', 'held', 'parked', 'dead') ORDER BY id FOR UPDATE";
const CANCEL_JOBS: &str = "
UPDATE job SET state = 'cancelled', state_reason = 'hold_rejected', due_at = NULL, settled_at = now(), resolving = false
WHERE id = ANY($1) AND state IN ('waiting', 'held', 'parked', 'dead')";
const CLOSE_DEAD_LETTERS: &str = "
UPDATE dead_letter SET state = 'discarded', closed_at = now(), closed_by = $2, closed_reason = $3, discard_asked_by = NULL
WHERE job_id = ANY($1) AND state IN ('open', 'resolving')";
const CLOSE_OTHER_HOLDS: &str = "
UPDATE hold SET state = 'rejected', decided_by = $2, decided_at = now(), decision = $3
WHERE state = 'open' AND target_id = ANY($1) RETURNING id";

/// Cancelled when every job is called off; closed when the others had come to their end.
const END_OPT_OUT: &str = "
UPDATE opt_out SET closed_at = now(), state = CASE
    WHEN EXISTS (SELECT FROM job WHERE opt_out_id = $1 AND job.state = 'done') THEN 'closed' ELSE 'cancelled' END
WHERE id = $1 AND state = 'open'
  AND NOT EXISTS (SELECT FROM job WHERE opt_out_id = $1 AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead'))
RETURNING state";

const CLOSE_REQUEST: &str = "UPDATE request SET state = 'closed' WHERE id = $1 AND state = 'held'";

/// Calls the work off: the jobs are cancelled, and the opt-out with the last of them; a held request is closed.
///
/// # Errors
/// [`HoldError`], each variant but `NeedsPerson`; the caller's transaction must then be dropped.
pub async fn reject(
    tx: &Tx<'_>,
    id: HoldId,
    approver: Approver<'_>,
    decision: &str,
) -> Result<Decided, HoldError> {
    let hold = lock(tx, id, approver).await?;
    decide(tx, &hold, HoldState::Rejected, approver, decision).await?;
    let mut events = vec![decision_event(
        AuditKind::HoldRejected,
        &hold,
        approver,
        decision,
    )];
    if hold.scope == HoldScope::Request {
        tx.execute_one(CLOSE_REQUEST, &[&hold.target], "closing a held request")
            .await?;
        audit::insert(tx, &events).await?;
        return Ok(rejected(id, Vec::new(), None));
    }
    let jobs = cancel_jobs(tx, &hold, approver, decision, &mut events).await?;
    let ended = end_opt_out(tx, &hold, approver, decision, &mut events).await?;
    audit::insert(tx, &events).await?;
    Ok(rejected(id, jobs, ended))
}

async fn cancel_jobs(
    tx: &Tx<'_>,
    hold: &Decidable,
    approver: Approver<'_>,
    decision: &str,
    events: &mut Vec<AuditEvent>,
) -> Result<Vec<JobId>, HoldError> {
    let (job, opt_out) = targets(hold);
    let open = tx
        .query(LOCK_JOBS, &[&job, &opt_out], "locking the jobs of a hold")
        .await?;
    let running = open
        .iter()
        .find(|row| row.get::<_, &str>("state") == "running");
    if let Some(row) = running {
        return Err(HoldError::JobRunning(JobId(row.get("id"))));
    }
    let ids: Vec<Uuid> = open.iter().map(|row| row.get("id")).collect();
    tx.execute(CANCEL_JOBS, &[&ids], "cancelling jobs").await?;
    tx.execute(
        CLOSE_DEAD_LETTERS,
        &[&ids, &approver.actor, &decision],
        "closing dead letters",
    )
    .await?;
    for row in &open {
        let from: &str = row.get("state");
        let data = json!({"from": from, "to": "cancelled", "hold": hold.id});
        events.push(about(AuditKind::JobCancelled, hold, approver, data).job(JobId(row.get("id"))));
    }
    close_other_holds(tx, hold, &ids, approver, decision, events).await?;
    Ok(ids.into_iter().map(JobId).collect())
}

async fn end_opt_out(
    tx: &Tx<'_>,
    hold: &Decidable,
    approver: Approver<'_>,
    decision: &str,
    events: &mut Vec<AuditEvent>,
) -> Result<Option<OptOutId>, StoreError> {
    let Some(opt_out) = hold.opt_out else {
        return Ok(None);
    };
    let ended = tx
        .query_opt(END_OPT_OUT, &[&opt_out.0], "ending an opt-out")
        .await?;
    let Some(row) = ended else {
        return Ok(None);
    };
    let state: &str = row.get("state");
    let kind = if state == "cancelled" {
        AuditKind::OptOutCancelled
    } else {
        AuditKind::OptOutClosed
    };
    let data = json!({"to": state, "hold": hold.id});
    let mut event = about(kind, hold, approver, data);
    event.job = None;
    events.push(event);
    close_other_holds(tx, hold, &[opt_out.0], approver, decision, events).await?;
    Ok(Some(opt_out))
}

/// Nothing is left that they could stop.
async fn close_other_holds(
    tx: &Tx<'_>,
    hold: &Decidable,
    targets: &[Uuid],
    approver: Approver<'_>,
    decision: &str,
    events: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let doing = "closing the other holds of cancelled work";
    let rows = tx
        .query(
            CLOSE_OTHER_HOLDS,
            &[&targets, &approver.actor, &decision],
            doing,
        )
        .await?;
    for row in &rows {
        let data = json!({"hold": row.get::<_, Uuid>("id"), "with": hold.id, "decision": decision});
        events.push(about(AuditKind::HoldRejected, hold, approver, data));
    }
    Ok(())
}

fn rejected(hold: HoldId, jobs: Vec<JobId>, ended: Option<OptOutId>) -> Decided {
    Decided {
        hold,
        state: HoldState::Rejected,
        jobs,
        ended,
    }
}
