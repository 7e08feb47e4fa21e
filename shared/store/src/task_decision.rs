//! A person's word on a task: done with evidence, confirmed by a second person, or refused.
//!
//! A job that waits for the task is rung at once; one that runs is told by its bell to look again once it settles.

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{Grade, JobState, Provider, StepEvent, StepId, StepState, Urgency};
use thiserror::Error;

use crate::audit;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::Tx;
use crate::row::word;
use crate::task_lock::{Locked, lock};

/// A confirmed word is proof of its grade; what it ended can work on for as long as if a read had proven it now.
const MOVE_STEP: &str = "
UPDATE step SET state = $2, verified_grade = $4, verified_at = CASE WHEN $4::text IS NOT NULL THEN now() END,
       residual_until = CASE WHEN $4::text IS NOT NULL THEN now() + make_interval(secs => residual_s) ELSE residual_until END
WHERE id = $1 AND state = $3";

const NOTE_DONE: &str = "
UPDATE task SET evidence = $2, evidence_digest = $3, evidence_reference = $4, done_by = $5, done_at = now() WHERE step_id = $1";
const NOTE_CONFIRMED: &str = "
UPDATE task SET confirmed_by = $2, confirmed_at = now() WHERE step_id = $1 AND done_by <> $2";
const NOTE_REFUSED: &str = "
UPDATE task SET refused_by = $2, refused_why = $3, done_by = NULL, done_at = NULL, evidence = NULL, evidence_digest = NULL,
       evidence_reference = NULL
WHERE step_id = $1";

/// A job that waits for something else than a person is left to its time.
const WAKE: &str = "
UPDATE job SET due_at = CASE state WHEN 'waiting' THEN greatest(now(), effective_at) ELSE due_at END,
       state_reason = CASE state WHEN 'waiting' THEN NULL ELSE state_reason END, rung_again = rung_again OR state = 'running'
WHERE id = $1 AND (state = 'running' OR (state = 'waiting' AND state_reason = 'task'))
RETURNING state, provider, urgency, due_at";

/// What shows that a task was done; at least one of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence<'a> {
    /// In words, without personal data; at most 4,000 characters.
    pub text: Option<&'a str>,
    /// SHA-256 of a file that is kept elsewhere.
    pub digest: Option<[u8; 32]>,
    /// Where it is kept; at most 2,000 characters.
    pub reference: Option<&'a str>,
}

impl Evidence<'_> {
    const fn is_empty(&self) -> bool {
        self.text.is_none() && self.digest.is_none() && self.reference.is_none()
    }
}

