//! Tasks over HTTP: what a person is asked to do, and what is said of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::{Action, EntitlementKind, Provider, StepState, SubjectKind};
use sever_store::task::{TaskRow, TaskWords};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::hex::hex;

/// One task, and what it is for. It is named by the id of its step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// Its id: the step's.
    pub id: Uuid,
    /// `asked`, `asserted` (somebody says that it is done), `attested` (a second person confirmed it), or `verified` or `inert`
    /// where a read shows it.
    #[schema(value_type = String, example = "asked")]
    pub state: StepState,
    /// Whether a person still has to act or to confirm.
    pub open: bool,
    /// Whether it is open and its time is over.
    pub overdue: bool,
    /// The newer task that asks for the same, where a later plan made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<Uuid>,
    /// The opt-out that it belongs to.
    pub opt_out: Uuid,
    /// The job that waits for it.
    pub job: Uuid,
    /// Whose access it is about, by the pseudonymous subject id.
    pub subject: Uuid,
    /// What kind of subject that is: `person` or `integration`.
    #[schema(value_type = String, example = "integration")]
    pub subject_kind: SubjectKind,
    /// An integration's name; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    #[schema(value_type = String, example = "vanta")]
    pub provider: Provider,
    /// What a call would do if there were one.
    #[schema(value_type = String, example = "offboard_person")]
    pub action: Action,
    /// The kind of what is to end.
    #[schema(value_type = String, example = "account")]
    pub target_kind: EntitlementKind,
    /// The provider's key of it.
    pub target_key: String,
    /// The provider's name for it, where the plan kept one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is privileged.
    pub privileged: bool,
    /// What is asked, and what was said of it.
    #[serde(flatten)]
    pub words: TaskWordsView,
    /// The moment for which this holds, by the database's clock.
    pub as_of: Timestamp,
}

/// What is asked, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskWordsView {
    /// Who is asked: a role of the organisation.
    #[schema(example = "vanta-admin")]
    pub asked_of: String,
    /// What to do, in plain words.
    pub what: String,
    /// Where to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What shows that it was done.
    pub evidence_required: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// It is overdue from then on.
    pub due_at: Timestamp,
    /// What the person who did it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// SHA-256 of a file that shows it, in hexadecimal digits; the file is kept elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
    /// Where the evidence is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who says that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<String>,
    /// When they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// The second person who confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// When it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Who last did not confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<String>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_why: Option<String>,
}

/// A page of tasks, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskPage {
    /// The tasks.
    pub items: Vec<TaskView>,
    /// Pass it as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// What shows that a task was done; at least one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDoneBody {
    /// In words for the record: 1 to 4,000 characters, one line, no e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "set to former in the console, people page")]
    pub evidence: Option<String>,
    /// SHA-256 of a file, 64 hexadecimal digits; the file itself is never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
    /// Where the evidence is kept, such as a ticket: 1 to 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "TICKET-4711")]
    pub reference: Option<String>,
}

/// Why what somebody says is not so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskRefusalBody {
    /// In words for the record: 1 to 500 characters, no e-mail address.
    #[schema(example = "the account is still listed as active")]
    pub reason: String,
}

impl From<TaskRow> for TaskView {
    fn from(row: TaskRow) -> Self {
        Self {
            id: row.step.0,
            state: row.state,
            open: row.open,
            overdue: row.open && row.words.due_at < row.now,
            superseded_by: row.superseded_by.map(|id| id.0),
            opt_out: row.opt_out.0,
            job: row.job.0,
            subject: row.subject.0,
            subject_kind: row.subject_kind,
            subject_name: row.subject_name,
            connection: row.connection,
            provider: row.provider,
            action: row.action,
            target_kind: row.target_kind,
            target_key: row.target_key,
            label: row.label,
            privileged: row.privileged,
            words: row.words.into(),
            as_of: row.now,
        }
    }
}

impl From<TaskWords> for TaskWordsView {
    fn from(words: TaskWords) -> Self {
        Self {
            asked_of: words.asked_of,
            what: words.what,
            link: words.link,
            evidence_required: words.evidence_required,
            asked_at: words.asked_at,
            due_at: words.due_at,
            evidence: words.evidence,
            evidence_sha256: words.evidence_digest.map(|digest| hex(&digest)),
            reference: words.evidence_reference,
            done_by: words.done_by,
            done_at: words.done_at,
            confirmed_by: words.confirmed_by,
            confirmed_at: words.confirmed_at,
            refused_by: words.refused_by,
            refused_why: words.refused_why,
        }
    }
}
