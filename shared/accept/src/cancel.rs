//! Calling an opt-out off, as long as nothing was sent that cannot be taken back.

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{JobKind, JobState, OptOutId, OptOutState};
use sever_store::restore::{self, Reversible};
use sever_store::{Store, StoreError, audit};
use thiserror::Error;

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
    /// A worker is at work on it.
    #[error("a worker is at work at '{connection}': ask again once it has settled")]
    AtWork {
        /// The connection's name.
        connection: String,
    },
    /// Something was sent already.
    #[error("{what} sent at '{connection}' already: restore it instead")]
    Sent {
        /// The connection's name.
        connection: String,
        /// `a step that cannot be taken back was` or `steps were`.
        what: &'static str,
    },
    /// The database.
    #[error("the opt-out could not be cancelled")]
    Store(#[from] StoreError),
}

/// Cancels an open opt-out under which nothing was sent; one that has sent reversible steps is restored instead,
/// so that they come back.
///
/// # Errors
/// [`CancelError`], by variant.
pub async fn cancel(
    store: &Store,
    id: OptOutId,
    actor: &str,
    reason: &str,
) -> Result<(), CancelError> {
    let mut client = store.client("cancelling an opt-out").await?;
    let tx = client.begin().await?;
    let standing = restore::lock(&tx, id)
        .await?
        .ok_or(CancelError::NotFound(id))?;
    check(&standing)?;
    let holds = restore::cancel(&tx, &standing).await?;
    let data = json!({"reason": reason});
    let event = |kind| {
        AuditEvent::new(kind, standing.now, actor, data.clone())
            .subject(standing.subject)
            .opt_out(id)
    };
    let mut events = vec![event(AuditKind::OptOutCancelled)];
    let open = standing.jobs.iter().filter(|job| job.state.is_open());
    events.extend(open.map(|job| event(AuditKind::JobCancelled).job(job.id)));
    for hold in holds {
        let data = json!({"hold": hold, "reason": reason});
        events.push(
            AuditEvent::new(AuditKind::HoldRejected, standing.now, actor, data)
                .subject(standing.subject)
                .opt_out(id),
        );
    }
    audit::insert(&tx, &events).await?;
    sever_crash_point::hit("cancel.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("cancel.after_commit");
    Ok(())
}

fn check(standing: &Reversible) -> Result<(), CancelError> {
    if standing.state != OptOutState::Open {
        return Err(CancelError::NotOpen {
            id: standing.id,
            state: standing.state,
        });
    }
    for job in &standing.jobs {
        if job.state == JobState::Running {
            return Err(CancelError::AtWork {
                connection: job.connection_name.clone(),
            });
        }
        // What a restore has given back stays given back.
        if job.touched && standing.kind == JobKind::OptOut {
            return Err(CancelError::Sent {
                connection: job.connection_name.clone(),
                what: if job.one_way_sent {
                    "a step that cannot be taken back was"
                } else {
                    "steps were"
                },
            });
        }
    }
    Ok(())
}
