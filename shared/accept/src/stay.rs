//! An event that says that a person stays: a rehire, a cancelled leave, a changed last day.
//!
//! It is recorded, and stops an opt-out that rests on an older leave until a person has looked.

use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::employment::{EmploymentEvent, EmploymentEventKind, EmploymentState};
use sever_domain::request::RequestState;
use sever_domain::{HoldReason, OptOutId};
use sever_store::subject::LockedSubject;
use sever_store::{StoreError, Tx, employment, opt_out, opt_out_job, request};

use crate::ask::Ask;
use crate::remove::newer_detail;
use crate::write::{HoldTarget, Placed, Trail};

/// Records the event. The caller holds the subject's row.
pub(crate) async fn stay(
    tx: &Tx<'_>,
    ask: &Ask,
    event: &EmploymentEvent,
    person: &LockedSubject,
) -> Result<Placed, StoreError> {
    let mut trail = Trail::new(ask, Some(person.id), person.now);
    let known = employment::of_person(tx, person.id).await?;
    employment::insert(tx, person.id, event).await?;
    let leaves = |known: &&EmploymentEvent| known.kind == EmploymentEventKind::Leaver;
    let overtaken = known
        .iter()
        .filter(leaves)
        .any(|leaver| leaver.is_newer_than(event));
    let contradicts = known
        .iter()
        .filter(leaves)
        .any(|leaver| event.is_newer_than(leaver));
    let back = !overtaken && employment::set_state(tx, person.id, EmploymentState::Active).await?;
    let data = json!({"kind": event.kind, "version": event.version, "overtaken": overtaken});
    trail.add(AuditKind::EmploymentRecorded, None, None, data);
    let stopped = if contradicts || back {
        stop(tx, event, person, &mut trail).await?
    } else {
        None
    };
    if back || stopped.is_some() {
        employment::bump_version(tx, person.id).await?;
    }
    let placed = Placed {
        state: RequestState::Recorded,
        subject: Some(person.id),
        opt_out: stopped,
    };
    trail.finish(tx, placed).await
}

/// Holds the open opt-out if it rests on a leave and anything of it is left to do. Its waiting jobs
/// are held here; a running one is stopped at its next intent, by the hold and the subject's version.
async fn stop(
    tx: &Tx<'_>,
    event: &EmploymentEvent,
    person: &LockedSubject,
    trail: &mut Trail<'_>,
) -> Result<Option<OptOutId>, StoreError> {
    let Some(open) = opt_out::lock_open(tx, person.id).await? else {
        return Ok(None);
    };
    let jobs = opt_out_job::lock(tx, open.id).await?;
    let left_to_do = jobs.iter().any(|job| job.state.is_open());
    if !left_to_do || !request::rests_on_leave(tx, open.id).await? {
        return Ok(None);
    }
    let reason = HoldReason::NewerEmploymentEvent;
    let held = opt_out_job::hold_waiting(tx, open.id, reason).await?;
    trail
        .hold(tx, HoldTarget::OptOut(open.id), reason, newer_detail(event))
        .await?;
    for job in held {
        let data = json!({"from": "waiting", "to": "held", "reason": reason});
        trail.add(AuditKind::JobSettled, Some(open.id), Some(job), data);
    }
    Ok(Some(open.id))
}
