//! The jobs of an opt-out as accept writes them: made, strengthened, held.

use std::time::Duration;

use jiff::Timestamp;
use sever_domain::{
    ConnectionId, HoldReason, Intent, JobId, JobKind, JobState, OptOutId, Provider, SubjectId,
    Urgency,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

/// For each connection the newest job of the opt-out, locked against claims and settles.
const LOCK: &str = "
SELECT job.id, connection_id, provider, state, intent, urgency, effective_at, lease_epoch > 0 AS started
FROM job WHERE opt_out_id = $1
ORDER BY created_at, id
FOR NO KEY UPDATE";

const INSERT: &str = "
INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, state_reason, intent, urgency, effective_at, due_at, accepted_at)
SELECT id, $11, $1, $2, connection_id, provider, state, reason, $3, $4, $5, greatest($5, now() + make_interval(secs => delay)), now()
FROM unnest($6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::text[], $12::float8[]) AS new (id, connection_id, provider, state, reason, delay)";

/// What comes last waits for every other job of its opt-out.
const INSERT_NEEDS: &str = "
INSERT INTO job_need (job_id, needs_job_id)
SELECT late.id, other.id FROM job AS late JOIN job AS other ON other.opt_out_id = late.opt_out_id
WHERE late.opt_out_id = $1 AND late.provider = ANY($2) AND other.provider <> ALL($2)
  AND late.state IN ('waiting', 'held', 'parked') AND other.state NOT IN ('done', 'cancelled', 'replaced')
ON CONFLICT DO NOTHING";

/// A running job is told by its bell to look again once it settles.
const STRENGTHEN: &str = "
UPDATE job SET intent = new.intent, urgency = new.urgency, effective_at = new.effective_at,
       due_at = CASE WHEN job.state = 'waiting' THEN greatest(coalesce(new.due_at, job.due_at), now()) ELSE job.due_at END,
       rung_again = rung_again OR job.state = 'running'
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
     AS new (id, expected, intent, urgency, effective_at, due_at)
WHERE job.id = new.id AND job.state = new.expected";

const HOLD_WAITING: &str = "
UPDATE job SET state = 'held', state_reason = $2, due_at = NULL WHERE opt_out_id = $1 AND state = 'waiting' RETURNING id";

/// A job whose row is locked by this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedJob {
    /// Its id.
    pub id: JobId,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's provider.
    pub provider: Provider,
    /// Its state.
    pub state: JobState,
    /// How far it goes here.
    pub intent: Intent,
    /// Which queue its bell takes.
    pub urgency: Urgency,
    /// When it takes effect here.
    pub effective_at: Timestamp,
    /// Whether a worker has ever claimed it.
    pub started: bool,
}

/// The jobs of an opt-out, oldest first, locked until the transaction ends. The caller holds the opt-out's row.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn lock(tx: &Tx<'_>, opt_out: OptOutId) -> Result<Vec<LockedJob>, StoreError> {
    let rows = tx
        .query(LOCK, &[&opt_out.0], "locking the jobs of an opt-out")
        .await?;
    rows.iter().map(job).collect()
}

fn job(row: &Row) -> Result<LockedJob, StoreError> {
    Ok(LockedJob {
        id: JobId(row.get("id")),
        connection: ConnectionId(row.get("connection_id")),
        provider: word(row, "provider")?,
        state: word(row, "state")?,
        intent: word(row, "intent")?,
        urgency: word(row, "urgency")?,
        effective_at: row.get("effective_at"),
        started: row.get("started"),
    })
}

/// A job to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's provider.
    pub provider: Provider,
    /// `waiting`, `held` or `parked`.
    pub state: JobState,
    /// Why it is not waiting.
    pub reason: Option<&'static str>,
    /// How long it waits at least: calls of a job whose place it takes may still arrive.
    pub delay: Duration,
}

/// What all jobs of one request have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobTerms {
    /// How far they go.
    pub intent: Intent,
    /// Which queue their bells take.
    pub urgency: Urgency,
    /// When they take effect; they are due then, and at once where that is past.
    pub effective_at: Timestamp,
}

