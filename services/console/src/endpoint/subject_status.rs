//! The status of a subject, whichever way it was named.

use sever_api::Problem;
use sever_api::opt_out_view::OptOutSummaryView;
use sever_api::subject_view::{NamedSubject, SubjectStatusView};
use sever_api::task_view::TaskView;
use sever_store::opt_out_view::{self, OptOutFilter};
use sever_store::task::{self, TaskFilter};
use sever_store::{Client, standing};

/// Derives where the subject stands at every connection.
///
/// # Errors
/// As any statement.
pub(crate) async fn of(
    client: &Client,
    subject: NamedSubject,
) -> Result<SubjectStatusView, Problem> {
    let standings = standing::standings(client, &[subject.id])
        .await?
        .remove(&subject.id)
        .unwrap_or_default();
    let filter = OptOutFilter {
        subject: Some(subject.id),
        ..OptOutFilter::default()
    };
    let opt_outs = opt_out_view::page(client, filter, opt_out_view::PAGE_MAX).await?;
    let filter = TaskFilter {
        subject: Some(subject.id),
        ..TaskFilter::default()
    };
    let tasks = task::page(client, filter, task::PAGE_MAX).await?;
    let tasks = tasks.into_iter().map(TaskView::from).collect();
    let opt_outs = opt_outs.into_iter().map(OptOutSummaryView::from).collect();
    let now = standing::clock(client).await?;
    Ok(SubjectStatusView::new(
        subject, &standings, tasks, opt_outs, now,
    ))
}
