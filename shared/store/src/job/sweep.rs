//! The sweep: every open job that is due and has no bell under way gets one.

use std::time::Duration;

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{JobId, OptOutId, SubjectId};
use tokio_postgres::Row;

use super::closed_connection;
use crate::audit;
use crate::error::StoreError;
use crate::outbox::WORK_EXCHANGE;
use crate::pool::{Client, Store};

/// Due: scheduled, retry and wait alike; a bell that was rung too long ago, or before the broker's data
/// was found gone; and a lease whose holder is dead. A job at a connection that takes no work is left
/// until it does. The urgent come first, then those that have been due for longest.
///
/// Behind a slow provider bells lie in the queue for long, and are not lost: each further one for a job comes after
/// twice the time of the one before. A connection gets bells for the leases that it has room for, and a few times more,
/// for a lease may be short; none while its breaker is open, and two while it is half-open.
const SWEEP: &str = "
WITH room AS (
    SELECT connection.id, CASE WHEN breaker.retry_at > now() THEN 0 WHEN breaker.retry_at IS NOT NULL THEN 2
                               ELSE 8 * greatest(CASE connection.provider WHEN 'vanta' THEN 1 ELSE connection.jobs_max END - (SELECT count(*) FROM job WHERE job.connection_id = connection.id AND job.state = 'running'), 0)
                          END AS bells
    FROM connection LEFT JOIN breaker ON breaker.connection_id = connection.id
    WHERE connection.state = 'open' AND (connection.blocked_until IS NULL OR connection.blocked_until <= now())
), waiting AS (
    SELECT job.id, job.provider, job.urgency, job.due_at, room.bells,
           row_number() OVER (PARTITION BY job.connection_id ORDER BY job.urgency DESC, job.due_at, job.id) AS turn,
           CASE WHEN job.rung_at IS NULL THEN 'due' WHEN job.rung_at <= broker_epoch.lost_at THEN 'broker_lost' ELSE 'rung_too_long' END AS why
    FROM job JOIN room ON room.id = job.connection_id CROSS JOIN broker_epoch
    WHERE job.state = 'waiting' AND job.due_at <= now() AND room.bells > 0
      AND (job.rung_at IS NULL OR job.rung_at < job.due_at OR job.rung_at <= broker_epoch.lost_at
           OR job.rung_at < now() - greatest(make_interval(secs => $1), job.rung_at - job.due_at))
      AND NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = job.id AND outbox.exchange = $3)
), due AS (
    SELECT id, provider, urgency, due_at, why FROM waiting WHERE turn <= bells
    UNION ALL
    SELECT job.id, job.provider, job.urgency, job.lease_until, 'lease'
    FROM job LEFT JOIN worker_instance AS holder ON holder.id = job.lease_instance
    WHERE job.state = 'running'
      AND (job.lease_until < now() OR holder.stopped_at IS NOT NULL OR holder.heartbeat_at < now() - make_interval(secs => holder.dead_after_s))
      AND (job.rung_at IS NULL OR job.rung_at < now() - make_interval(secs => 5))
), chosen AS (
    SELECT due.* FROM due
    WHERE NOT EXISTS (SELECT FROM outbox WHERE outbox.job_id = due.id AND outbox.exchange = $3)
    ORDER BY due.urgency DESC, due.due_at, due.id
    LIMIT $2
), rung AS (
    INSERT INTO outbox (id, job_id, exchange, routing_key, body)
    SELECT gen_random_uuid(), id, $3, CASE urgency WHEN 'urgent' THEN provider || '.urgent' ELSE provider END,
           convert_to(json_build_object('v', 1, 'job', id)::text, 'UTF8')
    FROM chosen
    ON CONFLICT (job_id, exchange) WHERE claim_token IS NULL DO NOTHING
    RETURNING job_id
)
SELECT why, count(*)::int8 AS rings FROM chosen JOIN rung ON rung.job_id = chosen.id GROUP BY why";

/// A job that was parked while its connection was being opened: nobody else would return it.
const RETURN_PARKED: &str = "
WITH stranded AS (
    SELECT job.id FROM job JOIN connection ON connection.id = job.connection_id
    WHERE job.state = 'parked' AND connection.state = 'open'
    ORDER BY job.id LIMIT $1
    FOR NO KEY UPDATE OF job SKIP LOCKED
)
UPDATE job SET state = 'waiting', state_reason = NULL, rung_at = NULL, due_at = greatest(job.effective_at, now())
FROM stranded WHERE job.id = stranded.id
RETURNING job.id, job.subject_id, job.opt_out_id, now() AS now";

/// The most parked jobs that one sweep returns.
pub(super) const RETURNED_MAX: i64 = 500;

/// Who returns them.
pub(super) const ACTOR: &str = "system:sweeper";

const BROKER_LOST: &str = "UPDATE broker_epoch SET lost_at = now()";

/// Returns jobs that are parked at an open connection, at most 500, holds those of closed ones, and rings at most `limit`
/// jobs. Returns
/// how many were rung, by why.
///
/// `rung_too_long` is how long a bell may be on its way before it counts as lost.
///
/// # Errors
/// As any statement.
pub async fn sweep(
    store: &Store,
    rung_too_long: Duration,
    limit: i64,
) -> Result<Vec<(String, i64)>, StoreError> {
    let doing = "sweeping due jobs";
    let mut client = store.client(doing).await?;
    return_parked(&mut client).await?;
    closed_connection::follow(&mut client).await?;
    let rows = client
        .query(
            SWEEP,
            &[&rung_too_long.as_secs_f64(), &limit, &WORK_EXCHANGE],
            doing,
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get("why"), row.get("rings")))
        .collect())
}

async fn return_parked(client: &mut Client) -> Result<(), StoreError> {
    let doing = "returning jobs that are parked at an open connection";
    let tx = client.begin().await?;
    let rows = tx.query(RETURN_PARKED, &[&RETURNED_MAX], doing).await?;
    let event = |row: &Row| {
        let data = json!({"from": "parked", "to": "waiting"});
        AuditEvent::new(AuditKind::JobReturned, row.get("now"), ACTOR, data)
            .subject(SubjectId(row.get("subject_id")))
            .opt_out(OptOutId(row.get("opt_out_id")))
            .job(JobId(row.get("id")))
    };
    let events: Vec<AuditEvent> = rows.iter().map(event).collect();
    audit::insert(&tx, &events).await?;
    tx.commit().await
}

/// Notes that the broker's data was found gone: every bell rung before now is rung again.
///
/// # Errors
/// As any statement.
pub async fn broker_data_lost(store: &Store) -> Result<(), StoreError> {
    let doing = "noting that the broker's data is gone";
    store
        .client(doing)
        .await?
        .execute(BROKER_LOST, &[], doing)
        .await
        .map(drop)
}
