//! A task under its locks. Rows are locked in the order of intents (subject, opt-out, job), so that a person's word and a worker's
//! transaction never overlook each other.

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_domain::{JobId, JobKind, JobState, OptOutId, StepEvent, StepId, StepState, SubjectId};
use uuid::Uuid;

use crate::pool::Tx;
use crate::row::word;
use crate::task_decision::TaskError;

const LOCATE: &str = "
SELECT job.id AS job_id, job.opt_out_id, job.subject_id FROM task JOIN step ON step.id = task.step_id JOIN job ON job.id = step.job_id
WHERE task.step_id = $1";
const LOCK_SUBJECT: &str = "SELECT 1 FROM subject WHERE id = $1 FOR SHARE";
const LOCK_OPT_OUT: &str = "SELECT 1 FROM opt_out WHERE id = $1 FOR SHARE";
const LOCK_JOB: &str = "SELECT state, kind, now() AS now FROM job WHERE id = $1 FOR NO KEY UPDATE";

/// Read under the job's lock, by a statement of its own, so that what a worker has just written is seen.
const READ: &str = "
SELECT step.state, step.action, step.target_kind, step.target_key, task.done_by,
       (SELECT newer.id FROM step AS newer
        WHERE newer.job_id = step.job_id AND newer.binding_id = step.binding_id AND newer.action = step.action
          AND newer.target_kind = step.target_kind AND newer.target_key = step.target_key AND newer.revision > step.revision
        ORDER BY newer.revision DESC LIMIT 1) AS superseded_by
FROM step JOIN task ON task.step_id = step.id WHERE step.id = $1";

/// A task under its locks, open.
pub(crate) struct Locked {
    pub(crate) id: StepId,
    pub(crate) state: StepState,
    pub(crate) done_by: Option<String>,
    pub(crate) name: Value,
    pub(crate) job: JobId,
    pub(crate) opt_out: OptOutId,
    pub(crate) subject: SubjectId,
    pub(crate) now: Timestamp,
}

impl Locked {
    pub(crate) fn after(&self, event: StepEvent) -> Result<StepState, TaskError> {
        self.state.after(event).map_err(|_| TaskError::NotOpen {
            task: self.id,
            state: self.state,
        })
    }

    pub(crate) fn asserted_by(&self) -> Result<&str, TaskError> {
        match (self.state, &self.done_by) {
            (StepState::Asserted, Some(done_by)) => Ok(done_by),
            (_, _) => Err(TaskError::NotAsserted(self.id)),
        }
    }
}

/// Locks the task's job, and checks that it still waits for a person.
pub(crate) async fn lock(tx: &Tx<'_>, id: StepId) -> Result<Locked, TaskError> {
    let doing = "locking a task";
    let place = tx.query_opt(LOCATE, &[&id.0], doing).await?;
    let place = place.ok_or(TaskError::NotFound(id))?;
    let (job, opt_out, subject): (Uuid, Uuid, Uuid) = (
        place.get("job_id"),
        place.get("opt_out_id"),
        place.get("subject_id"),
    );
    tx.query(LOCK_SUBJECT, &[&subject], doing).await?;
    tx.query(LOCK_OPT_OUT, &[&opt_out], doing).await?;
    let held = tx.query_opt(LOCK_JOB, &[&job], doing).await?;
    let held = held.ok_or(TaskError::NotFound(id))?;
    let row = tx.query_opt(READ, &[&id.0], doing).await?;
    let row = row.ok_or(TaskError::NotFound(id))?;
    let (state, job_state): (StepState, JobState) = (word(&row, "state")?, word(&held, "state")?);
    if !state.waits_for_person() {
        return Err(TaskError::NotOpen { task: id, state });
    }
    if !job_state.is_open() || word::<JobKind>(&held, "kind")? == JobKind::Plan {
        return Err(TaskError::Over {
            task: id,
            state: job_state,
        });
    }
    if let Some(by) = row.get::<_, Option<Uuid>>("superseded_by") {
        return Err(TaskError::Superseded {
            task: id,
            by: StepId(by),
        });
    }
    let text = |column: &str| row.get::<_, String>(column);
    Ok(Locked {
        id,
        state,
        done_by: row.get("done_by"),
        name: json!({
            "step": id, "action": text("action"), "target_kind": text("target_kind"), "target": text("target_key"),
        }),
        job: JobId(job),
        opt_out: OptOutId(opt_out),
        subject: SubjectId(subject),
        now: held.get("now"),
    })
}
