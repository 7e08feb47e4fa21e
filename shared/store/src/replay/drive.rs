//! Driving a replay: outcomes are read, the domain decides, the next step goes back to work, all in one transaction.
//!
//! Several dispatchers may drive: a replay's row is locked with SKIP LOCKED. A killed one leaves rows from which the next
//! goes on.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::replay::{MemberState, RampDecision, RampFacts, next_step, outcome, ramp};
use sever_domain::{DeadLetterId, ReplayId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::order::stop_locked;
use crate::audit;
use crate::dead_letter::{BackToWork, Order, go_back};
use crate::error::StoreError;
use crate::pool::{Client, Store, Tx};
use crate::row::word;

/// The actor of a stop that no person ordered.
const ACTOR: &str = "system:replay";

/// Also an ended replay as long as members of it are at work: their outcome is still noted.
const RUNNING: &str = "
SELECT id FROM replay
WHERE closed_at IS NULL OR EXISTS (SELECT FROM replay_member WHERE replay_id = replay.id AND state = 'released')
ORDER BY closed_at IS NULL DESC, opened_at LIMIT 64";

const LOCK: &str = "
SELECT asked_by, reason, step, step_at, step_size_max, failed_percent_max, patience_s, closed_at IS NULL AS runs, opened_at, now() AS now
FROM replay WHERE id = $1 FOR UPDATE SKIP LOCKED";

const OUT: &str = "
SELECT member.dead_letter_id, job.state, job.state_reason FROM replay_member AS member JOIN job ON job.id = member.job_id
WHERE member.replay_id = $1 AND member.state = 'released'";

const END_MEMBERS: &str = "
UPDATE replay_member SET state = r.state, ended_at = now() FROM unnest($2::uuid[], $3::text[]) AS r (id, state)
WHERE replay_member.replay_id = $1 AND replay_member.dead_letter_id = r.id AND replay_member.state = 'released'";

const COUNT: &str = "
SELECT count(*) FILTER (WHERE state = 'queued')::int8 AS queued, count(*) FILTER (WHERE state = 'released')::int8 AS released,
       count(*) FILTER (WHERE step = $2)::int8 AS in_step, count(*) FILTER (WHERE step = $2 AND state = 'failed')::int8 AS failed_in_step,
       count(*) FILTER (WHERE step = $2 AND state IN ('done', 'failed'))::int8 AS told_in_step
FROM replay_member WHERE replay_id = $1";

/// What belongs to a connection that takes no work now waits for a later step.
const NEXT: &str = "
SELECT member.dead_letter_id FROM replay_member AS member JOIN job ON job.id = member.job_id JOIN connection ON connection.id = job.connection_id
LEFT JOIN breaker ON breaker.connection_id = connection.id
WHERE member.replay_id = $1 AND member.state = 'queued' AND connection.state = 'open'
  AND (connection.blocked_until IS NULL OR connection.blocked_until <= now())
  AND (breaker.retry_at IS NULL OR breaker.retry_at <= now())
ORDER BY member.ordinal LIMIT $2";

const RELEASE: &str = "
UPDATE replay_member SET state = r.state, step = $2, released_at = CASE r.state WHEN 'released' THEN now() END,
       ended_at = CASE r.state WHEN 'released' THEN NULL ELSE now() END
FROM unnest($3::uuid[], $4::text[]) AS r (id, state)
WHERE replay_member.replay_id = $1 AND replay_member.dead_letter_id = r.id AND replay_member.state = 'queued'";

const NEXT_STEP: &str = "
UPDATE replay SET step = $2, step_at = now(), state = CASE WHEN $2 > 1 THEN 'ramping' ELSE 'canary' END WHERE id = $1 AND closed_at IS NULL";

const END: &str =
    "UPDATE replay SET state = 'done', closed_at = now() WHERE id = $1 AND closed_at IS NULL";

/// What a look at one replay did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driven {
    /// The replay.
    pub id: ReplayId,
    /// Jobs that went back to work now.
    pub released: i64,
    /// Why it was stopped now.
    pub stopped: Option<String>,
    /// Whether it has ended well now.
    pub done: bool,
}

/// What a round over all replays did.
#[derive(Debug, Default)]
pub struct Round {
    /// The replays that moved.
    pub moved: Vec<Driven>,
    /// The replays that could not be driven, and why; they are as they were.
    pub failed: Vec<(ReplayId, StoreError)>,
}

/// Moves every replay that has something to do by at most one step. One that fails does not stop the others.
///
/// # Errors
/// As any statement that is about all of them.
pub async fn drive(store: &Store) -> Result<Round, StoreError> {
    let doing = "driving replays";
    let mut client = store.client(doing).await?;
    let running = client.query(RUNNING, &[], doing).await?;
    let mut round = Round::default();
    for row in &running {
        let id = ReplayId(row.get("id"));
        match drive_alone(&mut client, id).await {
            Ok(driven) => round.moved.extend(driven),
            Err(error) => round.failed.push((id, error)),
        }
    }
    Ok(round)
}

