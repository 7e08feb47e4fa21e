//! A request that asks for removal, for a subject who is known.

use futures::try_join;
use serde_json::{Value, json};
use sever_audit::AuditKind;
use sever_domain::effective::{self, Start};
use sever_domain::employment::{
    EmploymentEvent, EmploymentEventKind, EmploymentState, contradiction,
};
use sever_domain::request::RequestState;
use sever_domain::{ConnectionId, HoldReason, Intent, JobKind, JobState, OptOutId, SubjectKind};
use sever_store::opt_out::{self, LockedOptOut, OptOutTerms, UsableConnection};
use sever_store::opt_out_job::{self, JobTerms, LockedJob};
use sever_store::subject::LockedSubject;
use sever_store::{StoreError, Tx, employment, request, subject as subjects};

use crate::ask::{Ask, Kind};
use crate::error::{AcceptError, FieldFault};
use crate::write::{HoldTarget, Placed, Trail};

mod attach;
mod open;

/// Why a person must look before anything starts.
struct Question {
    reason: HoldReason,
    detail: Value,
}

/// Records a removal: attaches it to the open opt-out, counts it to a closed one that did it already, or
/// opens one. The caller holds the subject's row.
pub(crate) async fn remove(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    connections: &[UsableConnection],
) -> Result<Placed, AcceptError> {
    let mut trail = Trail::new(ask, Some(subject.id), subject.now);
    let terms = terms(ask, subject)?;
    let question = question(tx, ask, subject, &terms, &mut trail).await?;
    let scope = in_scope(ask, connections);
    if scope.is_empty() {
        return no_connection(tx, ask, subject, trail).await;
    }
    let scope = bound(tx, ask, subject, scope).await?;
    let mut standing = opt_out::lock_open(tx, subject.id).await?;
    let mut still_arriving = Vec::new();
    if let Some(restore) = standing
        .as_ref()
        .filter(|standing| standing.kind == JobKind::Restore && question.is_none())
    {
        still_arriving = supersede(tx, restore, &mut trail).await?;
        standing = None;
    }
    let placed = match (standing, question) {
        (Some(_), Some(question)) => hold_request(tx, ask, subject, question, &mut trail).await?,
        // Under a question a restore goes on, and the request waits for its answer.
        (Some(standing), None) => {
            let again = wants_it_again(tx, ask, standing.id).await?;
            attach::attach(tx, ask, subject, &standing, &scope, again, &mut trail).await?
        }
        (None, question) => match done_already(tx, ask, subject, &scope).await? {
            Some(done) if question.is_none() => attached(subject, done),
            Some(_) | None => {
                let circumstances = open::Circumstances {
                    question,
                    still_arriving,
                };
                open::open(tx, ask, subject, &terms, &scope, circumstances, &mut trail).await?
            }
        },
    };
    Ok(trail.finish(tx, placed).await?)
}

/// A removal takes the place of a restore that is under way. Returns where its calls may still arrive.
async fn supersede(
    tx: &Tx<'_>,
    restore: &LockedOptOut,
    trail: &mut Trail<'_>,
) -> Result<Vec<ConnectionId>, AcceptError> {
    let (jobs, running) = opt_out::supersede_restore(tx, restore.id).await?;
    let data = json!({"reason": "removal"});
    trail.add(
        AuditKind::OptOutCancelled,
        Some(restore.id),
        None,
        data.clone(),
    );
    for job in jobs {
        trail.add(
            AuditKind::JobReplaced,
            Some(restore.id),
            Some(job),
            data.clone(),
        );
    }
    Ok(running)
}

fn attached(subject: &LockedSubject, opt_out: OptOutId) -> Placed {
    Placed {
        state: RequestState::Attached,
        subject: Some(subject.id),
        opt_out: Some(opt_out),
    }
}

/// The terms that the request asks for as a whole.
fn terms(ask: &Ask, subject: &LockedSubject) -> Result<OptOutTerms, AcceptError> {
    let request = &ask.request;
    let effective_at = request.effective_at.unwrap_or(subject.now);
    if let Err(error) = effective::start(effective_at, subject.now) {
        return Err(FieldFault::new(ask.effective_field(), error.to_string()).into());
    }
    let scope = request.scope.as_ref();
    Ok(OptOutTerms {
        intent: request.intent.unwrap_or(Intent::Remove),
        urgency: request.urgency,
        scope: scope.map(|ids| ids.iter().copied().map(ConnectionId).collect()),
        effective_at,
    })
}

/// The same terms for one job.
fn job_terms(terms: &OptOutTerms) -> JobTerms {
    JobTerms {
        intent: terms.intent,
        urgency: terms.urgency,
        effective_at: terms.effective_at,
    }
}

/// Records the employment event, if it is one, and says whether a person must look first.
async fn question(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    terms: &OptOutTerms,
    trail: &mut Trail<'_>,
) -> Result<Option<Question>, AcceptError> {
    let mut contradicted = None;
    if let Some(event) = ask.employment_event() {
        let known = employment::of_person(tx, subject.id).await?;
        contradicted = contradiction(&event, &known).copied();
        try_join!(
            employment::insert(tx, subject.id, &event),
            note_leave(tx, subject, contradicted.is_some())
        )?;
        let data = json!({"kind": event.kind, "version": event.version, "contradicted": contradicted.is_some()});
        trail.add(AuditKind::EmploymentRecorded, None, None, data);
    }
    let too_old = effective::start(terms.effective_at, subject.now) == Ok(Start::TooOld);
    Ok(match contradicted {
        _ if ask.approved => None,
        Some(newer) => Some(Question {
            reason: HoldReason::NewerEmploymentEvent,
            detail: newer_detail(&newer),
        }),
        None if too_old => Some(Question {
            reason: HoldReason::EffectiveTooOld,
            detail: json!({"effective_at": terms.effective_at}),
        }),
        None => None,
    })
}

