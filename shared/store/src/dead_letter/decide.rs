//! A person's word on one dead letter: it was done by hand, or it is given up.
//!
//! Done by hand is not believed: the job goes to a worker that only reads, and its closing inspection decides. Giving up
//! takes two people, and the second is never the first.

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::dead_letter::{DeadLetterEvent, DeadLetterState};
use sever_domain::{
    DeadLetterId, JobEvent, JobId, JobKind, JobState, OptOutId, Provider, SubjectId, Urgency,
};
use thiserror::Error;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Tx;
use crate::row::word;

const LOCATE: &str = "
SELECT job.id AS job_id, job.opt_out_id, job.subject_id FROM dead_letter JOIN job ON job.id = dead_letter.job_id WHERE dead_letter.id = $1";
const LOCK_SUBJECT: &str = "SELECT 1 FROM subject WHERE id = $1 FOR SHARE";
/// As a settle that closes the opt-out does.
const LOCK_OPT_OUT: &str = "SELECT 1 FROM opt_out WHERE id = $1 FOR UPDATE";
const LOCK_JOB: &str =
    "SELECT state, kind, provider, urgency, now() AS now FROM job WHERE id = $1 FOR NO KEY UPDATE";
const LOCK_LETTER: &str =
    "SELECT state, discard_asked_by, discard_reason FROM dead_letter WHERE id = $1 FOR UPDATE";

const RESOLVE: &str = "
UPDATE dead_letter SET state = 'resolving', evidence = $2, resolve_asked_by = $3, resolve_reason = $4, resolve_asked_at = now(), finding = NULL,
       discard_asked_by = NULL, discard_asked_at = NULL, discard_reason = NULL
WHERE id = $1 AND state = 'open'";
const LOOK_ONLY: &str = "
UPDATE job SET state = 'waiting', state_reason = 'resolving', resolving = true, due_at = now(), rung_at = NULL, rung_again = false,
       unsettled_epochs = 0, failures = 0, failing_since = NULL
WHERE id = $1 AND state = 'dead'";

const ASK_DISCARD: &str = "
UPDATE dead_letter SET discard_asked_by = $2, discard_reason = $3, discard_asked_at = now() WHERE id = $1 AND state = 'open'";
const DISCARD: &str = "
UPDATE dead_letter SET state = 'discarded', closed_at = now(), closed_by = $2, closed_reason = $3 WHERE id = $1 AND state = 'open'";
const CANCEL_JOB: &str = "
UPDATE job SET state = 'cancelled', state_reason = 'discarded', due_at = NULL, settled_at = now() WHERE id = $1 AND state = 'dead'";

/// Cancelled when nothing of it was done; closed when another job had come to its end.
const END_OPT_OUT: &str = "
UPDATE opt_out SET closed_at = now(), state = CASE
    WHEN EXISTS (SELECT FROM job WHERE opt_out_id = $1 AND job.state = 'done') THEN 'closed' ELSE 'cancelled' END
