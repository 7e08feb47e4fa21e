//! Dead letters as a settle writes them: opened, contradicted by the re-read after work by hand, closed by it.

use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::{JobId, JobState, Provider};
use uuid::Uuid;

use super::epoch::Events;
use super::settlement::DeadLetter;
use super::types::ClaimedJob;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Tx;

const BURY_JOB: &str = "
UPDATE job SET state = 'dead', state_reason = $2, due_at = NULL, lease_token = NULL, lease_until = NULL, lease_instance = NULL, settled_at = now(), resolving = false
WHERE id = $1";

const INSERT_DEAD_LETTER: &str = "
INSERT INTO dead_letter (id, job_id, fingerprint, reason, state) VALUES ($1, $2, $3, $4, 'open')
ON CONFLICT DO NOTHING";

/// The re-read after work by hand did not agree: the letter that stands is open again, and says what was seen.
const CONTRADICT: &str = "
UPDATE dead_letter SET state = 'open', finding = $2 WHERE job_id = $1 AND state = 'resolving' RETURNING id";

const RESOLVED: &str = "
UPDATE dead_letter SET state = 'resolved', closed_at = now(), closed_by = resolve_asked_by, closed_reason = resolve_reason
WHERE job_id = $1 AND state = 'resolving' RETURNING id";

const CALLED_OFF: &str = "
UPDATE dead_letter SET state = 'discarded', closed_at = now(), closed_by = 'system:settle', closed_reason = 'the opt-out was called off', discard_asked_by = NULL
WHERE job_id = $1 AND state = 'resolving' RETURNING id";

/// Makes a job dead outside a settle: the claim of a crash loop. Returns as [`insert_dead_letter`].
pub(super) async fn bury(
    tx: &Tx<'_>,
    job: JobId,
    provider: Provider,
    letter: &DeadLetter,
) -> Result<Option<Uuid>, StoreError> {
    tx.execute_one(BURY_JOB, &[&job.0, &letter.reason], "dead-lettering a job")
        .await?;
    insert_dead_letter(tx, job, provider, letter).await
}

/// Puts the job before a person, and its bell into the dead-letter queue. Returns the letter that stands already,
/// where the re-read after work by hand contradicted it; its message is in the queue.
pub(super) async fn insert_dead_letter(
    tx: &Tx<'_>,
    job: JobId,
    provider: Provider,
    letter: &DeadLetter,
) -> Result<Option<Uuid>, StoreError> {
    let doing = "opening a dead letter again";
    if let Some(row) = tx
        .query_opt(CONTRADICT, &[&job.0, &letter.reason], doing)
        .await?
    {
        return Ok(Some(row.get("id")));
    }
    tx.execute(
        INSERT_DEAD_LETTER,
        &[&Uuid::now_v7(), &job.0, &letter.fingerprint, &letter.reason],
        "writing a dead letter",
    )
    .await?;
    outbox::ring(tx, &[Bell::dead(job, provider)]).await?;
    Ok(None)
}

/// Closes the dead letter of a job that was said to be done by hand, once the job has come to its end.
pub(super) async fn end_resolving(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    state: JobState,
    events: &mut Events<'_>,
) -> Result<(), StoreError> {
    let (sql, kind) = match state {
        JobState::Done => (RESOLVED, AuditKind::DeadLetterResolved),
        JobState::Cancelled => (CALLED_OFF, AuditKind::DeadLetterDiscarded),
        JobState::Waiting
        | JobState::Running
        | JobState::Held
        | JobState::Parked
        | JobState::Dead
        | JobState::Replaced => return Ok(()),
    };
    let doing = "closing the dead letter of a job done by hand";
    let closed = tx.query_opt(sql, &[&claimed.lease.job.0], doing).await?;
    if let Some(row) = closed {
        events.add(kind, json!({"dead_letter": row.get::<_, Uuid>("id")}));
    }
    Ok(())
}
