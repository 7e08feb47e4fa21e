//! Reversing an opt-out: it gives its place to a restore, and its open jobs end. Cancelling one that has sent nothing yet.

use jiff::Timestamp;
use sever_domain::{
    ConnectionId, HoldId, JobId, JobKind, JobState, OptOutId, OptOutState, Provider, SubjectId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

const SUBJECT_OF: &str = "SELECT subject_id FROM opt_out WHERE id = $1";

const LOCK: &str = "
SELECT opt_out.id, opt_out.kind, opt_out.state, opt_out.subject_id, opt_out.intent, opt_out.urgency, opt_out.scope, now() AS now,
       EXISTS (SELECT FROM opt_out AS other WHERE other.subject_id = opt_out.subject_id AND other.state = 'open' AND other.id <> opt_out.id) AS another_open
FROM opt_out WHERE id = $1 FOR UPDATE";

const LOCK_JOBS: &str = "
SELECT job.id, job.state, job.connection_id, job.provider, connection.state AS connection_state, connection.name,
       EXISTS (SELECT FROM effect JOIN step ON step.id = effect.step_id WHERE step.job_id = job.id
               AND effect.outcome IS DISTINCT FROM 'not_applied') AS touched,
       EXISTS (SELECT FROM effect JOIN step ON step.id = effect.step_id WHERE step.job_id = job.id AND step.reversibility = 'one_way'
               AND step.class <> 'cut_sessions' AND effect.outcome IS DISTINCT FROM 'not_applied') AS one_way_sent,
       EXISTS (SELECT FROM effect JOIN step ON step.id = effect.step_id WHERE step.job_id = job.id
               AND (effect.outcome IS NULL OR effect.outcome = 'lost') AND effect.intent_at > now() - interval '64 seconds') AS may_arrive
FROM job JOIN connection ON connection.id = job.connection_id
WHERE job.opt_out_id = $1 ORDER BY job.id FOR UPDATE OF job";

const REVERSE: &str = "
UPDATE opt_out SET state = 'reversed', closed_at = coalesce(closed_at, now()) WHERE id = $1 AND state = $2";

/// Apart from the reversal: the restore can only be opened once nothing else is open, and named once it is there.
const NAME_RESTORE: &str = "UPDATE opt_out SET reversed_by = $2 WHERE id = $1";

const REPLACE_JOBS: &str = "
UPDATE job SET state = 'replaced', state_reason = 'restore', due_at = NULL, settled_at = now(), resolving = false
WHERE opt_out_id = $1 AND state IN ('waiting', 'held', 'parked', 'dead')";

const CLOSE_DEAD_LETTERS: &str = "
UPDATE dead_letter SET state = 'discarded', closed_at = now(), closed_by = $2, closed_reason = $3, discard_asked_by = NULL
WHERE state IN ('open', 'resolving') AND job_id IN (SELECT id FROM job WHERE opt_out_id = $1)";

const OPEN_HOLDS: &str = "
SELECT count(*) AS open FROM hold WHERE state = 'open'
  AND (target_id = $1 OR target_id IN (SELECT id FROM job WHERE opt_out_id = $1))";

const INSERT: &str = "
INSERT INTO opt_out (id, kind, subject_id, intent, urgency, scope, effective_at, state)
SELECT $2, 'restore', subject_id, intent, urgency, scope, now(), 'open' FROM opt_out WHERE id = $1";

/// Who asked, so that they never decide on what stops it.
const NAME_ASKER: &str = "
INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, subject_id, opt_out_id, urgency, reason, occurred_at, state)
SELECT gen_random_uuid(), $2, 'console', 'restore:' || opt_out.id, sha256(convert_to(opt_out.id::text, 'UTF8')), 'restore', subject_id, opt_out.id,
       urgency, $3, now(), 'attached'
FROM opt_out WHERE id = $1";

/// An opt-out whose row is locked by this transaction, with its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversible {
    /// Its id.
    pub id: OptOutId,
    /// Whether it removes.
    pub kind: JobKind,
    /// Its state.
    pub state: OptOutState,
    /// Whose access it removed.
    pub subject: SubjectId,
    /// Whether the subject has another open one.
    pub another_open: bool,
    /// Holds that stand on it or its jobs.
    pub open_holds: i64,
    /// Its jobs.
    pub jobs: Vec<ReversibleJob>,
    /// The transaction's time.
    pub now: Timestamp,
}

/// One job of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversibleJob {
    /// Its id.
    pub id: JobId,
    /// Its state.
    pub state: JobState,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's name.
    pub connection_name: String,
    /// The connection's provider.
    pub provider: Provider,
    /// Whether the connection takes work now.
    pub connection_open: bool,
    /// Whether anything was sent there.
    pub touched: bool,
    /// Whether something from behind the fence was sent there: it cannot be taken back, and is neither session nor token.
    pub one_way_sent: bool,
    /// Whether a call whose answer was lost may still arrive.
    pub may_arrive: bool,
}

