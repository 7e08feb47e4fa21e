//! A dead job goes back to work: its letter is closed, and every guard runs again.
//!
//! Rows are locked in the order of intents (subject, opt-out, job), each kind by id, then the letters. Nothing leaves the
//! dead-letter queue here: the janitor acks the message once it reads the closed letter.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::dead_letter::{DeadLetterEvent, DeadLetterState};
use sever_domain::employment::EmploymentEvent;
use sever_domain::replay::{Recorded, overruled};
use sever_domain::{
    DeadLetterId, HoldPolicy, HoldReason, JobEvent, JobId, JobState, OptOutId, ReplayId, SourceId,
    SubjectId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Tx;
use crate::row::word;

const LOCK_SUBJECTS: &str = "
SELECT 1 FROM subject WHERE id IN (SELECT subject_id FROM job JOIN dead_letter ON dead_letter.job_id = job.id WHERE dead_letter.id = ANY($1))
ORDER BY id FOR SHARE";
const LOCK_OPT_OUTS: &str = "
SELECT 1 FROM opt_out WHERE id IN (SELECT opt_out_id FROM job JOIN dead_letter ON dead_letter.job_id = job.id WHERE dead_letter.id = ANY($1))
ORDER BY id FOR SHARE";
const LOCK_JOBS: &str = "
SELECT 1 FROM job WHERE id IN (SELECT job_id FROM dead_letter WHERE id = ANY($1)) ORDER BY id FOR NO KEY UPDATE";
const LOCK_LETTERS: &str = "SELECT 1 FROM dead_letter WHERE id = ANY($1) ORDER BY id FOR UPDATE";

/// Read under the locks, by a statement of its own, so that what others have just written is seen.
const READ: &str = "
SELECT dead_letter.id, dead_letter.state AS letter_state, job.id AS job_id, job.state, job.subject_id, job.opt_out_id, job.provider, job.urgency,
       opt_out.state IN ('open', 'foretold') AS in_force,
       (SELECT reason FROM hold WHERE hold.state = 'open' AND target_id IN (job.id, job.opt_out_id) ORDER BY opened_at LIMIT 1) AS hold_reason,
       coalesce((SELECT asked_by FROM request WHERE request.opt_out_id = job.opt_out_id ORDER BY received_at LIMIT 1), 'unknown') AS asked_by,
       now() AS now
FROM dead_letter JOIN job ON job.id = dead_letter.job_id JOIN opt_out ON opt_out.id = job.opt_out_id
WHERE dead_letter.id = ANY($1) ORDER BY dead_letter.id";

const LEAVERS: &str = "
SELECT opt_out_id, source_id, employment_version, occurred_at FROM request
WHERE opt_out_id = ANY($1) AND event_kind = 'leaver' AND source_id IS NOT NULL AND employment_version IS NOT NULL";
const EVENTS: &str = "
SELECT person_id, source_id, version, kind, occurred_at, recorded_at FROM employment_event WHERE person_id = ANY($1)";
const RELEASED: &str = "
SELECT target_id, max(decided_at) AS at FROM hold
WHERE target_id = ANY($1) AND scope = 'opt_out' AND reason = 'newer_employment_event' AND state = 'released' GROUP BY target_id";

const TO_WORK: &str = "
UPDATE job SET state = 'waiting', state_reason = NULL, due_at = greatest(now(), effective_at), rung_at = NULL, rung_again = false,
       unsettled_epochs = 0, failures = 0, failing_since = NULL
WHERE id = ANY($1) AND state = 'dead' RETURNING id, due_at <= now() AS due";
const TO_HOLD: &str = "
UPDATE job SET state = 'held', state_reason = r.reason, due_at = NULL, unsettled_epochs = 0, failures = 0, failing_since = NULL
FROM unnest($1::uuid[], $2::text[]) AS r (id, reason) WHERE job.id = r.id AND job.state = 'dead'";
const CLOSE: &str = "
UPDATE dead_letter SET state = 'replayed', closed_at = now(), closed_by = $2, closed_reason = $3 WHERE id = ANY($1) AND state = 'open'";
const OPEN_HOLD: &str = "
INSERT INTO hold (id, scope, target_id, reason, policy, detail, requested_by) VALUES ($1, 'opt_out', $2, $3, $4, $5, $6)
ON CONFLICT (scope, target_id, reason) WHERE state = 'open' DO NOTHING";

/// What has not been published yet need not be.
const DROP_WAITING_LETTERS: &str =
    "DELETE FROM outbox WHERE job_id = ANY($1) AND exchange = 'sever.dead' AND claim_token IS NULL";

/// In whose name dead jobs go back, and why.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// As audit events name them.
    pub actor: &'a str,
    /// Why, without personal data.
    pub reason: &'a str,
    /// The replay that it belongs to.
    pub replay: Option<ReplayId>,
}