/// What a newer event says otherwise does not change the directory.
async fn note_leave(
    tx: &Tx<'_>,
    subject: &LockedSubject,
    contradicted: bool,
) -> Result<(), StoreError> {
    if contradicted || subject.employment == Some(EmploymentState::Left) {
        return Ok(());
    }
    let left = employment::set_state(tx, subject.id, EmploymentState::Left);
    left.await.map(drop)
}

/// What a person is told of the event that says otherwise.
pub(crate) fn newer_detail(newer: &EmploymentEvent) -> Value {
    json!({"kind": newer.kind, "version": newer.version, "source": newer.source, "occurred_at": newer.occurred_at})
}

fn in_scope(ask: &Ask, connections: &[UsableConnection]) -> Vec<UsableConnection> {
    let named = |connection: &&UsableConnection| {
        let scope = ask.request.scope.as_ref();
        scope.is_none_or(|scope| scope.contains(&connection.id.0))
    };
    connections.iter().filter(named).cloned().collect()
}

/// An integration is removed where it has an id, because nowhere else could anything be found of it. Whoever names a
/// connection where it has none is told, so that nobody takes it for removed there.
async fn bound(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    scope: Vec<UsableConnection>,
) -> Result<Vec<UsableConnection>, AcceptError> {
    if subject.kind == SubjectKind::Person {
        return Ok(scope);
    }
    let bound = subjects::bound_connections(tx, subject.id).await?;
    let bound = bound.unwrap_or_default();
    let (with, without): (Vec<_>, Vec<_>) = scope
        .into_iter()
        .partition(|connection| bound.contains(&connection.id));
    let named = ask.request.scope.is_some();
    if with.is_empty() || (named && !without.is_empty()) {
        let names = without.into_iter().map(|connection| connection.name);
        return Err(AcceptError::NotBound {
            connections: if named { names.collect() } else { Vec::new() },
        });
    }
    Ok(with)
}

/// A leaver event is kept until there is a connection; whoever asks by hand is told.
async fn no_connection(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    trail: Trail<'_>,
) -> Result<Placed, AcceptError> {
    if ask.kind == Kind::OptOut {
        return Err(AcceptError::NoConnection);
    }
    let placed = Placed {
        state: RequestState::Unmatched,
        subject: Some(subject.id),
        opt_out: None,
    };
    Ok(trail.finish(tx, placed).await?)
}

/// An opt-out is under way: a doubtful request neither stops nor strengthens it, and waits by itself.
async fn hold_request(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    question: Question,
    trail: &mut Trail<'_>,
) -> Result<Placed, AcceptError> {
    let target = HoldTarget::Request(ask.request.id.0);
    trail
        .hold(tx, target, question.reason, question.detail)
        .await?;
    Ok(Placed {
        state: RequestState::Held,
        subject: Some(subject.id),
        opt_out: None,
    })
}

/// Whether the request wants even what is done to be done again: a person asks by hand, or the source
/// reports a newer leave than the one it had reported.
async fn wants_it_again(tx: &Tx<'_>, ask: &Ask, opt_out: OptOutId) -> Result<bool, AcceptError> {
    let Some(event) = ask.employment_event() else {
        return Ok(true);
    };
    let reported = request::newest_leaver_version(tx, opt_out, event.source).await?;
    Ok(reported.is_some_and(|version| version < event.version))
}

/// The closed opt-out that did already what a leaver event of another source, or a repeated one, reports:
/// the person is still known to have left, and every connection in scope has a done job that went as far.
async fn done_already(
    tx: &Tx<'_>,
    ask: &Ask,
    subject: &LockedSubject,
    scope: &[UsableConnection],
) -> Result<Option<OptOutId>, AcceptError> {
    let leaver = ask.kind == Kind::Employment(EmploymentEventKind::Leaver);
    if !leaver || subject.employment != Some(EmploymentState::Left) {
        return Ok(None);
    }
    let Some(closed) = opt_out::lock_newest_closed(tx, subject.id).await? else {
        return Ok(None);
    };
    if !request::has_leaver(tx, closed.id).await? || wants_it_again(tx, ask, closed.id).await? {
        return Ok(None);
    }
    let jobs = opt_out_job::lock(tx, closed.id).await?;
    let done = |connection: &UsableConnection| {
        let newest = newest_at(&jobs, connection.id);
        newest.is_some_and(|job| {
            job.state == JobState::Done && job.intent >= asked_intent(ask, &closed)
        })
    };
    Ok(scope.iter().all(done).then_some(closed.id))
}

fn asked_intent(ask: &Ask, closed: &LockedOptOut) -> Intent {
    ask.request.intent.unwrap_or(closed.intent)
}

/// Jobs come oldest first.
fn newest_at(jobs: &[LockedJob], connection: ConnectionId) -> Option<&LockedJob> {
    jobs.iter().rev().find(|job| job.connection == connection)
}