WHERE id = $1 AND state = 'open'
  AND NOT EXISTS (SELECT FROM job WHERE opt_out_id = $1 AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead'))
RETURNING state";
const NEEDERS: &str = "
UPDATE job SET due_at = greatest(now(), effective_at) WHERE state = 'waiting' AND id IN (SELECT job_id FROM job_need WHERE needs_job_id = $1)";
const DROP_WAITING_LETTER: &str =
    "DELETE FROM outbox WHERE job_id = $1 AND exchange = 'sever.dead' AND claim_token IS NULL";

/// Why a word on a dead letter is not taken. The caller's transaction must then be dropped.
#[derive(Debug, Error)]
pub enum DecisionError {
    /// Nothing has this id.
    #[error("there is no dead letter {0}")]
    NotFound(Uuid),
    /// It is closed, or the re-read after work by hand is under way.
    #[error("the dead letter {letter} is {state}: only an open one can be decided")]
    NotOpen {
        /// The dead letter.
        letter: Uuid,
        /// Its state.
        state: String,
    },
    /// A plan or a restore gave up: nothing was to be taken away by hand.
    #[error("the dead letter {letter} is of a {kind}: replay it or discard it")]
    NotARemoval {
        /// The dead letter.
        letter: Uuid,
        /// What its job is for.
        kind: JobKind,
    },
    /// Nobody asked to give it up.
    #[error("nobody has asked to discard {0}: there is nothing to confirm")]
    NotAsked(Uuid),
    /// The one who asked cannot confirm.
    #[error(
        "'{asked_by}' asked to discard {letter}; another person must confirm it, with another token"
    )]
    SamePerson {
        /// The dead letter or message.
        letter: Uuid,
        /// Who asked.
        asked_by: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// It was done by hand: a worker reads everything again, writes nothing, and the closing inspection decides. Where that
/// sees something live, the letter is open again and says what. `evidence` and `reason` without personal data.
///
/// # Errors
/// [`DecisionError`], each variant but `NotAsked` and `SamePerson`.
pub async fn resolve(
    tx: &Tx<'_>,
    id: DeadLetterId,
    actor: &str,
    evidence: &str,
    reason: &str,
) -> Result<(), DecisionError> {
    let dead = lock(tx, id).await?;
    dead.after(DeadLetterEvent::Resolve, JobEvent::Resolve)?;
    if dead.kind != JobKind::OptOut {
        return Err(DecisionError::NotARemoval {
            letter: id.0,
            kind: dead.kind,
        });
    }
    let doing = "sending a dead job to its re-read";
    tx.execute_one(RESOLVE, &[&id.0, &evidence, &actor, &reason], doing)
        .await?;
    tx.execute_one(LOOK_ONLY, &[&dead.job.0], doing).await?;
    outbox::ring(tx, &[Bell::work(dead.job, dead.provider, dead.urgency)]).await?;
    let said = json!({"dead_letter": id, "evidence": evidence, "reason": reason});
    let moved = json!({"from": "dead", "to": "waiting", "dead_letter": id, "reason": "done by hand: it is read again"});
    let events = [
        dead.event(AuditKind::DeadLetterClaimed, actor, said),
        dead.event(AuditKind::JobReturned, actor, moved),
    ];
    audit::insert(tx, &events).await?;
    Ok(())
}

/// Asks to give a dead letter up; nothing else changes until a second person confirms it.
///
/// # Errors
/// [`DecisionError::NotFound`], [`DecisionError::NotOpen`].
pub async fn ask_discard(
    tx: &Tx<'_>,
    id: DeadLetterId,
    actor: &str,
    reason: &str,
) -> Result<(), DecisionError> {
    let dead = lock(tx, id).await?;
    dead.after(DeadLetterEvent::Discard, JobEvent::Cancel)?;
    let doing = "asking to discard a dead letter";
    tx.execute_one(ASK_DISCARD, &[&id.0, &actor, &reason], doing)
        .await?;
    let data = json!({"dead_letter": id, "reason": reason});
    let event = dead.event(AuditKind::DeadLetterDiscardAsked, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(())
}

/// A second person confirms it: the job is cancelled, and the opt-out ends with its last job. Nothing is taken away.
///
/// # Errors
/// [`DecisionError`], each variant but `NotARemoval`.
pub async fn confirm_discard(
    tx: &Tx<'_>,
    id: DeadLetterId,
    actor: &str,
    reason: &str,
) -> Result<(), DecisionError> {
    let dead = lock(tx, id).await?;
    dead.after(DeadLetterEvent::Discard, JobEvent::Cancel)?;
    let Some((asked_by, asked_why)) = &dead.discard else {
        return Err(DecisionError::NotAsked(id.0));
    };
    if asked_by == actor {
        return Err(DecisionError::SamePerson {
            letter: id.0,
            asked_by: asked_by.clone(),
        });
    }
    let doing = "discarding a dead letter";
    tx.execute_one(DISCARD, &[&id.0, &actor, &reason], doing)
        .await?;
    tx.execute_one(CANCEL_JOB, &[&dead.job.0], doing).await?;
    tx.execute(DROP_WAITING_LETTER, &[&dead.job.0], doing)
        .await?;
    tx.execute(NEEDERS, &[&dead.job.0], doing).await?;
    let said =
        json!({"dead_letter": id, "asked_by": asked_by, "asked_why": asked_why, "reason": reason});
    let cancelled = json!({"from": "dead", "to": "cancelled", "dead_letter": id});
    let mut events = vec![
        dead.event(AuditKind::DeadLetterDiscarded, actor, said),
        dead.event(AuditKind::JobCancelled, actor, cancelled),
    ];
    if let Some(row) = tx.query_opt(END_OPT_OUT, &[&dead.opt_out.0], doing).await? {
        let state: &str = row.get("state");
        let kind = match state {
            "cancelled" => AuditKind::OptOutCancelled,
            _ => AuditKind::OptOutClosed,
        };
        let mut event = dead.event(kind, actor, json!({"to": state, "dead_letter": id}));
        event.job = None;
        events.push(event);
    }
    audit::insert(tx, &events).await?;
    Ok(())
}

/// A dead letter under its locks.
struct Locked {
    letter: DeadLetterId,
    state: DeadLetterState,
    discard: Option<(String, String)>,
    job: JobId,
    job_state: JobState,
    kind: JobKind,
    provider: Provider,
    urgency: Urgency,
    subject: SubjectId,
    opt_out: OptOutId,
    now: Timestamp,
}

impl Locked {
    /// Both state machines must have the edge.
    fn after(&self, letter: DeadLetterEvent, job: JobEvent) -> Result<(), DecisionError> {
        let moved = self.state.after(letter).is_ok() && self.job_state.after(job).is_ok();
        moved.then_some(()).ok_or_else(|| DecisionError::NotOpen {
            letter: self.letter.0,
            state: self.state.to_string(),
        })
    }

    fn event(&self, kind: AuditKind, actor: &str, data: Value) -> AuditEvent {
        AuditEvent::new(kind, self.now, actor, data)
            .subject(self.subject)
            .opt_out(self.opt_out)
            .job(self.job)
    }
}

async fn lock(tx: &Tx<'_>, id: DeadLetterId) -> Result<Locked, DecisionError> {
    let doing = "locking a dead letter";
    let missing = || DecisionError::NotFound(id.0);
    let place = tx
        .query_opt(LOCATE, &[&id.0], doing)
        .await?
        .ok_or_else(missing)?;
    let (job, opt_out, subject): (Uuid, Uuid, Uuid) = (
        place.get("job_id"),
        place.get("opt_out_id"),
        place.get("subject_id"),
    );
    tx.query(LOCK_SUBJECT, &[&subject], doing).await?;
    tx.query(LOCK_OPT_OUT, &[&opt_out], doing).await?;
    let held = tx
        .query_opt(LOCK_JOB, &[&job], doing)
        .await?
        .ok_or_else(missing)?;
    let row = tx
        .query_opt(LOCK_LETTER, &[&id.0], doing)
        .await?
        .ok_or_else(missing)?;
    let asked_by: Option<String> = row.get("discard_asked_by");
    let why: Option<String> = row.get("discard_reason");
    Ok(Locked {
        letter: id,
        state: word(&row, "state")?,
        discard: asked_by.map(|by| (by, why.unwrap_or_default())),
        job: JobId(job),
        job_state: word(&held, "state")?,
        kind: word(&held, "kind")?,
        provider: word(&held, "provider")?,
        urgency: word(&held, "urgency")?,
        subject: SubjectId(subject),
        opt_out: OptOutId(opt_out),
        now: held.get("now"),
    })
}
