//! Open jobs of a connection that was closed: a hold stops each, so that a person sees it and decides; where the
//! connection takes work again, the hold lifts by itself.

use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{HoldId, JobId, OptOutId, SubjectId};
use tokio_postgres::Row;

use super::sweep::{ACTOR, RETURNED_MAX};
use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

const HOLD: &str = "
WITH stranded AS (
    SELECT job.id FROM connection JOIN job ON job.connection_id = connection.id
    WHERE connection.state = 'closed' AND job.state IN ('waiting', 'parked')
    ORDER BY job.id LIMIT $1
    FOR NO KEY UPDATE OF job SKIP LOCKED
), moved AS (
    UPDATE job SET state = 'held', state_reason = 'connection_closed', due_at = NULL, rung_at = NULL
    FROM stranded WHERE job.id = stranded.id
    RETURNING job.id, job.subject_id, job.opt_out_id
), opened AS (
    INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
    SELECT gen_random_uuid(), 'job', id, 'connection_closed', 'nothing', $2 FROM moved
    ON CONFLICT (scope, target_id, reason) WHERE state = 'open' DO NOTHING
    RETURNING id, target_id
)
SELECT moved.id, moved.subject_id, moved.opt_out_id, opened.id AS hold_id, now() AS now
FROM moved LEFT JOIN opened ON opened.target_id = moved.id";

/// Locks as a person's release does: the hold, then the job.
const LIFT: &str = "
WITH reopened AS (
    SELECT hold.id, hold.target_id FROM hold JOIN job ON job.id = hold.target_id JOIN connection ON connection.id = job.connection_id
    WHERE hold.state = 'open' AND hold.reason = 'connection_closed' AND connection.state <> 'closed'
    ORDER BY hold.id LIMIT $1
    FOR UPDATE OF hold SKIP LOCKED
), lifted AS (
    UPDATE hold SET state = 'released', decided_by = $2, decided_at = now(), decision = 'the connection takes work again'
    FROM reopened WHERE hold.id = reopened.id
    RETURNING hold.id, hold.target_id
), returned AS (
    UPDATE job SET state = 'waiting', state_reason = NULL, due_at = greatest(job.effective_at, now()), rung_at = NULL
    FROM lifted WHERE job.id = lifted.target_id AND job.state = 'held'
      AND NOT EXISTS (SELECT FROM hold WHERE hold.state = 'open' AND hold.target_id IN (job.id, job.opt_out_id) AND hold.id <> lifted.id)
    RETURNING job.id
)
SELECT job.id, job.subject_id, job.opt_out_id, lifted.id AS hold_id, returned.id IS NOT NULL AS returned, now() AS now
FROM lifted JOIN job ON job.id = lifted.target_id LEFT JOIN returned ON returned.id = job.id";

/// Who lifts the hold: never the one who opened it.
const LIFTER: &str = "system:reopening";

/// Holds the jobs of closed connections and lifts the holds of those that are open again, at most 500 of each.
pub(super) async fn follow(client: &mut Client) -> Result<(), StoreError> {
    let tx = client.begin().await?;
    let mut events = hold(&tx).await?;
    events.extend(lift(&tx).await?);
    audit::insert(&tx, &events).await?;
    tx.commit().await
}

async fn hold(tx: &Tx<'_>) -> Result<Vec<AuditEvent>, StoreError> {
    let doing = "holding the jobs of a closed connection";
    let rows = tx.query(HOLD, &[&RETURNED_MAX, &ACTOR], doing).await?;
    let mut events = Vec::new();
    for row in &rows {
        let reason = "connection_closed";
        let data = json!({"to": "held", "reason": reason});
        events.push(about(row, AuditKind::JobSettled, ACTOR, data));
        if let Some(hold) = row.get::<_, Option<uuid::Uuid>>("hold_id") {
            let data = json!({"hold": HoldId(hold), "scope": "job", "reason": reason, "policy": "nothing"});
            events.push(about(row, AuditKind::HoldOpened, ACTOR, data));
        }
    }
    Ok(events)
}

async fn lift(tx: &Tx<'_>) -> Result<Vec<AuditEvent>, StoreError> {
    let doing = "lifting the holds of a connection that is open again";
    let rows = tx.query(LIFT, &[&RETURNED_MAX, &LIFTER], doing).await?;
    let mut events = Vec::new();
    for row in &rows {
        let hold = HoldId(row.get("hold_id"));
        let data = json!({"hold": hold, "reason": "connection_closed", "decision": "the connection takes work again"});
        events.push(about(row, AuditKind::HoldReleased, LIFTER, data));
        if row.get("returned") {
            let data = json!({"from": "held", "to": "waiting", "hold": hold});
            events.push(about(row, AuditKind::JobReturned, LIFTER, data));
        }
    }
    Ok(events)
}

fn about(row: &Row, kind: AuditKind, actor: &str, data: serde_json::Value) -> AuditEvent {
    AuditEvent::new(kind, row.get("now"), actor, data)
        .subject(SubjectId(row.get("subject_id")))
        .opt_out(OptOutId(row.get("opt_out_id")))
        .job(JobId(row.get("id")))
}
