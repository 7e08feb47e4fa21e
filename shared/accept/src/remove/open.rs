//! Opening an opt-out with one job for each connection in scope.

use std::time::Duration;

use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::{ConnectionId, JobId, JobKind, JobState, OptOutId};
use sever_store::opt_out::{self, OptOutTerms, UsableConnection};
use sever_store::opt_out_job::{self, NewJob};
use sever_store::outbox::Bell;
use sever_store::subject::LockedSubject;
use sever_store::{StoreError, Tx};

use super::{Question, attached, job_terms};
use crate::ask::Ask;
use crate::error::AcceptError;
use crate::write::{HoldTarget, Placed, Trail};

/// By then a call that was under way when its job was replaced has arrived or never will: the age of a heartbeat at
/// which a worker starts no more calls, and the longest deadline of a call, together.
const ARRIVES_WITHIN: Duration = Duration::from_secs(64);

/// Why a job of a parked connection waits.
pub(super) const CREDENTIALS: &str = "credentials";

/// What an opt-out is opened under.
pub(super) struct Circumstances {
    /// Why a person must look before anything starts.
    pub(super) question: Option<Question>,
    /// Connections where a call of a replaced job may still arrive.
    pub(super) still_arriving: Vec<ConnectionId>,
}

/// Opens it; under a question every job is held from the start.
pub(super) async fn open(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    terms: &OptOutTerms,
    scope: &[UsableConnection],
    circumstances: Circumstances,
    trail: &mut Trail<'_>,
) -> Result<Placed, AcceptError> {
    let Circumstances {
        question,
        still_arriving,
    } = circumstances;
    let id = OptOutId::generate();
    let held = question.as_ref().map(|question| question.reason.as_str());
    let mut jobs: Vec<NewJob> = scope
        .iter()
        .map(|connection| new_job(connection, held))
        .collect();
    for job in &mut jobs {
        if still_arriving.contains(&job.connection) {
            job.delay = ARRIVES_WITHIN;
        }
    }
    opt_out::insert(tx, id, subject.id, terms).await?;
    let job_terms = job_terms(terms);
    opt_out_job::insert(tx, JobKind::OptOut, id, subject.id, &job_terms, &jobs).await?;
    order(tx, id, scope, &jobs).await?;
    let data = json!({
        "request": ask.request.id, "intent": terms.intent, "urgency": terms.urgency, "scope": terms.scope,
        "effective_at_us": terms.effective_at.as_microsecond(),
    });
    trail.add(AuditKind::OptOutOpened, Some(id), None, data);
    announce(id, &jobs, terms, subject, trail);
    if let Some(question) = question {
        trail
            .hold(tx, HoldTarget::OptOut(id), question.reason, question.detail)
            .await?;
    }
    Ok(attached(subject, id))
}

/// What comes last waits for the other jobs.
pub(super) async fn order(
    tx: &Tx<'_>,
    opt_out: OptOutId,
    scope: &[UsableConnection],
    jobs: &[NewJob],
) -> Result<(), StoreError> {
    let any_last = scope
        .iter()
        .any(|connection| connection.provider.waits_for_others());
    if any_last {
        opt_out_job::insert_needs(tx, opt_out, jobs).await?;
    }
    Ok(())
}

/// The job for a connection; `held` is the reason of the hold that stops it.
pub(super) fn new_job(connection: &UsableConnection, held: Option<&'static str>) -> NewJob {
    let (state, reason) = match held {
        Some(reason) => (JobState::Held, Some(reason)),
        None if connection.parked => (JobState::Parked, Some(CREDENTIALS)),
        None => (JobState::Waiting, None),
    };
    NewJob {
        id: JobId::generate(),
        connection: connection.id,
        provider: connection.provider,
        state,
        reason,
        delay: Duration::ZERO,
    }
}

/// Notes new jobs, and bells for those that may start now; the sweeper rings the others when they are due.
pub(super) fn announce(
    opt_out: OptOutId,
    jobs: &[NewJob],
    terms: &OptOutTerms,
    subject: &LockedSubject,
    trail: &mut Trail<'_>,
) {
    for job in jobs {
        let data = json!({
            "connection": job.connection, "provider": job.provider, "state": job.state, "reason": job.reason,
            "intent": terms.intent, "urgency": terms.urgency, "effective_at_us": terms.effective_at.as_microsecond(),
        });
        trail.add(AuditKind::JobCreated, Some(opt_out), Some(job.id), data);
        let due = terms.effective_at <= subject.now && job.delay.is_zero();
        if job.state == JobState::Waiting && due {
            trail.ring(Bell::work(job.id, job.provider, terms.urgency));
        }
    }
}
