//! Calling an opt-out off, as long as it is before its fence: what was sent until then is given back.

use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{JobKind, JobState, OptOutId, OptOutState};
use sever_store::restore::{self, Reversible};
use sever_store::{Store, StoreError, Tx, audit};
use thiserror::Error;

use crate::restore::{Opened, reverse, touched};

/// Why an opt-out is not called off. Nothing is changed then.
#[derive(Debug, Error)]
pub enum CancelError {
    /// There is no opt-out of this id.
    #[error("there is no opt-out {0}")]
    NotFound(OptOutId),
    /// It is not open.
    #[error("opt-out {id} is {state}: only an open one can be cancelled")]
    NotOpen {
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
    /// Something from behind the fence was sent already.
    #[error(
        "a step that cannot be taken back was sent at '{connection}' already: restore the rest instead"
    )]
    Sent {
        /// The connection's name.
        connection: String,
    },
    /// The database.
    #[error("the opt-out could not be cancelled")]
    Store(#[from] StoreError),
}

/// What calling an opt-out off came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// Nothing had been sent: that was all.
    Unsent,
    /// What had been sent is given back by this restore.
    Restoring(Opened),
}

/// Cancels an open opt-out before its fence. Where reversible steps, session cuts or revoked tokens were sent already, it
/// is reversed, so that what can come back does. Holds that stand on it are rejected: they were about going on.
///
/// # Errors
/// [`CancelError`], by variant.
pub async fn cancel(
    store: &Store,
    id: OptOutId,
    actor: &str,
    reason: &str,
) -> Result<Cancelled, CancelError> {
    let mut client = store.client("cancelling an opt-out").await?;
    let tx = client.begin().await?;
    let standing = restore::lock(&tx, id)
        .await?
        .ok_or(CancelError::NotFound(id))?;
    check(&standing)?;
    let holds = restore::reject_holds(&tx, &standing).await?;
    let rejected: Vec<AuditEvent> = holds
        .into_iter()
        .map(|hold| {
            let data = json!({"hold": hold, "reason": reason});
            event(&standing, AuditKind::HoldRejected, actor, data)
        })
        .collect();
    audit::insert(&tx, &rejected).await?;
    let touched = touched(&standing);
    // What a restore has given back stays given back.
    let cancelled = if touched.is_empty() || standing.kind != JobKind::OptOut {
        call_off(&tx, &standing, actor, reason).await?;
        Cancelled::Unsent
    } else {
        Cancelled::Restoring(reverse(&tx, &standing, touched, actor, reason).await?)
    };
    sever_crash_point::hit("cancel.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("cancel.after_commit");
    Ok(cancelled)
}

async fn call_off(
    tx: &Tx<'_>,
    standing: &Reversible,
    actor: &str,
    reason: &str,
) -> Result<(), StoreError> {
    restore::cancel(tx, standing, actor, reason).await?;
    let event = |kind| event(standing, kind, actor, json!({"reason": reason}));
    let mut events = vec![event(AuditKind::OptOutCancelled)];
    let open = standing.jobs.iter().filter(|job| job.state.is_open());
    events.extend(open.map(|job| event(AuditKind::JobCancelled).job(job.id)));
    audit::insert(tx, &events).await
}

fn event(standing: &Reversible, kind: AuditKind, actor: &str, data: Value) -> AuditEvent {
    AuditEvent::new(kind, standing.now, actor, data)
        .subject(standing.subject)
        .opt_out(standing.id)
}

fn check(standing: &Reversible) -> Result<(), CancelError> {
    if standing.state != OptOutState::Open {
        return Err(CancelError::NotOpen {
            id: standing.id,
            state: standing.state,
        });
    }
    for job in &standing.jobs {
        if job.state == JobState::Running || job.may_arrive {
            return Err(CancelError::AtWork {
                connection: job.connection_name.clone(),
            });
        }
        if job.one_way_sent && standing.kind == JobKind::OptOut {
            return Err(CancelError::Sent {
                connection: job.connection_name.clone(),
            });
        }
    }
    Ok(())
}
