//! Attaching a request to the opt-out that is open.

use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::{JobKind, JobState};
use sever_store::Tx;
use sever_store::opt_out::{self, LockedOptOut, OptOutTerms, UsableConnection};
use sever_store::opt_out_job::{self, LockedJob, NewJob, StrongerJob};
use sever_store::outbox::Bell;
use sever_store::subject::LockedSubject;

use super::open::{announce, new_job, order};
use super::{attached, job_terms, newest_at, terms};
use crate::ask::Ask;
use crate::attach::{Outcome, opt_out_terms, outcome};
use crate::error::AcceptError;
use crate::write::{Placed, Trail};

/// Why a job that joins a held opt-out is held.
const OPT_OUT_HELD: &str = "opt_out_held";

/// Attaches; the revision grows only if something changed, so that a mere repetition disturbs no worker.
pub(super) async fn attach(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    standing: &LockedOptOut,
    scope: &[UsableConnection],
    again: bool,
    trail: &mut Trail<'_>,
) -> Result<Placed, AcceptError> {
    let asked = terms(ask, subject)?;
    let before = OptOutTerms {
        intent: standing.intent,
        urgency: standing.urgency,
        scope: standing.scope.clone(),
        effective_at: standing.effective_at,
    };
    let after = opt_out_terms(&before, &asked);
    let jobs = opt_out_job::lock(tx, standing.id).await?;
    let changes = changes(&jobs, standing, scope, &asked, again, subject);
    let changed = after != before || !changes.new.is_empty() || !changes.stronger.is_empty();
    if changed {
        opt_out::attach(tx, standing, &after).await?;
    }
    opt_out_job::strengthen(tx, &changes.stronger).await?;
    let job_terms = job_terms(&asked);
    opt_out_job::insert(
        tx,
        JobKind::OptOut,
        standing.id,
        subject.id,
        &job_terms,
        &changes.new,
    )
    .await?;
    order(tx, standing.id, scope, &changes.new).await?;
    let data = json!({
        "request": ask.request.id, "revision": standing.revision + i32::from(changed), "intent": after.intent,
        "urgency": after.urgency, "scope": after.scope, "effective_at_us": after.effective_at.as_microsecond(),
        "jobs_changed": changes.stronger.iter().map(change).collect::<Vec<_>>(),
    });
    trail.add(AuditKind::OptOutAttached, Some(standing.id), None, data);
    announce(standing.id, &changes.new, &asked, subject, trail);
    ring_pulled_forward(&changes.stronger, &jobs, subject, trail);
    Ok(attached(subject, standing.id))
}

/// What the request does to the jobs.
struct Changes {
    new: Vec<NewJob>,
    stronger: Vec<StrongerJob>,
}

fn changes(
    jobs: &[LockedJob],
    standing: &LockedOptOut,
    scope: &[UsableConnection],
    asked: &OptOutTerms,
    again: bool,
    subject: &LockedSubject,
) -> Changes {
    let mut changes = Changes {
        new: Vec::new(),
        stronger: Vec::new(),
    };
    let held = standing.held.then_some(OPT_OUT_HELD);
    for connection in scope {
        match outcome(
            newest_at(jobs, connection.id),
            &job_terms(asked),
            again,
            subject.now,
        ) {
            Outcome::Enough => {}
            Outcome::Stronger(stronger) => changes.stronger.push(stronger),
            Outcome::New => changes.new.push(new_job(connection, held)),
        }
    }
    changes
}

/// A job's new terms, as the audit event tells them.
fn change(job: &StrongerJob) -> serde_json::Value {
    json!({
        "job": job.id, "intent": job.terms.intent, "urgency": job.terms.urgency,
        "effective_at_us": job.terms.effective_at.as_microsecond(),
    })
}

fn ring_pulled_forward(
    stronger: &[StrongerJob],
    jobs: &[LockedJob],
    subject: &LockedSubject,
    trail: &mut Trail<'_>,
) {
    for change in stronger {
        let due = change.due_at.is_some_and(|due_at| due_at <= subject.now);
        let job = jobs
            .iter()
            .find(|job| job.id == change.id && job.state == JobState::Waiting);
        if let (true, Some(job)) = (due, job) {
            trail.ring(Bell::work(job.id, job.provider, change.terms.urgency));
        }
    }
}
