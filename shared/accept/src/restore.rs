//! Asking for the way back: an opt-out is reversed, and what it took is given back as far as it can be.

use std::time::Duration;

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{JobId, JobKind, JobState, OptOutId, OptOutState, Urgency};
use sever_store::opt_out_job::{self, JobTerms, NewJob};
use sever_store::outbox::{self, Bell};
use sever_store::restore::{self, Reversible, ReversibleJob};
use sever_store::{Store, StoreError, Tx, audit};
use thiserror::Error;

/// Why an opt-out is not reversed. Nothing is changed then.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// There is no opt-out of this id.
    #[error("there is no opt-out {0}")]
    NotFound(OptOutId),
    /// Its state or kind has no way back.
    #[error("opt-out {id} is {state}: only one that is open, closed or cancelled can be reversed")]
    NotReversible {
        /// The opt-out.
        id: OptOutId,
        /// Its state.
        state: OptOutState,
    },
    /// A worker is at work on it, or a call whose answer was lost may still arrive.
    #[error(
        "a worker is at work at '{connection}', or its last call may still arrive: ask again in a minute"
    )]
    AtWork {
        /// The connection's name.
        connection: String,
    },
    /// A hold stops it: whoever decides about that decides first.
    #[error("{holds} open hold(s) stop it: release or reject them first")]
    Held {
        /// How many.
        holds: i64,
    },
    /// A newer opt-out of the subject is open.
    #[error("a newer opt-out of the subject is open: it would take away again what comes back")]
    AnotherOpen,
    /// Nothing was ever sent under it.
    #[error("nothing was sent under it: there is nothing to give back")]
    Untouched,
    /// The database.
    #[error("the restore could not be opened")]
    Store(#[from] StoreError),
}

/// A restore as it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The restore, itself shown like an opt-out.
    pub restore: OptOutId,
    /// Its jobs.
    pub jobs: Vec<JobId>,
}

/// Reverses an opt-out: its open jobs are replaced, and one job for each connection where anything was sent gives
/// back what can be given back. `actor` as audit events name them; `reason` without personal data.
///
/// # Errors
/// [`RestoreError`], by variant.
pub async fn open_restore(
    store: &Store,
    id: OptOutId,
    actor: &str,
    reason: &str,
) -> Result<Opened, RestoreError> {
    let mut client = store.client("opening a restore").await?;
    let tx = client.begin().await?;
    let standing = restore::lock(&tx, id)
        .await?
        .ok_or(RestoreError::NotFound(id))?;
    let opened = reverse(&tx, &standing, check(&standing)?, actor, reason).await?;
    sever_crash_point::hit("restore.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("restore.after_commit");
    Ok(opened)
}

/// Writes the reversal and the restore's jobs, one for each of `touched`.
pub(crate) async fn reverse(
    tx: &Tx<'_>,
    standing: &Reversible,
    touched: Vec<&ReversibleJob>,
    actor: &str,
    reason: &str,
) -> Result<Opened, StoreError> {
    let (id, by) = (standing.id, OptOutId::generate());
    restore::reverse(tx, standing, by, actor, reason).await?;
    let jobs: Vec<NewJob> = touched.iter().map(|job| new_job(job)).collect();
    let terms = JobTerms {
        intent: sever_domain::Intent::Remove,
        urgency: Urgency::Ordinary,
        effective_at: standing.now,
    };
    let subject = standing.subject;
    opt_out_job::insert(tx, JobKind::Restore, by, subject, &terms, &jobs).await?;
    let event = |kind, opt_out, data| {
        AuditEvent::new(kind, standing.now, actor, data)
            .subject(subject)
            .opt_out(opt_out)
    };
    let mut events = vec![
        event(
            AuditKind::OptOutReversed,
            id,
            json!({"by": by, "reason": reason}),
        ),
        event(
            AuditKind::OptOutOpened,
            by,
            json!({"kind": JobKind::Restore, "restores": id, "reason": reason}),
        ),
    ];
    for job in standing.jobs.iter().filter(|job| job.state.is_open()) {
        let data = json!({"reason": "restore", "from": job.state});
        events.push(event(AuditKind::JobReplaced, id, data).job(job.id));
    }
    for job in &jobs {
        let data = json!({"kind": JobKind::Restore, "connection": job.connection, "provider": job.provider, "state": job.state});
        events.push(event(AuditKind::JobCreated, by, data).job(job.id));
    }
    let bells: Vec<Bell> = jobs
        .iter()
        .filter(|job| job.state == JobState::Waiting)
        .map(|job| Bell::work(job.id, job.provider, Urgency::Ordinary))
        .collect();
    outbox::ring(tx, &bells).await?;
    audit::insert(tx, &events).await?;
    Ok(Opened {
        restore: by,
        jobs: jobs.iter().map(|job| job.id).collect(),
    })
}

/// Whether it can be reversed now; returns the jobs that sent something, one for each connection.
fn check(standing: &Reversible) -> Result<Vec<&ReversibleJob>, RestoreError> {
    // A cancelled one may have sent something before the hold was rejected that stopped it.
    let reversible = matches!(
        standing.state,
        OptOutState::Open | OptOutState::Closed | OptOutState::Cancelled
    );
    if !reversible || standing.kind != JobKind::OptOut {
        return Err(RestoreError::NotReversible {
            id: standing.id,
            state: standing.state,
        });
    }
    if standing.another_open {
        return Err(RestoreError::AnotherOpen);
    }
    if standing.open_holds > 0 {
        return Err(RestoreError::Held {
            holds: standing.open_holds,
        });
    }
    if let Some(job) = standing
        .jobs
        .iter()
        .find(|job| job.state == JobState::Running || job.may_arrive)
    {
        return Err(RestoreError::AtWork {
            connection: job.connection_name.clone(),
        });
    }
    let touched = touched(standing);
    if touched.is_empty() {
        return Err(RestoreError::Untouched);
    }
    Ok(touched)
}

/// The jobs that sent something, one for each connection.
pub(crate) fn touched(standing: &Reversible) -> Vec<&ReversibleJob> {
    let mut touched: Vec<&ReversibleJob> = Vec::new();
    for job in standing.jobs.iter().filter(|job| job.touched) {
        if touched
            .iter()
            .all(|known| known.connection != job.connection)
        {
            touched.push(job);
        }
    }
    touched
}

fn new_job(job: &ReversibleJob) -> NewJob {
    let (state, reason) = if job.connection_open {
        (JobState::Waiting, None)
    } else {
        (JobState::Parked, Some("credentials"))
    };
    NewJob {
        id: JobId::generate(),
        connection: job.connection,
        provider: job.provider,
        state,
        reason,
        delay: Duration::ZERO,
    }
}
