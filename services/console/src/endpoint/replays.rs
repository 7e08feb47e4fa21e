//! `/v1/replays`: dead letters go back to work, one canary first, then in steps that double.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sever_api::dead_letter_view::DiscardBody;
use sever_api::replay_view::{ReplayBody, ReplayPage, ReplayPlanView, ReplayView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::ReplayId;
use sever_store::Client;
use sever_store::replay::{self, Bounds, OrderError};

use crate::console::Console;
use crate::parameters::parse;
use crate::plain_text;

/// Replays, and members of one, that are shown.
const SHOWN_MAX: i64 = 50;

/// Orders a replay, or only shows what it would do. The dispatcher drives it; every guard runs again for each job.
#[utoipa::path(
    post, path = "/v1/replays", tag = "dead letters", request_body = ReplayBody, security(("bearer" = ["dead-letters:write"])),
    responses(
        (status = 200, description = "A dry run: what it would do.", body = ReplayPlanView),
        (status = 202, description = "It is stored and begins by itself.", body = ReplayPlanView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Nothing dead is selected.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn order_replay(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<(StatusCode, Json<ReplayPlanView>), Problem> {
    who.require(Scope::DeadLettersWrite)?;
    let body: ReplayBody = parse_json(&bytes)?;
    let reason = plain_text::reason("/reason", &body.reason)?;
    let mut bounds = Bounds::default();
    if let Some(size) = body.step_size_max {
        if !(1..=1_000).contains(&size) {
            return Err(Problem::invalid("/step_size_max", "must be 1 to 1,000"));
        }
        bounds.step_size_max = size.into();
    }
    let selection = body.selection();
    let mut client = console.store.client("ordering a replay").await?;
    let plan = replay::foresee(&client, &selection, bounds)
        .await
        .map_err(problem)?;
    if body.dry_run {
        return Ok((StatusCode::OK, Json(ReplayPlanView::new(plan, None))));
    }
    let tx = client.begin().await?;
    let (id, _) = replay::order(&tx, &selection, bounds, &who.actor(), &reason)
        .await
        .map_err(problem)?;
    tx.commit().await?;
    let view = ReplayPlanView::new(plan, Some(id.0));
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Lists replays, running ones first, then the newest; at most 50.
#[utoipa::path(
    get, path = "/v1/replays", tag = "dead letters", security(("bearer" = ["dead-letters:read"])),
    responses(
        (status = 200, body = ReplayPage),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_replays(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<ReplayPage>, Problem> {
    who.require(Scope::DeadLettersRead)?;
    let client = console.store.client("listing replays").await?;
    let replays = replay::list(&client, SHOWN_MAX).await?;
    let view = |facts| ReplayView::new(facts, Vec::new());
    Ok(Json(ReplayPage {
        items: replays.into_iter().map(view).collect(),
    }))
}

/// Shows how far a replay has come, and which members failed or are held.
#[utoipa::path(
    get, path = "/v1/replays/{id}", tag = "dead letters", params(("id" = Uuid, Path, description = "The replay.")),
    security(("bearer" = ["dead-letters:read"])),
    responses(
        (status = 200, body = ReplayView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such replay.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_replay(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<ReplayView>, Problem> {
    who.require(Scope::DeadLettersRead)?;
    let id: ReplayId = parse("id", &id)?;
    let client = console.store.client("reading a replay").await?;
    shown(&client, id).await
}

/// Stops a replay: what was not released stays a dead letter, what was goes its way.
#[utoipa::path(
    post, path = "/v1/replays/{id}/stop", tag = "dead letters", params(("id" = Uuid, Path, description = "The replay.")),
    request_body = DiscardBody, security(("bearer" = ["dead-letters:write"])),
    responses(
        (status = 200, body = ReplayView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such replay.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It has ended.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stop_replay(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<ReplayView>, Problem> {
    who.require(Scope::DeadLettersWrite)?;
    let body: DiscardBody = parse_json(&bytes)?;
    let (id, reason): (ReplayId, _) = (
        parse("id", &id)?,
        plain_text::reason("/reason", &body.reason)?,
    );
    let mut client = console.store.client("stopping a replay").await?;
    let tx = client.begin().await?;
    replay::stop(&tx, id, &who.actor(), &reason)
        .await
        .map_err(problem)?;
    tx.commit().await?;
    shown(&client, id).await
}

async fn shown(client: &Client, id: ReplayId) -> Result<Json<ReplayView>, Problem> {
    let facts = replay::find(client, id).await?;
    let facts = facts.ok_or_else(|| Problem::not_found("replay with this id"))?;
    let members = replay::members(client, id, SHOWN_MAX).await?;
    Ok(Json(ReplayView::new(facts, members)))
}

fn problem(error: OrderError) -> Problem {
    match error {
        OrderError::NoSelection => Problem::invalid("/", error.to_string()),
        OrderError::NotFound(_) => Problem::not_found("replay with this id"),
        OrderError::Nothing | OrderError::Ended(_) => {
            Problem::new(ProblemKind::StateConflict, error.to_string())
        }
        OrderError::Store(error) => error.into(),
    }
}