/// What became of a dead letter that was to go back to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackToWork {
    /// Its job waits for a worker.
    Waiting,
    /// A hold stops its job: one that stood, or one for a newer event about the same person.
    Held,
    /// It was closed otherwise, or its opt-out is over.
    Skipped,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The dead letter.
    pub letter: DeadLetterId,
    /// Its job.
    pub job: JobId,
    /// What became of it.
    pub came_to: BackToWork,
}

/// A dead job, as the locks showed it.
struct Dead {
    letter: Uuid,
    job: JobId,
    subject: SubjectId,
    opt_out: OptOutId,
    bell: Bell,
    asked_by: String,
    way: Way,
}

/// Where it goes.
enum Way {
    Work,
    /// Under a hold that stands.
    Held(HoldReason),
    /// Under a hold that is opened now.
    Overruled(EmploymentEvent),
    Nowhere,
}

/// Sends dead jobs back in the caller's transaction; the bells of those that are due go with it.
///
/// # Errors
/// As any statement; [`StoreError::Conflict`] where a row did not move although it was locked.
pub(crate) async fn go_back(
    tx: &Tx<'_>,
    letters: &[DeadLetterId],
    order: Order<'_>,
) -> Result<Vec<Returned>, StoreError> {
    let doing = "locking dead letters";
    let ids: Vec<Uuid> = letters.iter().map(|id| id.0).collect();
    for lock in [LOCK_SUBJECTS, LOCK_OPT_OUTS, LOCK_JOBS, LOCK_LETTERS] {
        tx.query(lock, &[&ids], doing).await?;
    }
    let rows = tx.query(READ, &[&ids], "reading dead letters").await?;
    let Some(now) = rows.first().map(|row| row.get::<_, Timestamp>("now")) else {
        return Ok(Vec::new());
    };
    let overruling = overruling(tx, &rows).await?;
    let dead: Vec<Dead> = rows
        .iter()
        .map(|row| read(row, &overruling))
        .collect::<Result<_, _>>()?;
    let mut events = Vec::new();
    work(tx, &dead, order, now, &mut events).await?;
    hold(tx, &dead, order, now, &mut events).await?;
    close(tx, &dead, order).await?;
    audit::insert(tx, &events).await?;
    let returned = |dead: &Dead| Returned {
        letter: DeadLetterId(dead.letter),
        job: dead.job,
        came_to: match dead.way {
            Way::Work => BackToWork::Waiting,
            Way::Held(_) | Way::Overruled(_) => BackToWork::Held,
            Way::Nowhere => BackToWork::Skipped,
        },
    };
    Ok(dead.iter().map(returned).collect())
}

fn read(row: &Row, overruling: &BTreeMap<Uuid, EmploymentEvent>) -> Result<Dead, StoreError> {
    let (job, opt_out) = (JobId(row.get("job_id")), OptOutId(row.get("opt_out_id")));
    let state: JobState = word(row, "state")?;
    let letter: DeadLetterState = word(row, "letter_state")?;
    let may = letter.after(DeadLetterEvent::Replay).is_ok()
        && state.after(JobEvent::Replay).is_ok()
        && row.get::<_, bool>("in_force");
    let held: Option<HoldReason> = crate::row::word_opt(row, "hold_reason")?;
    let way = match (may, held, overruling.get(&opt_out.0)) {
        (false, _, _) => Way::Nowhere,
        (true, Some(reason), _) => Way::Held(reason),
        (true, None, Some(event)) => Way::Overruled(*event),
        (true, None, None) => Way::Work,
    };
    Ok(Dead {
        letter: row.get("id"),
        job,
        subject: SubjectId(row.get("subject_id")),
        opt_out,
        bell: Bell::work(job, word(row, "provider")?, word(row, "urgency")?),
        asked_by: row.get("asked_by"),
        way,
    })
}

/// For each opt-out that rests on a leaver event: the newer event that contradicts all of them, unless somebody
/// released its hold since.
async fn overruling(
    tx: &Tx<'_>,
    rows: &[Row],
) -> Result<BTreeMap<Uuid, EmploymentEvent>, StoreError> {
    let doing = "reading the employment events of dead letters";
    let subjects: Vec<Uuid> = rows.iter().map(|row| row.get("subject_id")).collect();
    let opt_outs: Vec<Uuid> = rows.iter().map(|row| row.get("opt_out_id")).collect();
    let mut leavers: HashMap<Uuid, Vec<EmploymentEvent>> = HashMap::new();
    for row in tx.query(LEAVERS, &[&opt_outs], doing).await? {
        let event = EmploymentEvent {
            source: SourceId(row.get("source_id")),
            kind: sever_domain::employment::EmploymentEventKind::Leaver,
            version: row.get("employment_version"),
            occurred_at: row.get("occurred_at"),
        };
        leavers
            .entry(row.get("opt_out_id"))
            .or_default()
            .push(event);
    }
    let mut known: HashMap<Uuid, Vec<Recorded>> = HashMap::new();
    for row in tx.query(EVENTS, &[&subjects], doing).await? {
        let event = EmploymentEvent {
            source: SourceId(row.get("source_id")),
            kind: word(&row, "kind")?,
            version: row.get("version"),
            occurred_at: row.get("occurred_at"),
        };
        let at = row.get("recorded_at");
        known
            .entry(row.get("person_id"))
            .or_default()
            .push(Recorded { event, at });
    }
    let released: HashMap<Uuid, Timestamp> = tx
        .query(RELEASED, &[&opt_outs], doing)
        .await?
        .iter()
        .map(|row| (row.get("target_id"), row.get("at")))
        .collect();
    let event = |row: &Row| {
        let opt_out: Uuid = row.get("opt_out_id");
        let of_person = known.get(&row.get::<_, Uuid>("subject_id"))?;
        let event = overruled(
            leavers.get(&opt_out)?,
            of_person,
            released.get(&opt_out).copied(),
        )?;
        Some((opt_out, event))
    };
    Ok(rows.iter().filter_map(event).collect())
}