/// Locks subject, opt-out and jobs, in this order, until the transaction ends; `None` where there is no such opt-out.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn lock(tx: &Tx<'_>, id: OptOutId) -> Result<Option<Reversible>, StoreError> {
    let doing = "locking an opt-out for its restore";
    let Some(subject) = tx.query_opt(SUBJECT_OF, &[&id.0], doing).await? else {
        return Ok(None);
    };
    let subject: Uuid = subject.get("subject_id");
    tx.query(LOCK_SUBJECT, &[&subject], doing).await?;
    let Some(row) = tx.query_opt(LOCK, &[&id.0], doing).await? else {
        return Ok(None);
    };
    let jobs = tx.query(LOCK_JOBS, &[&id.0], doing).await?;
    let holds = tx.query(OPEN_HOLDS, &[&id.0], doing).await?;
    Ok(Some(Reversible {
        id,
        kind: word(&row, "kind")?,
        state: word(&row, "state")?,
        subject: SubjectId(subject),
        another_open: row.get("another_open"),
        open_holds: holds[0].get("open"),
        jobs: jobs.iter().map(job).collect::<Result<_, _>>()?,
        now: row.get("now"),
    }))
}

const LOCK_SUBJECT: &str = "SELECT 1 FROM subject WHERE id = $1 FOR UPDATE";

fn job(row: &Row) -> Result<ReversibleJob, StoreError> {
    Ok(ReversibleJob {
        id: JobId(row.get("id")),
        state: word(row, "state")?,
        connection: ConnectionId(row.get("connection_id")),
        connection_name: row.get("name"),
        provider: word(row, "provider")?,
        connection_open: row.get::<_, &str>("connection_state") == "open",
        touched: row.get("touched"),
        one_way_sent: row.get("one_way_sent"),
        may_arrive: row.get("may_arrive"),
    })
}

const CANCEL_JOBS: &str = "
UPDATE job SET state = 'cancelled', state_reason = 'cancelled', due_at = NULL, settled_at = now(), resolving = false
WHERE opt_out_id = $1 AND state IN ('waiting', 'held', 'parked', 'dead')";

const CANCEL: &str = "
UPDATE opt_out SET state = 'cancelled', closed_at = now() WHERE id = $1 AND state = 'open'";

const REJECT_HOLDS: &str = "
UPDATE hold SET state = 'rejected', decided_by = 'sever:cancel', decided_at = now(), decision = 'the opt-out was cancelled'
WHERE state = 'open' AND (target_id = $1 OR target_id IN (SELECT id FROM job WHERE opt_out_id = $1))
RETURNING id";

/// Cancels the opt-out with its open jobs and dead letters, in the name of `actor`.
///
/// # Errors
/// [`StoreError::Conflict`] if it is no longer open; else as any statement.
pub async fn cancel(
    tx: &Tx<'_>,
    standing: &Reversible,
    actor: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let id = standing.id.0;
    let doing = "cancelling an opt-out";
    tx.execute_one(CANCEL, &[&id], doing).await?;
    tx.execute(CANCEL_JOBS, &[&id], doing).await?;
    tx.execute(CLOSE_DEAD_LETTERS, &[&id, &actor, &reason], doing)
        .await
        .map(drop)
}

/// Rejects the open holds of an opt-out that is called off; returns them.
///
/// # Errors
/// As any statement.
pub async fn reject_holds(tx: &Tx<'_>, standing: &Reversible) -> Result<Vec<HoldId>, StoreError> {
    let doing = "rejecting the holds of a cancelled opt-out";
    let holds = tx.query(REJECT_HOLDS, &[&standing.id.0], doing).await?;
    Ok(holds.iter().map(|row| HoldId(row.get("id"))).collect())
}

/// Reverses the opt-out and opens the restore `by` in its place, in the name of `actor`; its open jobs are replaced.
///
/// # Errors
/// [`StoreError::Conflict`] if it left its state; a second open opt-out of the subject is a statement error with the
/// constraint `opt_out_one_open`; else as any statement.
pub async fn reverse(
    tx: &Tx<'_>,
    standing: &Reversible,
    by: OptOutId,
    actor: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let id = standing.id.0;
    let doing = "reversing an opt-out";
    tx.execute_one(REVERSE, &[&id, &standing.state.as_str()], doing)
        .await?;
    tx.execute_one(INSERT, &[&id, &by.0], "opening a restore")
        .await?;
    tx.execute_one(NAME_RESTORE, &[&id, &by.0], doing).await?;
    tx.execute_one(NAME_ASKER, &[&by.0, &actor, &reason], doing)
        .await?;
    tx.execute(REPLACE_JOBS, &[&id], "replacing the jobs of an opt-out")
        .await?;
    tx.execute(
        CLOSE_DEAD_LETTERS,
        &[&id, &actor, &reason],
        "closing the dead letters of an opt-out",
    )
    .await
    .map(drop)
}
