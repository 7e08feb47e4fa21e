//! The claim: one transaction that reads a job under its lock, asks the domain, and takes the lease.

use std::time::Duration;

use futures::try_join;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::claim::{ClaimDecision, ClaimFacts, Refusal, decide};
use sever_domain::{InstanceId, JobId, JobState, OptOutId, Provider, SubjectId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::bury;
use super::load;
use super::settlement::DeadLetter;
use super::types::{BreakerAtClaim, ClaimedJob, Lease};
use crate::audit;
use crate::breaker;
use crate::error::StoreError;
use crate::pool::{Store, Tx};
use crate::row::word;

/// Locks the job row. The holder is looked up by a subquery: after waiting for the lock it is asked again with the
/// new row's lease, where a join would keep the row of the old one. Needs keep a job from its last steps only, so that they
/// count once a settle found nothing else to do. The count of leases is read without a lock and can be behind; where the slots of the worker's
/// processes are more than the cap, the claim counts again under one. A process that died within the last minute is
/// counted, for a call of its may still be under way.
const READ: &str = "
SELECT job.state, job.due_at, job.lease_epoch, job.unsettled_epochs, job.provider, job.subject_id, job.opt_out_id,
       coalesce(job.lease_until > now(), false)
           AND EXISTS (SELECT FROM worker_instance AS holder WHERE holder.id = job.lease_instance AND holder.stopped_at IS NULL
                         AND holder.heartbeat_at > now() - make_interval(secs => holder.dead_after_s)) AS lease_alive,
       connection.state = 'open' AS connection_open, connection.blocked_until, connection.jobs_max::int8 AS leases_max,
       breaker.retry_at AS breaker_until, coalesce(breaker.opened_at IS NOT NULL OR breaker.failures_in_row > 0, false) AS breaker_listens,
       coalesce(breaker.open_total_s + coalesce(extract(epoch FROM now() - breaker.opened_at)::float8, 0), 0) AS breaker_open_s,
       CASE WHEN job.state_reason = 'needs' THEN
         (SELECT count(*) FROM job_need JOIN job AS needed ON needed.id = job_need.needs_job_id
          WHERE job_need.job_id = job.id AND needed.state NOT IN ('done', 'cancelled', 'replaced')) ELSE 0 END AS needs_open,
       (SELECT count(*) FROM job AS other WHERE other.connection_id = job.connection_id AND other.state = 'running'
          AND other.id <> job.id) AS leases,
       (SELECT coalesce(sum(live.slots), 0)::int8 FROM worker_instance AS live
        WHERE live.stopped_at IS NULL AND live.heartbeat_at > now() - make_interval(secs => 60)
          AND live.service = (SELECT service FROM worker_instance WHERE id = $3)) AS slots,
       (SELECT value FROM incarnation) = $2 AS same_incarnation, now() AS now
FROM job JOIN connection ON connection.id = job.connection_id
LEFT JOIN breaker ON breaker.connection_id = job.connection_id
WHERE job.id = $1
FOR NO KEY UPDATE OF job";

const TAKE: &str = "
UPDATE job SET state = 'running', state_reason = NULL, due_at = NULL, lease_epoch = lease_epoch + 1, lease_token = $2, lease_instance = $3,
       lease_until = now() + make_interval(secs => $4), unsettled_epochs = unsettled_epochs + 1, rung_again = false
WHERE id = $1";

/// What an earlier epoch had intended and not answered may have happened: only a read can tell.
const LOSE_TRACK: &str =
    "UPDATE step SET state = 'unknown' WHERE job_id = $1 AND state = 'applying' RETURNING id";

const LOCK_CONNECTION: &str = "
SELECT 1 AS locked FROM connection WHERE id = (SELECT connection_id FROM job WHERE id = $1) FOR NO KEY UPDATE";

const COUNT_LEASES: &str = "
SELECT count(*) AS leases FROM job AS other JOIN job ON job.connection_id = other.connection_id
WHERE job.id = $1 AND other.id <> job.id AND other.state = 'running'";

const NOTE_BELL: &str = "UPDATE job SET rung_again = true WHERE id = $1";

/// A job whose worker died and that cannot go on now gives its lease back.
const LATER: &str = "
UPDATE job SET due_at = $2, state_reason = $3, state = 'waiting', lease_token = NULL, lease_until = NULL, lease_instance = NULL
WHERE id = $1";

/// What became of a bell.
#[derive(Debug)]
pub enum Claimed {
    /// The lease is taken.
    Taken(Box<ClaimedJob>),
    /// There is nothing to do now; PostgreSQL knows when there is.
    NotNow(&'static str),
    /// The database was brought back to an earlier point: this process must stop.
    StaleWorker,
}

/// Claims a job for an instance. `lease` is the ceiling; the lease lives while the heartbeat does.
///
/// # Errors
/// As any statement.
pub async fn claim(
    store: &Store,
    job: JobId,
    instance: InstanceId,
    incarnation: Uuid,
    lease: Duration,
) -> Result<Claimed, StoreError> {
    let doing = "claiming a job";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let Some(row) = tx
        .query_opt(READ, &[&job.0, &incarnation, &instance.0], doing)
        .await?
    else {
        return Ok(Claimed::NotNow("unknown job"));
    };
    let facts = facts(&row)?;
    let mut decision = decide(&facts);
    if decision == ClaimDecision::Take && is_full(&tx, &row, &facts, job).await? {
        let due_at = facts.now + jiff::SignedDuration::from_secs(1);
        let why = Refusal::Cap;
        decision = ClaimDecision::Later { due_at, why };
    }
    let outcome = match decision {
        ClaimDecision::Take => {
            let epoch: i64 = row.get("lease_epoch");
            let taken = Lease {
                job,
                epoch: epoch + 1,
                token: Uuid::new_v4(),
                instance,
                incarnation,
            };
            Claimed::Taken(Box::new(take(&tx, &row, &facts, taken, lease).await?))
        }
        ClaimDecision::RungAgain => {
            tx.execute_one(NOTE_BELL, &[&job.0], doing).await?;
            Claimed::NotNow("leased")
        }
        ClaimDecision::Later { due_at, why } => {
            let why = why.as_str();
            tx.execute_one(LATER, &[&job.0, &due_at, &why], doing)
                .await?;
            if facts.state == JobState::Running {
                let event = lost_lease(&row, job, instance, facts.now);
                audit::insert(&tx, &[event]).await?;
            }
            Claimed::NotNow("refused for now")
        }
        ClaimDecision::CrashLoop => {
            dead_letter(&tx, &row, job, instance, facts.now).await?;
            Claimed::NotNow("crash loop")
        }
        ClaimDecision::Nothing => Claimed::NotNow("nothing to do"),
        ClaimDecision::StaleWorker => Claimed::StaleWorker,
    };
    sever_crash_point::hit("claim.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("claim.after_commit");
    Ok(outcome)
}

/// Whether the connection has as many leases as it may, counted under the lock of its row: nobody overtakes, whatever
/// the moment. Where every slot of every process could be in use without passing the cap, nothing is locked.
async fn is_full(
    tx: &Tx<'_>,
    row: &Row,
    facts: &ClaimFacts,
    job: JobId,
) -> Result<bool, StoreError> {
    let slots: i64 = row.get("slots");
    if slots <= facts.leases_max {
        return Ok(false);
    }
    let doing = "counting a connection's leases";
    tx.query(LOCK_CONNECTION, &[&job.0], doing).await?;
    let counted = tx.query_opt(COUNT_LEASES, &[&job.0], doing).await?;
    let leases = counted.map_or(0, |row| row.get("leases"));
    Ok(leases >= facts.leases_max)
}

async fn take(
    tx: &Tx<'_>,
    row: &Row,
    facts: &ClaimFacts,
    lease: Lease,
    ceiling: Duration,
) -> Result<ClaimedJob, StoreError> {
    let doing = "taking a lease";
    let lost = if lease.epoch > 1 {
        tx.query(LOSE_TRACK, &[&lease.job.0], doing).await?.len()
    } else {
        0
    };
    let data = json!({"epoch": lease.epoch, "steps_unknown": lost, "from": facts.state.as_str()});
    let event = AuditEvent::new(
        AuditKind::JobClaimed,
        facts.now,
        format!("worker:{}", lease.instance),
        data,
    )
    .subject(SubjectId(row.get("subject_id")))
    .opt_out(OptOutId(row.get("opt_out_id")))
    .job(lease.job);
    let (events, ceiling) = ([event], ceiling.as_secs_f64());
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&lease.job.0, &lease.token, &lease.instance.0, &ceiling];
    let breaker = BreakerAtClaim {
        listens: row.get("breaker_listens"),
        open_for: breaker::seconds(row.get("breaker_open_s")),
    };
    // None of the three depends on another one, so that they share a round trip.
    let ((), claimed, ()) = try_join!(
        tx.execute_one(TAKE, values, doing),
        load::claimed(tx, lease, facts.now, breaker),
        audit::insert(tx, &events)
    )?;
    Ok(claimed)
}

async fn dead_letter(
    tx: &Tx<'_>,
    row: &Row,
    job: JobId,
    instance: InstanceId,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let provider = word(row, "provider")?;
    let letter = DeadLetter {
        fingerprint: format!("{provider}:job:permanent:crash_loop"),
        reason: "three epochs in a row ended without a settle".to_owned(),
    };
    let contradicted = bury::bury(tx, job, provider, &letter).await?;
    let event = |kind, data| {
        AuditEvent::new(kind, now, format!("worker:{instance}"), data)
            .subject(SubjectId(row.get("subject_id")))
            .opt_out(OptOutId(row.get("opt_out_id")))
            .job(job)
    };
    let mut events = vec![event(
        AuditKind::JobSettled,
        json!({"to": "dead", "reason": "crash_loop"}),
    )];
    if let Some(id) = contradicted {
        let data = json!({"dead_letter": id, "finding": letter.reason});
        events.push(event(AuditKind::DeadLetterContradicted, data));
    }
    audit::insert(tx, &events).await
}

/// A dead worker's job gave its lease back and waits.
fn lost_lease(row: &Row, job: JobId, instance: InstanceId, now: jiff::Timestamp) -> AuditEvent {
    let data = json!({"from": "running", "to": "waiting", "reason": "refused"});
    AuditEvent::new(
        AuditKind::JobSettled,
        now,
        format!("worker:{instance}"),
        data,
    )
    .subject(SubjectId(row.get("subject_id")))
    .opt_out(OptOutId(row.get("opt_out_id")))
    .job(job)
}

fn facts(row: &Row) -> Result<ClaimFacts, StoreError> {
    let provider: Provider = word(row, "provider")?;
    Ok(ClaimFacts {
        state: word(row, "state")?,
        due_at: row.get("due_at"),
        lease_alive: row.get("lease_alive"),
        unsettled_epochs: row.get("unsettled_epochs"),
        connection_open: row.get("connection_open"),
        blocked_until: row.get("blocked_until"),
        breaker_until: row.get("breaker_until"),
        needs_open: row.get("needs_open"),
        leases: row.get("leases"),
        leases_max: match provider.is_one_lane() {
            true => 1,
            false => row.get("leases_max"),
        },
        same_incarnation: row.get("same_incarnation"),
        now: row.get("now"),
    })
}