async fn work(
    tx: &Tx<'_>,
    dead: &[Dead],
    order: Order<'_>,
    now: Timestamp,
    events: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let doing = "returning dead jobs to work";
    let back: Vec<&Dead> = dead
        .iter()
        .filter(|dead| matches!(dead.way, Way::Work))
        .collect();
    let ids: Vec<Uuid> = back.iter().map(|dead| dead.job.0).collect();
    let moved = tx.query(TO_WORK, &[&ids], doing).await?;
    if moved.len() != back.len() {
        return Err(StoreError::Conflict { doing });
    }
    let due: Vec<Uuid> = moved
        .iter()
        .filter(|row| row.get("due"))
        .map(|row| row.get("id"))
        .collect();
    let bells: Vec<Bell> = back
        .iter()
        .filter(|dead| due.contains(&dead.job.0))
        .map(|dead| dead.bell.clone())
        .collect();
    outbox::ring(tx, &bells).await?;
    events.extend(
        back.iter()
            .map(|dead| returned(dead, order, now, JobState::Waiting)),
    );
    Ok(())
}

async fn hold(
    tx: &Tx<'_>,
    dead: &[Dead],
    order: Order<'_>,
    now: Timestamp,
    events: &mut Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let doing = "holding dead jobs";
    let (mut ids, mut reasons) = (Vec::new(), Vec::new());
    for dead in dead {
        let reason = match &dead.way {
            Way::Work | Way::Nowhere => continue,
            Way::Held(reason) => *reason,
            Way::Overruled(event) => {
                let reason = HoldReason::NewerEmploymentEvent;
                let id = Uuid::now_v7();
                let detail = json!({"event": event.kind, "version": event.version, "found": "at the replay of a dead letter"});
                let detail_value = tokio_postgres::types::Json(&detail);
                let policy = HoldPolicy::Nothing.as_str();
                let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
                    &id,
                    &dead.opt_out.0,
                    &reason.as_str(),
                    &policy,
                    &detail_value,
                    &dead.asked_by,
                ];
                if tx.execute(OPEN_HOLD, &values, "opening a hold").await? == 1 {
                    let data = json!({"hold": id, "scope": "opt_out", "reason": reason, "policy": policy, "detail": detail});
                    events.push(about(AuditKind::HoldOpened, dead, order, now, data));
                }
                reason
            }
        };
        ids.push(dead.job.0);
        reasons.push(reason.as_str());
        events.push(returned(dead, order, now, JobState::Held));
    }
    if ids.is_empty() {
        return Ok(());
    }
    if tx.execute(TO_HOLD, &[&ids, &reasons], doing).await? != ids.len() as u64 {
        return Err(StoreError::Conflict { doing });
    }
    Ok(())
}

async fn close(tx: &Tx<'_>, dead: &[Dead], order: Order<'_>) -> Result<(), StoreError> {
    let doing = "closing replayed dead letters";
    let back = dead.iter().filter(|dead| !matches!(dead.way, Way::Nowhere));
    let (letters, jobs): (Vec<Uuid>, Vec<Uuid>) =
        back.map(|dead| (dead.letter, dead.job.0)).unzip();
    let closed = tx
        .execute(CLOSE, &[&letters, &order.actor, &order.reason], doing)
        .await?;
    if closed != letters.len() as u64 {
        return Err(StoreError::Conflict { doing });
    }
    tx.execute(DROP_WAITING_LETTERS, &[&jobs], doing)
        .await
        .map(drop)
}

fn returned(dead: &Dead, order: Order<'_>, now: Timestamp, to: JobState) -> AuditEvent {
    let data = json!({
        "from": "dead", "to": to, "dead_letter": dead.letter, "replay": order.replay, "reason": order.reason,
    });
    about(AuditKind::JobReturned, dead, order, now, data)
}

fn about(
    kind: AuditKind,
    dead: &Dead,
    order: Order<'_>,
    now: Timestamp,
    data: serde_json::Value,
) -> AuditEvent {
    AuditEvent::new(kind, now, order.actor, data)
        .subject(dead.subject)
        .opt_out(dead.opt_out)
        .job(dead.job)
}
