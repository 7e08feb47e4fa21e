//! Tasks as they are shown: what a person is asked to do where the provider has no call. A task's state is its step's.

use jiff::Timestamp;
use sever_domain::{
    Action, EntitlementKind, JobId, OptOutId, Provider, StepId, StepState, SubjectId, SubjectKind,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most tasks that one page holds.
pub const PAGE_MAX: i64 = 200;

/// A task is open while its job is, and while no newer plan of the job asks for the same again. A removal that is only
/// foretold asks nobody.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT task.*, step.id, step.state, step.action, step.target_kind, step.target_key, step.facts ->> 'label' AS label, step.privileged,
       job.id AS job_id, job.opt_out_id, job.subject_id, job.provider, subject.kind AS subject_kind, integration.name AS subject_name,
       connection.name AS connection, later.id AS superseded_by, now() AS now,
       step.state IN ('asked', 'asserted') AND job.kind <> 'plan' AND later.id IS NULL
           AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead') AS open
FROM task
JOIN step ON step.id = task.step_id
JOIN job ON job.id = step.job_id
JOIN connection ON connection.id = job.connection_id
JOIN subject ON subject.id = job.subject_id
LEFT JOIN integration ON integration.id = job.subject_id
LEFT JOIN LATERAL (
    SELECT newer.id FROM step AS newer
    WHERE newer.job_id = step.job_id AND newer.binding_id = step.binding_id AND newer.action = step.action
      AND newer.target_kind = step.target_kind AND newer.target_key = step.target_key AND newer.revision > step.revision
    ORDER BY newer.revision DESC LIMIT 1
) AS later ON true ",
            $tail
        )
    };
}

const FIND: &str = select!("WHERE task.step_id = $1");

/// Oldest first: what was asked first comes first.
const PAGE: &str = select!(
    "
WHERE job.kind <> 'plan' AND later.id IS NULL AND ($1::uuid IS NULL OR job.opt_out_id = $1) AND ($2::uuid IS NULL OR step.id > $2)
  AND ($6::uuid IS NULL OR job.subject_id = $6) AND ($3 OR (step.state IN ('asked', 'asserted') AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead')))
  AND (NOT $4 OR task.due_at < now())
ORDER BY step.id LIMIT $5"
);

/// One task, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// The manual step, by whose id the task is named.
    pub step: StepId,
    /// The step's state: `asked`, `asserted`, or how it ended.
    pub state: StepState,
    /// Whether a person still has to act or to confirm.
    pub open: bool,
    /// The newer step that asks for the same, where a later plan made one.
    pub superseded_by: Option<StepId>,
    /// The job.
    pub job: JobId,
    /// The opt-out.
    pub opt_out: OptOutId,
    /// Whose access it is about.
    pub subject: SubjectId,
    /// What kind of subject that is.
    pub subject_kind: SubjectKind,
    /// An integration's name; `None` for a person.
    pub subject_name: Option<String>,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    pub provider: Provider,
    /// What a call would do if there were one.
    pub action: Action,
    /// The kind of what is to end.
    pub target_kind: EntitlementKind,
    /// The provider's key of it.
    pub target_key: String,
    /// The provider's name for it, where the plan kept one.
    pub label: Option<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// What is asked, and what was said of it.
    pub words: TaskWords,
    /// When this was read, by the database's clock.
    pub now: Timestamp,
}

/// What is asked, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWords {
    /// Who is asked: a role of the organisation.
    pub asked_of: String,
    /// What to do, in plain words.
    pub what: String,
    /// Where to do it.
    pub link: Option<String>,
    /// What shows that it was done.
    pub evidence_required: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// It is overdue from then on.
    pub due_at: Timestamp,
    /// What the person who did it says.
    pub evidence: Option<String>,
    /// SHA-256 of a file that shows it.
    pub evidence_digest: Option<Vec<u8>>,
    /// Where the evidence is kept.
    pub evidence_reference: Option<String>,
    /// Who says that it is done.
    pub done_by: Option<String>,
    /// When they said so.
    pub done_at: Option<Timestamp>,
    /// The second person who confirmed it.
    pub confirmed_by: Option<String>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// Who last did not confirm it.
    pub refused_by: Option<String>,
    /// Why not.
    pub refused_why: Option<String>,
}

/// Which tasks a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskFilter {
    /// Also those that are closed, or whose job is over.
    pub closed_too: bool,
    /// Only those whose time is over.
    pub overdue: bool,
    /// Only of this opt-out.
    pub opt_out: Option<OptOutId>,
    /// Only of this subject.
    pub subject: Option<SubjectId>,
    /// Only younger than this one: the last id of the page before.
    pub after: Option<StepId>,
}

/// One task; `None` where no manual step has this id.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, id: StepId) -> Result<Option<TaskRow>, StoreError> {
    let row = client.query_opt(FIND, &[&id.0], "reading a task").await?;
    row.as_ref().map(task).transpose()
}

/// A page of tasks, oldest first, at most `limit` (1 to [`PAGE_MAX`]). Of several plans that ask for the same, the newest counts.
///
/// # Errors
/// As [`find`].
pub async fn page(
    client: &Client,
    filter: TaskFilter,
    limit: i64,
) -> Result<Vec<TaskRow>, StoreError> {
    let opt_out = filter.opt_out.map(|id| id.0);
    let after = filter.after.map(|id| id.0);
    let subject = filter.subject.map(|id| id.0);
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(
            PAGE,
            &[
                &opt_out,
                &after,
                &filter.closed_too,
                &filter.overdue,
                &limit,
                &subject,
            ],
            "listing tasks",
        )
        .await?;
    rows.iter().map(task).collect()
}

fn task(row: &Row) -> Result<TaskRow, StoreError> {
    Ok(TaskRow {
        step: StepId(row.get("id")),
        state: word(row, "state")?,
        open: row.get("open"),
        superseded_by: row.get::<_, Option<Uuid>>("superseded_by").map(StepId),
        job: JobId(row.get("job_id")),
        opt_out: OptOutId(row.get("opt_out_id")),
        subject: SubjectId(row.get("subject_id")),
        subject_kind: word(row, "subject_kind")?,
        subject_name: row.get("subject_name"),
        connection: row.get("connection"),
        provider: word(row, "provider")?,
        action: word(row, "action")?,
        target_kind: word(row, "target_kind")?,
        target_key: row.get("target_key"),
        label: row.get("label"),
        privileged: row.get("privileged"),
        words: words(row),
        now: row.get("now"),
    })
}

/// The columns of `task`, which may stand beside others.
pub(crate) fn words(row: &Row) -> TaskWords {
    TaskWords {
        asked_of: row.get("asked_of"),
        what: row.get("what"),
        link: row.get("link"),
        evidence_required: row.get("evidence_required"),
        asked_at: row.get("asked_at"),
        due_at: row.get("due_at"),
        evidence: row.get("evidence"),
        evidence_digest: row.get("evidence_digest"),
        evidence_reference: row.get("evidence_reference"),
        done_by: row.get("done_by"),
        done_at: row.get("done_at"),
        confirmed_by: row.get("confirmed_by"),
        confirmed_at: row.get("confirmed_at"),
        refused_by: row.get("refused_by"),
        refused_why: row.get("refused_why"),
    }
}
