//! `sever task`: what a person is asked to do where a provider has no call.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use sever_api::task_view::{TaskDoneBody, TaskPage, TaskRefusalBody, TaskView};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Failure};
use crate::output::{Format, pairs, table};
use crate::words::{countdown, time};

/// The largest file whose digest is taken.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List tasks, oldest first; the open ones where nothing else is asked.
    List(ListArguments),
    /// Show one task: who is asked, what to do, and what was said of it.
    Show {
        /// The task, by the id of its step.
        id: Uuid,
    },
    /// Say with evidence that a task is done. A read confirms it where one can; else a second person must.
    Done(DoneArguments),
    /// Confirm what somebody else says is done. Never by the one who said so.
    Confirm {
        /// The task.
        id: Uuid,
    },
    /// Say that a task is not done, or not so: it is asked again.
    Refuse {
        /// The task.
        id: Uuid,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only those whose time is over.
    #[arg(long)]
    overdue: bool,
    /// Only of this opt-out.
    #[arg(long, value_name = "ID")]
    opt_out: Option<Uuid>,
    /// Also those that are closed, or whose job is over.
    #[arg(long)]
    all: bool,
    /// Where the page before ended.
    #[arg(long, value_name = "ID")]
    after: Option<Uuid>,
    /// Tasks at most, 1 to 200.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("shown_by").args(["evidence", "file", "reference"]).required(true).multiple(true)))]
pub(crate) struct DoneArguments {
    /// The task.
    id: Uuid,
    /// What shows that it was done, in words for the record: one line, no personal data.
    #[arg(long, value_name = "TEXT")]
    evidence: Option<String>,
    /// A file that shows it; only its SHA-256 digest is sent, so keep it.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Where the evidence is kept, such as a ticket.
    #[arg(long, value_name = "REF")]
    reference: Option<String>,
}

/// Runs the command.
pub(super) async fn run(command: TaskCommand, format: Format) -> Ended {
    match command {
        TaskCommand::List(arguments) => list(&arguments, format).await?,
        TaskCommand::Show { id } => {
            let client = Client::from_environment()?;
            let task: TaskView = client.get(&["tasks", &id.to_string()], &[]).await?;
            format.print(&task, shown)?;
        }
        TaskCommand::Done(arguments) => {
            let evidence_sha256 = arguments.file.as_deref().map(digest).transpose()?;
            let body = TaskDoneBody {
                evidence: arguments.evidence,
                evidence_sha256,
                reference: arguments.reference,
            };
            say(arguments.id, "done", &body, format).await?;
        }
        TaskCommand::Confirm { id } => say(id, "confirm", &json!({}), format).await?,
        TaskCommand::Refuse { id, reason } => {
            say(id, "refuse", &TaskRefusalBody { reason }, format).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &ListArguments, format: Format) -> Result<(), Failure> {
    let state = if arguments.all { "all" } else { "open" };
    let mut query = vec![
        ("state", state.to_owned()),
        ("overdue", arguments.overdue.to_string()),
        ("limit", arguments.limit.to_string()),
    ];
    query.extend(arguments.opt_out.map(|id| ("opt_out", id.to_string())));
    query.extend(arguments.after.map(|id| ("after", id.to_string())));
    let client = Client::from_environment()?;
    let page: TaskPage = client.get(&["tasks"], &query).await?;
    format.print(&page, listed)
}

async fn say(
    id: Uuid,
    verb: &str,
    body: &impl serde::Serialize,
    format: Format,
) -> Result<(), Failure> {
    let client = Client::from_environment()?;
    let path = ["tasks", &id.to_string(), verb];
    let task: TaskView = client.send_json(Method::POST, &path, body).await?;
    format.print(&task, shown)
}

/// The SHA-256 of a file, in hexadecimal digits.
fn digest(file: &Path) -> Result<String, Failure> {
    let unreadable =
        |error: String| Failure::usage(format!("{} cannot be read: {error}", file.display()));
    let opened = File::open(file).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    opened
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable("it is over 1 GiB".to_owned()));
    }
    Ok(hex::encode(sever_audit::digest(&bytes)))
}

fn listed(page: &TaskPage) -> String {
    let mut text = tasks(&page.items);
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --after {next}"));
    }
    text
}

/// A table of tasks.
pub(super) fn tasks(tasks: &[TaskView]) -> String {
    let row = |task: &TaskView| {
        vec![
            task.id.to_string(),
            task.state.to_string(),
            due(task),
            task.words.asked_of.clone(),
            task.connection.clone(),
            task.words.what.clone(),
            task.words.link.clone().unwrap_or_default(),
        ]
    };
    let head = [
        "task",
        "state",
        "due",
        "asked of",
        "connection",
        "what",
        "where",
    ];
    table(&head, tasks.iter().map(row).collect(), "no tasks")
}

fn due(task: &TaskView) -> String {
    if task.overdue {
        format!("{} (overdue)", time(task.words.due_at))
    } else if task.open {
        countdown(task.words.due_at, task.as_of)
    } else {
        time(task.words.due_at)
    }
}

fn shown(task: &TaskView) -> String {
    let words = &task.words;
    let at = |at: Option<jiff::Timestamp>| at.map(time).unwrap_or_default();
    let by = |by: &Option<String>, when| by.as_ref().map(|by| format!("{by}, {}", at(when)));
    let next = match (task.open, words.done_by.is_some()) {
        (true, true) => Some("a read, or a second person: 'sever task confirm' or 'refuse'"),
        (true, false) => Some("whoever did it: 'sever task done'"),
        (false, _) => None,
    };
    let target = task.label.as_ref().unwrap_or(&task.target_key);
    pairs(&[
        ("task", Some(task.id.to_string())),
        ("state", Some(task.state.to_string())),
        ("asked of", Some(words.asked_of.clone())),
        ("what", Some(words.what.clone())),
        ("where", words.link.clone()),
        ("evidence needed", Some(words.evidence_required.clone())),
        ("asked", Some(time(words.asked_at))),
        ("due", Some(due(task))),
        ("connection", Some(task.connection.clone())),
        ("target", Some(format!("{} {target}", task.target_kind))),
        ("privileged", task.privileged.then(|| "yes".to_owned())),
        ("subject", Some(task.subject.to_string())),
        ("integration", task.subject_name.clone()),
        ("opt-out", Some(task.opt_out.to_string())),
        ("done by", by(&words.done_by, words.done_at)),
        ("evidence", words.evidence.clone()),
        ("file sha-256", words.evidence_sha256.clone()),
        ("reference", words.reference.clone()),
        ("confirmed by", by(&words.confirmed_by, words.confirmed_at)),
        ("refused by", words.refused_by.clone()),
        ("why refused", words.refused_why.clone()),
        ("replaced by", task.superseded_by.map(|id| id.to_string())),
        ("waits for", next.map(ToOwned::to_owned)),
    ])
}
