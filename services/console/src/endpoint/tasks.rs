//! `/v1/tasks`: what a person is asked to do where a provider has no call, and what is said of it.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_api::task_view::{TaskDoneBody, TaskPage, TaskRefusalBody, TaskView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::{OptOutId, StepId};
use sever_store::Client;
use sever_store::task::{self, PAGE_MAX, TaskFilter};
use sever_store::task_decision::{self, Evidence, TaskError};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::parameters::{Parameters, parse};
use crate::{page_limit, plain_text};

/// The most characters of an evidence in words, as the table takes it.
const EVIDENCE_MAX: usize = 4_000;

/// The most characters of a reference, as the table takes it.
const REFERENCE_MAX: usize = 2_000;

/// Which tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListTasks {
    /// `open` (where absent), or `all`: also those that are closed or whose job is over.
    state: Option<String>,
    /// Only those whose time is over.
    #[serde(default)]
    overdue: bool,
    /// Only of this opt-out.
    opt_out: Option<Uuid>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists tasks, oldest first.
#[utoipa::path(
    get, path = "/v1/tasks", tag = "tasks", params(ListTasks), security(("bearer" = ["tasks:read"])),
    responses(
        (status = 200, body = TaskPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_tasks(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListTasks>,
) -> Result<Json<TaskPage>, Problem> {
    who.require(Scope::TasksRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let closed_too = match query.state.as_deref() {
        None | Some("open") => false,
        Some("all") => true,
        Some(_) => return Err(Problem::invalid("state", "must be open or all")),
    };
    let filter = TaskFilter {
        closed_too,
        overdue: query.overdue,
        opt_out: query.opt_out.map(OptOutId),
        subject: None,
        after: query.after.map(StepId),
    };
    let client = console.store.client("listing tasks").await?;
    let tasks = task::page(&client, filter, limit).await?;
    let items: Vec<TaskView> = tasks.into_iter().map(TaskView::from).collect();
    let next = page_limit::next(&items, limit, |task| task.id);
    Ok(Json(TaskPage { items, next }))
}

/// Shows one task.
#[utoipa::path(
    get, path = "/v1/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path, description = "The task: its step.")), security(("bearer" = ["tasks:read"])),
    responses(
        (status = 200, body = TaskView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such task.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_task(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Problem> {
    who.require(Scope::TasksRead)?;
    let client = console.store.client("reading a task").await?;
    shown(&client, parse("id", &id)?).await
}

/// Says with evidence that a task is done. Its job looks at once whether a read shows it; where no read can, a second person must
/// confirm it.
#[utoipa::path(
    post, path = "/v1/tasks/{id}/done", tag = "tasks", params(("id" = Uuid, Path, description = "The task: its step.")),
    request_body = TaskDoneBody, security(("bearer" = ["tasks:write"])),
    responses(
        (status = 200, body = TaskView),
        (status = 400, description = "A field cannot be taken, or nothing shows it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such task.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It waits for nobody any more.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn complete_task(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<TaskView>, Problem> {
    who.require(Scope::TasksWrite)?;
    let body: TaskDoneBody = parse_json(&bytes)?;
    let id: StepId = parse("id", &id)?;
    let text = line("/evidence", body.evidence.as_deref(), EVIDENCE_MAX)?;
    let reference = line("/reference", body.reference.as_deref(), REFERENCE_MAX)?;
    let evidence = Evidence {
        text: text.as_deref(),
        digest: body.evidence_sha256.as_deref().map(digest).transpose()?,
        reference: reference.as_deref(),
    };
    let actor = who.actor();
    let mut client = console.store.client("noting that a task is done").await?;
    let tx = client.begin().await?;
    task_decision::done(&tx, id, &actor, evidence)
        .await
        .map_err(problem)?;
    sever_crash_point::hit("task.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("task.after_commit");
    shown(&client, id).await
}

/// Confirms what somebody else says is done: it counts from then on, as attested.
#[utoipa::path(
    post, path = "/v1/tasks/{id}/confirm", tag = "tasks", params(("id" = Uuid, Path, description = "The task: its step.")),
    security(("bearer" = ["tasks:decide"])),
    responses(
        (status = 200, body = TaskView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such task.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Nobody says that it is done, the bearer did it, or it waits for nobody any more.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm_task(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<TaskView>, Problem> {
    who.require(Scope::TasksDecide)?;
    let id: StepId = parse("id", &id)?;
    let mut client = console.store.client("confirming a task").await?;
    let tx = client.begin().await?;
    task_decision::confirm(&tx, id, &who.actor())
        .await
        .map_err(problem)?;
    sever_crash_point::hit("task.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("task.after_commit");
    shown(&client, id).await
}

/// Says that a task is not done, or not so: it is asked again.
#[utoipa::path(
    post, path = "/v1/tasks/{id}/refuse", tag = "tasks", params(("id" = Uuid, Path, description = "The task: its step.")),
    request_body = TaskRefusalBody, security(("bearer" = ["tasks:decide"])),
    responses(
        (status = 200, body = TaskView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such task.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Nobody says that it is done, or it waits for nobody any more.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn refuse_task(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<TaskView>, Problem> {
    who.require(Scope::TasksDecide)?;
    let body: TaskRefusalBody = parse_json(&bytes)?;
    let id: StepId = parse("id", &id)?;
    let reason = plain_text::reason("/reason", &body.reason)?;
    let mut client = console.store.client("refusing a task").await?;
    let tx = client.begin().await?;
    task_decision::refuse(&tx, id, &who.actor(), &reason)
        .await
        .map_err(problem)?;
    sever_crash_point::hit("task.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("task.after_commit");
    shown(&client, id).await
}

async fn shown(client: &Client, id: StepId) -> Result<Json<TaskView>, Problem> {
    let found = task::find(client, id).await?;
    found
        .map(|task| Json(TaskView::from(task)))
        .ok_or_else(|| Problem::not_found("task with this id"))
}

fn line(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>, Problem> {
    text.map(|text| plain_text::line(field, text, max))
        .transpose()
}

fn digest(text: &str) -> Result<[u8; 32], Problem> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text.trim(), &mut digest).map_err(|_| {
        Problem::invalid(
            "/evidence_sha256",
            "must be the 64 hexadecimal digits of a SHA-256",
        )
    })?;
    Ok(digest)
}

fn problem(error: TaskError) -> Problem {
    match error {
        TaskError::NotFound(_) => Problem::not_found("task with this id"),
        TaskError::NoEvidence(_) => Problem::invalid("/evidence", error.to_string()),
        TaskError::NotOpen { .. }
        | TaskError::Superseded { .. }
        | TaskError::Over { .. }
        | TaskError::NotAsserted(_)
        | TaskError::SamePerson { .. } => {
            Problem::new(ProblemKind::StateConflict, error.to_string())
        }
        TaskError::Store(error) => error.into(),
    }
}