async fn drive_alone(client: &mut Client, id: ReplayId) -> Result<Option<Driven>, StoreError> {
    let tx = client.begin().await?;
    let driven = drive_one(&tx, id).await?;
    sever_crash_point::hit("replay.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("replay.after_commit");
    Ok(driven)
}

async fn drive_one(tx: &Tx<'_>, id: ReplayId) -> Result<Option<Driven>, StoreError> {
    let doing = "driving a replay";
    let Some(row) = tx.query_opt(LOCK, &[&id.0], doing).await? else {
        return Ok(None);
    };
    note_outcomes(tx, id).await?;
    if !row.get::<_, bool>("runs") {
        return Ok(None);
    }
    let facts = facts(tx, id, &row).await?;
    let quiet = Driven {
        id,
        released: 0,
        stopped: None,
        done: false,
    };
    match ramp(&facts) {
        RampDecision::Wait => Ok(None),
        RampDecision::Stop(why) => {
            stop_locked(tx, id, ACTOR, &why, facts.now).await?;
            Ok(Some(Driven {
                stopped: Some(why),
                ..quiet
            }))
        }
        RampDecision::Done => {
            tx.execute_one(END, &[&id.0], doing).await?;
            let data = json!({"replay": id, "steps": facts.step});
            let event = AuditEvent::new(AuditKind::ReplayEnded, facts.now, ACTOR, data);
            audit::insert(tx, &[event]).await?;
            Ok(Some(Driven {
                done: true,
                ..quiet
            }))
        }
        RampDecision::Release(size) => release(tx, id, &row, &facts, size)
            .await
            .map(|released| released.map(|released| Driven { released, ..quiet })),
    }
}

/// Reads how the released jobs stand.
async fn note_outcomes(tx: &Tx<'_>, id: ReplayId) -> Result<(), StoreError> {
    let doing = "noting the outcomes of a replay";
    let (mut ids, mut states): (Vec<Uuid>, Vec<&str>) = (Vec::new(), Vec::new());
    for row in tx.query(OUT, &[&id.0], doing).await? {
        let reason: Option<&str> = row.get("state_reason");
        if let Some(state) = outcome(word(&row, "state")?, reason) {
            ids.push(row.get("dead_letter_id"));
            states.push(state.as_str());
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    tx.execute(END_MEMBERS, &[&id.0, &ids, &states], doing)
        .await
        .map(drop)
}

async fn facts(tx: &Tx<'_>, id: ReplayId, row: &Row) -> Result<RampFacts, StoreError> {
    let step: i32 = row.get("step");
    let counts = tx
        .query(COUNT, &[&id.0, &step], "counting the members of a replay")
        .await?;
    let count = |column: &str| counts[0].get::<_, i64>(column);
    Ok(RampFacts {
        step,
        step_at: row.get("step_at"),
        step_size_max: row.get("step_size_max"),
        failed_percent_max: row.get("failed_percent_max"),
        patience: Duration::from_secs(u64::from(row.get::<_, i32>("patience_s").unsigned_abs())),
        queued: count("queued"),
        released: count("released"),
        in_step: count("in_step"),
        failed_in_step: count("failed_in_step"),
        told_in_step: count("told_in_step"),
        now: row.get("now"),
    })
}

/// The next members go back to work. `None` where every connection of what is left takes no work now.
async fn release(
    tx: &Tx<'_>,
    id: ReplayId,
    row: &Row,
    facts: &RampFacts,
    size: i64,
) -> Result<Option<i64>, StoreError> {
    let doing = "releasing the next step of a replay";
    let chosen = tx.query(NEXT, &[&id.0, &size], doing).await?;
    let letters: Vec<DeadLetterId> = chosen
        .iter()
        .map(|row| DeadLetterId(row.get("dead_letter_id")))
        .collect();
    if letters.is_empty() {
        let since: Timestamp = facts.step_at.unwrap_or_else(|| row.get("opened_at"));
        let waited = Duration::try_from(facts.now.duration_since(since)).unwrap_or_default();
        if waited > facts.patience {
            let why = "no connection of what is left takes work";
            stop_locked(tx, id, ACTOR, why, facts.now).await?;
        }
        return Ok(None);
    }
    let (actor, reason): (String, String) = (row.get("asked_by"), row.get("reason"));
    let order = Order {
        actor: &actor,
        reason: &reason,
        replay: Some(id),
    };
    let returned = go_back(tx, &letters, order).await?;
    let ids: Vec<Uuid> = returned.iter().map(|returned| returned.letter.0).collect();
    let states: Vec<&str> = returned
        .iter()
        .map(|returned| match returned.came_to {
            BackToWork::Waiting => MemberState::Released.as_str(),
            BackToWork::Held => MemberState::Held.as_str(),
            BackToWork::Skipped => MemberState::Skipped.as_str(),
        })
        .collect();
    let step = next_step(facts);
    tx.execute(RELEASE, &[&id.0, &step, &ids, &states], doing)
        .await?;
    tx.execute_one(NEXT_STEP, &[&id.0, &step], doing).await?;
    let waiting =
        |returned: &&crate::dead_letter::Returned| returned.came_to == BackToWork::Waiting;
    Ok(Some(
        i64::try_from(returned.iter().filter(waiting).count()).unwrap_or(i64::MAX),
    ))
}
