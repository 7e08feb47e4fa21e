//! What no call can do: a task at Vanta stays open until one person says that it is done and another one confirms it.

use anyhow::{Context as _, ensure};
use sever_api::task_view::TaskView;
use sever_domain::{Provider, Status};

use super::audience::{Subject, person_key, status, tasks};
use super::cast::{Cast, Part};
use super::operator::Operator;
use crate::client::Client;

/// Does the task.
///
/// # Errors
/// Where there is not exactly one, the subject is called removed while it is open, or an order is refused.
pub(super) async fn run(
    console: &Client,
    cast: &Cast,
    operator: &Operator,
    colleague: &Operator,
) -> anyhow::Result<()> {
    let open: Vec<TaskView> = tasks(console)
        .await?
        .into_iter()
        .filter(|task| task.open)
        .collect();
    let [task] = open.as_slice() else {
        anyhow::bail!("{} tasks are open; one at Vanta was expected", open.len());
    };
    ensure!(
        task.provider == Provider::Vanta,
        "the open task is at {} and not at Vanta",
        task.connection
    );
    let leaver = cast.the(Part::Asked);
    operator.does(&["task", "list"], &[0]).await?;
    operator
        .does(&["status", &person_key(leaver)], &[0])
        .await?;
    let standing = status(console, Subject::Leaver(leaver)).await?;
    ensure!(
        standing.status == Status::PartiallyDisconnected && standing.subject == task.subject,
        "with its task open, {} is {}",
        leaver.external_id,
        standing.status
    );
    let id = task.id.to_string();
    let done = [
        "task",
        "done",
        &id,
        "--evidence",
        "the Developer Console lists no application of theirs",
        "--reference",
        "ticket IT-4711",
    ];
    operator.does(&done, &[0]).await?;
    // Whoever says that it is done may not confirm it.
    operator.does(&["task", "confirm", &id], &[4]).await?;
    colleague
        .does(&["task", "confirm", &id], &[0])
        .await
        .map(drop)
        .context("confirming the task as another person")
}
