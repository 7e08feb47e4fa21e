//! The settle: how a job leaves its worker.

use std::time::Duration;

use futures::try_join;
use jiff::Timestamp;
use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::{JobId, JobState};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::bury::{end_resolving, insert_dead_letter};
use super::epoch::Events;
use super::intent::insert_attempt;
use super::settlement::{HoldRequest, Settlement};
use super::types::ClaimedJob;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Tx;
use crate::row::word;

/// What a settle came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The job's state now.
    pub state: JobState,
    /// Whether the opt-out was closed with it.
    pub opt_out_closed: bool,
    /// The transaction's time.
    pub now: Timestamp,
}

/// What the epoch has moved since its last transaction.
pub(super) struct Progress {
    pub(super) first_revocation_at: Option<Timestamp>,
    /// Whether the provider took a call, or was read before a wait: what failed before is over.
    pub(super) answered: bool,
}

/// What a settle's locks showed.
pub(super) struct Locked {
    pub(super) now: Timestamp,
    revision: i32,
    opt_out_open: bool,
}

/// The closing settle, the accept and the release of a hold lock the same opt-out row, so that none
/// overlooks another.
const LOCK_FOR_CLOSE: &str = "
SELECT now() AS now, opt_out.revision, opt_out.state = 'open' AS open
FROM opt_out JOIN job ON job.opt_out_id = opt_out.id
WHERE job.id = $1 AND job.lease_epoch = $2 AND job.lease_token = $3 AND job.state = 'running'
FOR UPDATE OF opt_out FOR NO KEY UPDATE OF job";

const LOCK: &str = "
SELECT now() AS now, opt_out.revision, opt_out.state = 'open' AS open
FROM opt_out JOIN job ON job.opt_out_id = opt_out.id
WHERE job.id = $1 AND job.lease_epoch = $2 AND job.lease_token = $3 AND job.state = 'running'
FOR NO KEY UPDATE OF job";

const STILL_HELD: &str =
    "SELECT 1 AS held FROM hold WHERE target_id IN ($1, $2) AND state = 'open' LIMIT 1";

/// A bell that came while the job found that it waits for a person brought that person's word: it looks again at once.
const SETTLE: &str = "
UPDATE job SET state = $2, state_reason = $3,
       due_at = CASE WHEN $2 = 'waiting' AND $3 = 'task' AND rung_again THEN now() WHEN $2 = 'waiting' THEN now() + make_interval(secs => $4) END,
       lease_token = NULL, lease_until = NULL, lease_instance = NULL, unsettled_epochs = 0, rung_again = false, rung_at = NULL,
       attempt = greatest(attempt, $5),
       failures = CASE WHEN $6 = 'retry' THEN CASE WHEN $8 THEN 1 ELSE failures + 1 END WHEN $6 = 'done' OR $8 THEN 0 ELSE failures END,
       failing_since = CASE WHEN $6 = 'retry' OR $3 = 'propagation' THEN CASE WHEN $8 THEN now() ELSE coalesce(failing_since, now()) END
                            WHEN $6 = 'done' OR $8 THEN NULL ELSE failing_since END,
       failing_open_s = CASE WHEN ($6 = 'retry' OR $3 = 'propagation') AND ($8 OR failing_since IS NULL)
                             THEN coalesce((SELECT open_total_s + coalesce(extract(epoch FROM now() - opened_at)::float8, 0) FROM breaker
                                            WHERE breaker.connection_id = job.connection_id), 0)
                             ELSE failing_open_s END,
       first_revocation_at = coalesce(first_revocation_at, $7), settled_at = now(),
       resolving = resolving AND $2 NOT IN ('done', 'dead', 'cancelled')
WHERE id = $1";

const END_ATTEMPT: &str =
    "UPDATE attempt SET ended_at = now(), class = $3, detail = $4 WHERE job_id = $1 AND no = $2";

const CLOSE_OPT_OUT: &str = "
UPDATE opt_out SET state = 'closed', closed_at = now()
WHERE id = $1 AND state = 'open' AND NOT EXISTS
      (SELECT FROM job WHERE opt_out_id = $1 AND id <> $2 AND state IN ('waiting', 'running', 'held', 'parked', 'dead'))";

const BLOCK_CONNECTION: &str = "
UPDATE connection SET blocked_until = greatest(blocked_until, now() + make_interval(secs => $2)) WHERE id = $1";

const PARK_CONNECTION: &str =
    "UPDATE connection SET state = 'parked', state_reason = $2 WHERE id = $1 AND state = 'open'";

