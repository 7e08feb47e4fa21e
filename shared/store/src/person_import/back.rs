//! Whom an import calls active again: a removal that rests on their leave waits for a person.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::hold::HoldScope;
use sever_domain::{HoldPolicy, HoldReason, OptOutId, SubjectId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::opt_out::{self, NewHold};
use crate::pool::Tx;
use crate::{audit, opt_out_job, request};

/// Who opens the hold.
const ACTOR: &str = "system:import";

/// The subjects are locked by the import already.
const LOCK_OPEN: &str = "
SELECT id, subject_id, now() AS now FROM opt_out WHERE subject_id = ANY($1) AND state = 'open' AND kind = 'opt_out'
ORDER BY subject_id FOR NO KEY UPDATE";

/// Holds the open opt-outs of `subjects` that rest on a leave and have anything left to do. Waiting jobs are held here; a running one is
/// stopped at its next intent, by the hold and the subject's version.
pub(super) async fn hold(tx: &Tx<'_>, subjects: &[SubjectId]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = subjects.iter().map(|subject| subject.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let doing = "locking the opt-outs of people who are back";
    let open = tx.query(LOCK_OPEN, &[&ids], doing).await?;
    for row in open {
        let (id, subject) = (OptOutId(row.get("id")), SubjectId(row.get("subject_id")));
        let jobs = opt_out_job::lock(tx, id).await?;
        let left_to_do = jobs.iter().any(|job| job.state.is_open());
        if left_to_do && request::rests_on_leave(tx, id).await? {
            hold_one(tx, id, subject, row.get("now")).await?;
        }
    }
    Ok(())
}

async fn hold_one(
    tx: &Tx<'_>,
    id: OptOutId,
    subject: SubjectId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reason = HoldReason::NewerEmploymentEvent;
    let detail = json!({"kind": "import"});
    let held = opt_out_job::hold_waiting(tx, id, reason).await?;
    let new = NewHold {
        scope: HoldScope::OptOut,
        target: id.0,
        reason,
        policy: HoldPolicy::Nothing,
        detail: detail.clone(),
        requested_by: ACTOR,
    };
    let opened = opt_out::open_hold(tx, &new).await?;
    let event = |kind, data| {
        AuditEvent::new(kind, now, ACTOR, data)
            .subject(subject)
            .opt_out(id)
    };
    let mut events: Vec<AuditEvent> = held
        .into_iter()
        .map(|job| {
            let data = json!({"from": "waiting", "to": "held", "reason": reason});
            event(AuditKind::JobSettled, data).job(job)
        })
        .collect();
    events.extend(opened.map(|hold| {
        let data = json!({"hold": hold, "scope": HoldScope::OptOut, "target": id, "reason": reason, "detail": detail});
        event(AuditKind::HoldOpened, data)
    }));
    audit::insert(tx, &events).await
}