/// Why a word on a task is not taken. The caller's transaction must then be dropped.
#[derive(Debug, Error)]
pub enum TaskError {
    /// No manual step has this id.
    #[error("there is no task {0}")]
    NotFound(StepId),
    /// Its step is no longer one that waits for a person.
    #[error("the task {task} is {state}: there is nothing to say of it any more")]
    NotOpen {
        /// The task.
        task: StepId,
        /// The step's state.
        state: StepState,
    },
    /// A newer plan of its job asks for the same.
    #[error("the task {task} was replaced by the task {by}, which a newer plan made")]
    Superseded {
        /// The task.
        task: StepId,
        /// The newer one.
        by: StepId,
    },
    /// Its job has come to its end, or never asked anybody.
    #[error("the task {task} belongs to a job that is {state}: nobody is asked any more")]
    Over {
        /// The task.
        task: StepId,
        /// The job's state.
        state: JobState,
    },
    /// Nothing shows that it was done.
    #[error(
        "nothing shows that the task {0} was done: give a text, a file's digest or a reference"
    )]
    NoEvidence(StepId),
    /// Nobody said that it is done.
    #[error("nobody has said that the task {0} is done: there is nothing to confirm or refuse")]
    NotAsserted(StepId),
    /// The one who did it cannot confirm it.
    #[error(
        "'{done_by}' said that the task {task} is done; another person must confirm it, with another token"
    )]
    SamePerson {
        /// The task.
        task: StepId,
        /// Who said so.
        done_by: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody did it: the step is asserted, and its job looks whether a read shows it.
///
/// # Errors
/// [`TaskError`], each variant but `NotAsserted` and `SamePerson`.
pub async fn done(
    tx: &Tx<'_>,
    id: StepId,
    actor: &str,
    evidence: Evidence<'_>,
) -> Result<(), TaskError> {
    if evidence.is_empty() {
        return Err(TaskError::NoEvidence(id));
    }
    let task = lock(tx, id).await?;
    let next = task.after(StepEvent::Asserted)?;
    move_step(tx, &task, next, None).await?;
    let digest = evidence.digest.as_ref().map(<[u8; 32]>::as_slice);
    tx.execute_one(
        NOTE_DONE,
        &[&id.0, &evidence.text, &digest, &evidence.reference, &actor],
        "noting that a task is done",
    )
    .await?;
    let data = json!({
        "evidence": evidence.text, "evidence_sha256": evidence.digest.map(|digest| hex(&digest)), "reference": evidence.reference,
    });
    record(tx, AuditKind::TaskAsserted, &task, next, actor, data).await?;
    wake(tx, &task).await?;
    Ok(())
}

/// A second person confirmed it: the step is attested, and its job may close.
///
/// # Errors
/// [`TaskError`], each variant but `NoEvidence`.
pub async fn confirm(tx: &Tx<'_>, id: StepId, actor: &str) -> Result<(), TaskError> {
    let task = lock(tx, id).await?;
    let done_by = task.asserted_by()?;
    if done_by == actor {
        return Err(TaskError::SamePerson {
            task: id,
            done_by: done_by.to_owned(),
        });
    }
    let next = task.after(StepEvent::Confirmed)?;
    move_step(tx, &task, next, Some(Grade::Attested)).await?;
    tx.execute_one(NOTE_CONFIRMED, &[&id.0, &actor], "confirming a task")
        .await?;
    let data = json!({"done_by": done_by});
    record(tx, AuditKind::TaskConfirmed, &task, next, actor, data).await?;
    wake(tx, &task).await?;
    Ok(())
}

/// It was not done, or not so: it is asked again. Whoever said that it is done may take that back too.
///
/// # Errors
/// [`TaskError`], each variant but `NoEvidence` and `SamePerson`.
pub async fn refuse(tx: &Tx<'_>, id: StepId, actor: &str, why: &str) -> Result<(), TaskError> {
    let task = lock(tx, id).await?;
    let done_by = task.asserted_by()?;
    let next = task.after(StepEvent::Contradicted)?;
    move_step(tx, &task, next, None).await?;
    tx.execute_one(NOTE_REFUSED, &[&id.0, &actor, &why], "refusing a task")
        .await?;
    let data = json!({"done_by": done_by, "reason": why});
    record(tx, AuditKind::TaskRefused, &task, next, actor, data).await?;
    Ok(())
}

async fn move_step(
    tx: &Tx<'_>,
    task: &Locked,
    next: StepState,
    grade: Option<Grade>,
) -> Result<(), StoreError> {
    let grade = grade.map(Grade::as_str);
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&task.id.0, &next.as_str(), &task.state.as_str(), &grade];
    tx.execute_one(MOVE_STEP, &values, "moving the step of a task")
        .await
}

async fn record(
    tx: &Tx<'_>,
    kind: AuditKind,
    task: &Locked,
    next: StepState,
    actor: &str,
    said: Value,
) -> Result<(), StoreError> {
    let mut data = task.name.clone();
    data["from"] = json!(task.state);
    data["to"] = json!(next);
    data["said"] = said;
    let event = AuditEvent::new(kind, task.now, actor, data)
        .subject(task.subject)
        .opt_out(task.opt_out)
        .job(task.job);
    audit::insert(tx, &[event]).await
}

/// Rings the job if it waits for a person; the sweeper rings it where its effective time lies ahead.
async fn wake(tx: &Tx<'_>, task: &Locked) -> Result<(), StoreError> {
    let row = tx
        .query_opt(WAKE, &[&task.job.0], "waking the job of a task")
        .await?;
    let Some(row) = row else {
        return Ok(());
    };
    let (state, provider, urgency): (JobState, Provider, Urgency) = (
        word(&row, "state")?,
        word(&row, "provider")?,
        word(&row, "urgency")?,
    );
    let due = row
        .get::<_, Option<Timestamp>>("due_at")
        .is_some_and(|due_at| due_at <= task.now);
    if state == JobState::Waiting && due {
        outbox::ring(tx, &[Bell::work(task.job, provider, urgency)]).await?;
    }
    Ok(())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