/// The jobs for which this was the last need; the sweeper finds the others.
const RING_NEEDERS: &str = "
UPDATE job SET due_at = greatest(now(), effective_at)
WHERE state = 'waiting' AND id IN (SELECT job_id FROM job_need WHERE needs_job_id = $1)
  AND NOT EXISTS (SELECT FROM job_need JOIN job AS needed ON needed.id = job_need.needs_job_id
                  WHERE job_need.job_id = job.id AND needed.id <> $1 AND needed.state NOT IN ('done', 'cancelled', 'replaced'))
RETURNING id, provider, urgency, due_at <= now() AS due";

const OPEN_HOLD: &str = "
INSERT INTO hold (id, scope, target_id, reason, policy, detail, requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (scope, target_id, reason) WHERE state = 'open' DO NOTHING";

/// Takes the settle's locks.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is lost.
pub(super) async fn lock(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    settlement: &Settlement,
) -> Result<Locked, StoreError> {
    let doing = "locking a job for its settle";
    let decides = matches!(
        settlement,
        Settlement::Done | Settlement::Held(_) | Settlement::StoppedByHold
    );
    let sql = if decides { LOCK_FOR_CLOSE } else { LOCK };
    let lease = &claimed.lease;
    let row = tx
        .query_opt(sql, &[&lease.job.0, &lease.epoch, &lease.token], doing)
        .await?
        .ok_or(StoreError::Conflict { doing })?;
    Ok(Locked {
        now: row.get("now"),
        revision: row.get("revision"),
        opt_out_open: row.get("open"),
    })
}

/// Moves the job, ends the attempt, and does what the settlement brings with it.
pub(super) async fn finish(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    attempt: Option<i32>,
    progress: &Progress,
    settlement: &Settlement,
    locked: &Locked,
    events: &mut Events<'_>,
) -> Result<Settled, StoreError> {
    let settlement = &changed_meanwhile(tx, claimed, settlement, locked).await?;
    let state = JobState::Running
        .after(settlement.event())
        .map_err(|error| StoreError::Corrupt {
            column: "job.state",
            problem: error.to_string(),
        })?;
    let spent = attempt.or_else(|| {
        let spends = settlement.class().spends_attempt();
        spends.then_some(claimed.attempts + 1)
    });
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
        &claimed.lease.job.0,
        &state.as_str(),
        &settlement.reason(),
        &settlement.after().as_secs_f64(),
        &spent.unwrap_or(claimed.attempts),
        &settlement.class().as_str(),
        &progress.first_revocation_at,
        &progress.answered,
    ];
    let closing = async {
        let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
            &[&claimed.opt_out.0, &claimed.lease.job.0];
        match state {
            JobState::Done => {
                tx.execute(CLOSE_OPT_OUT, values, "closing an opt-out")
                    .await
            }
            _ => Ok(0),
        }
    };
    let ((), (), closed) = try_join!(
        end_attempt(tx, claimed, attempt, spent, settlement),
        tx.execute_one(SETTLE, values, "settling a job"),
        closing
    )?;
    side_effects(tx, claimed, settlement, events).await?;
    if claimed.resolving {
        end_resolving(tx, claimed, state, events).await?;
    }
    if claimed.needed && !state.is_open() {
        ring_needers(tx, claimed).await?;
    }
    events.add(AuditKind::JobSettled, json!({"to": state, "class": settlement.class(), "reason": settlement.reason(), "attempt": spent, "after_ms": settlement.after().as_millis().min(u128::from(u64::MAX)) as u64}));
    let opt_out_closed = closed == 1;
    if opt_out_closed {
        events.add(
            AuditKind::OptOutClosed,
            json!({"revision": locked.revision}),
        );
    }
    Ok(Settled {
        state,
        opt_out_closed,
        now: locked.now,
    })
}

/// A request that attached while the job ran, an opt-out called off, or a hold released is never
/// settled over. The hold is looked for under the opt-out's lock, in a statement of its own, because a
/// release takes that lock before it lifts the hold.
async fn changed_meanwhile(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    settlement: &Settlement,
    locked: &Locked,
) -> Result<Settlement, StoreError> {
    let again = Settlement::Wait {
        why: "revision",
        after: Duration::ZERO,
    };
    Ok(match settlement {
        Settlement::Done if !locked.opt_out_open => Settlement::CalledOff,
        Settlement::Done | Settlement::Wait { .. } | Settlement::Retry { .. }
            if locked.revision != claimed.opt_out_revision =>
        {
            again
        }
        Settlement::StoppedByHold => {
            let held = tx
                .query_opt(
                    STILL_HELD,
                    &[&claimed.lease.job.0, &claimed.opt_out.0],
                    "looking for a standing hold",
                )
                .await?;
            if held.is_some() {
                Settlement::StoppedByHold
            } else {
                again
            }
        }
        other => other.clone(),
    })
}