/// Makes jobs.
///
/// # Errors
/// A second open job of the subject at a connection is a statement error with the constraint
/// `job_one_open`; else as any statement.
pub async fn insert(
    tx: &Tx<'_>,
    kind: JobKind,
    opt_out: OptOutId,
    subject: SubjectId,
    terms: &JobTerms,
    jobs: &[NewJob],
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    let connections: Vec<Uuid> = jobs.iter().map(|job| job.connection.0).collect();
    let providers: Vec<&str> = jobs.iter().map(|job| job.provider.as_str()).collect();
    let states: Vec<&str> = jobs.iter().map(|job| job.state.as_str()).collect();
    let reasons: Vec<Option<&str>> = jobs.iter().map(|job| job.reason).collect();
    let delays: Vec<f64> = jobs.iter().map(|job| job.delay.as_secs_f64()).collect();
    tx.execute(
        INSERT,
        &[
            &opt_out.0,
            &subject.0,
            &terms.intent.as_str(),
            &terms.urgency.as_str(),
            &terms.effective_at,
            &ids,
            &connections,
            &providers,
            &states,
            &reasons,
            &kind.as_str(),
            &delays,
        ],
        "making the jobs of an opt-out",
    )
    .await
    .map(drop)
}

/// Makes the jobs of providers that come last wait for the others of the opt-out.
///
/// # Errors
/// As any statement.
pub async fn insert_needs(
    tx: &Tx<'_>,
    opt_out: OptOutId,
    jobs: &[NewJob],
) -> Result<(), StoreError> {
    let last: Vec<&str> = Provider::ALL
        .iter()
        .filter(|provider| provider.waits_for_others())
        .map(|provider| provider.as_str())
        .collect();
    if jobs.is_empty() {
        return Ok(());
    }
    tx.execute(
        INSERT_NEEDS,
        &[&opt_out.0, &last],
        "ordering the jobs of an opt-out",
    )
    .await
    .map(drop)
}

/// A job that a further request makes stronger, more urgent or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrongerJob {
    /// The job.
    pub id: JobId,
    /// The state in which it was locked.
    pub expected: JobState,
    /// The terms that it gets.
    pub terms: JobTerms,
    /// When a waiting one is due from now on; `None` leaves it.
    pub due_at: Option<Timestamp>,
}

/// Gives jobs stronger terms.
///
/// # Errors
/// [`StoreError::Conflict`] if one of them left its state; else as any statement.
pub async fn strengthen(tx: &Tx<'_>, jobs: &[StrongerJob]) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let doing = "strengthening jobs";
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    let expected: Vec<&str> = jobs.iter().map(|job| job.expected.as_str()).collect();
    let intents: Vec<&str> = jobs.iter().map(|job| job.terms.intent.as_str()).collect();
    let urgencies: Vec<&str> = jobs.iter().map(|job| job.terms.urgency.as_str()).collect();
    let effective: Vec<Timestamp> = jobs.iter().map(|job| job.terms.effective_at).collect();
    let due: Vec<Option<Timestamp>> = jobs.iter().map(|job| job.due_at).collect();
    let changed = tx
        .execute(
            STRENGTHEN,
            &[&ids, &expected, &intents, &urgencies, &effective, &due],
            doing,
        )
        .await?;
    if changed == jobs.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::Conflict { doing })
    }
}

/// Puts every waiting job of an opt-out under its hold; returns them.
///
/// # Errors
/// As any statement.
pub async fn hold_waiting(
    tx: &Tx<'_>,
    opt_out: OptOutId,
    reason: HoldReason,
) -> Result<Vec<JobId>, StoreError> {
    let doing = "holding the jobs of an opt-out";
    let rows = tx
        .query(HOLD_WAITING, &[&opt_out.0, &reason.as_str()], doing)
        .await?;
    Ok(rows.iter().map(|row| JobId(row.get("id"))).collect())
}