/// Ends the attempt that this settle spends, and makes its row where no intent has.
async fn end_attempt(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    standing: Option<i32>,
    spent: Option<i32>,
    settlement: &Settlement,
) -> Result<(), StoreError> {
    let Some(no) = spent else {
        return Ok(());
    };
    if standing.is_none() {
        insert_attempt(tx, claimed, no).await?;
    }
    tx.execute_one(
        END_ATTEMPT,
        &[
            &claimed.lease.job.0,
            &no,
            &settlement.class().as_str(),
            &settlement.reason(),
        ],
        "ending an attempt",
    )
    .await
}

async fn side_effects(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    settlement: &Settlement,
    events: &mut Events<'_>,
) -> Result<(), StoreError> {
    let connection = claimed.connection.0;
    match settlement {
        Settlement::RetryAt { after } => {
            tx.execute(
                BLOCK_CONNECTION,
                &[&connection, &after.as_secs_f64()],
                "leaving a connection alone",
            )
            .await?;
        }
        Settlement::Credentials { what } => {
            if tx
                .execute(
                    PARK_CONNECTION,
                    &[&connection, what],
                    "parking a connection",
                )
                .await?
                == 1
            {
                events.add(
                    AuditKind::ConnectionChanged,
                    json!({"connection": claimed.connection, "state": "parked", "reason": what}),
                );
            }
        }
        Settlement::Held(hold) => open_hold(tx, claimed, hold, events).await?,
        Settlement::Dead(letter) => {
            let contradicted =
                insert_dead_letter(tx, claimed.lease.job, claimed.provider, letter).await?;
            if let Some(id) = contradicted {
                events.add(
                    AuditKind::DeadLetterContradicted,
                    json!({"dead_letter": id, "finding": letter.reason}),
                );
            }
        }
        Settlement::Wait { after, .. } if after.is_zero() => ring(tx, claimed).await?,
        Settlement::Drain => ring(tx, claimed).await?,
        Settlement::Wait { .. }
        | Settlement::Retry { .. }
        | Settlement::Done
        | Settlement::Foretold { .. }
        | Settlement::StoppedByHold
        | Settlement::CalledOff => {}
    }
    Ok(())
}

async fn ring_needers(tx: &Tx<'_>, claimed: &ClaimedJob) -> Result<(), StoreError> {
    let doing = "ringing what waited for a job";
    let rows = tx
        .query(RING_NEEDERS, &[&claimed.lease.job.0], doing)
        .await?;
    let mut bells = Vec::new();
    for row in rows.iter().filter(|row| row.get("due")) {
        bells.push(Bell::work(
            JobId(row.get("id")),
            word(row, "provider")?,
            word(row, "urgency")?,
        ));
    }
    outbox::ring(tx, &bells).await
}

async fn ring(tx: &Tx<'_>, claimed: &ClaimedJob) -> Result<(), StoreError> {
    outbox::ring(
        tx,
        &[Bell::work(
            claimed.lease.job,
            claimed.provider,
            claimed.urgency,
        )],
    )
    .await
}

/// Opens a hold on the job or its opt-out; one that stands already stays.
pub(super) async fn open_hold(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    hold: &HoldRequest,
    events: &mut Events<'_>,
) -> Result<(), StoreError> {
    let (scope, target) = if hold.on_opt_out {
        ("opt_out", claimed.opt_out.0)
    } else {
        ("job", claimed.lease.job.0)
    };
    let id = Uuid::now_v7();
    let policy = hold.policy.min(hold.reason.at_most());
    let opened = tx
        .execute(
            OPEN_HOLD,
            &[
                &id,
                &scope,
                &target,
                &hold.reason.as_str(),
                &policy.as_str(),
                &Json(&hold.detail),
                &claimed.asked_by,
            ],
            "opening a hold",
        )
        .await?;
    if opened == 1 {
        events.add(AuditKind::HoldOpened, json!({"hold": id, "scope": scope, "reason": hold.reason, "policy": policy, "detail": hold.detail}));
    }
    Ok(())
}
