//! `/v1/holds`: stops that only a person lifts, and never the one who asked.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_accept::{Accepted, ReleaseError, release_request};
use sever_api::hold_view::{DecidedView, DecisionBody, HoldPage, HoldView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, HoldReason};
use sever_store::hold::{self, HoldFilter, PAGE_MAX};
use sever_store::hold_decision::{Approver, Decided, HoldError};
use sever_store::{hold_reject, hold_release};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::endpoint::people;
use crate::parameters::{Parameters, parse};
use crate::{page_limit, plain_text};

/// Which holds to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListHolds {
    /// Only in this state: `open` (where absent), `released`, `rejected` or `all`.
    state: Option<String>,
    /// Only for this reason.
    #[param(value_type = Option<String>, example = "mass_guard")]
    reason: Option<HoldReason>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists holds, oldest first.
#[utoipa::path(
    get, path = "/v1/holds", tag = "holds", params(ListHolds), security(("bearer" = ["holds:read"])),
    responses(
        (status = 200, body = HoldPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_holds(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListHolds>,
) -> Result<Json<HoldPage>, Problem> {
    who.require(Scope::HoldsRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let state = match query.state.as_deref() {
        None => Some(HoldState::Open),
        Some("all") => None,
        Some(word) => Some(parse("state", word)?),
    };
    let filter = HoldFilter {
        state,
        reason: query.reason,
        after: query.after.map(HoldId),
    };
    let client = console.store.client("listing holds").await?;
    let holds = hold::page(&client, filter, limit).await?;
    let items: Vec<HoldView> = holds.into_iter().map(HoldView::from).collect();
    let next = page_limit::next(&items, limit, |hold| hold.id);
    Ok(Json(HoldPage { items, next }))
}

/// Shows one hold.
#[utoipa::path(
    get, path = "/v1/holds/{id}", tag = "holds", params(("id" = Uuid, Path, description = "The hold.")), security(("bearer" = ["holds:read"])),
    responses(
        (status = 200, body = HoldView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such hold.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_hold(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<HoldView>, Problem> {
    who.require(Scope::HoldsRead)?;
    let id: HoldId = parse("id", &id)?;
    let client = console.store.client("reading a hold").await?;
    let hold = hold::find(&client, id).await?;
    hold.map(|hold| Json(HoldView::from(hold)))
        .ok_or_else(|| Problem::not_found("hold with this id"))
}

/// Lets the work go on. Everything is checked anew by the worker. The bearer must not have asked for what the hold stops.
#[utoipa::path(
    post, path = "/v1/holds/{id}/release", tag = "holds", params(("id" = Uuid, Path, description = "The hold.")),
    request_body = DecisionBody, security(("bearer" = ["holds:decide"])),
    responses(
        (status = 200, body = DecidedView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing, or the bearer asked for it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such hold.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn release_hold(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<DecidedView>, Problem> {
    who.require(Scope::HoldsDecide)?;
    let body: DecisionBody = parse_json(&bytes)?;
    let (id, reason) = (
        parse("id", &id)?,
        plain_text::reason("/reason", &body.reason)?,
    );
    let actor = who.actor();
    let mut client = console.store.client("releasing a hold").await?;
    let found = hold::find(&client, id).await?;
    let scope = found.ok_or(HoldError::NotFound(id)).map_err(problem)?.scope;
    if scope == HoldScope::Request {
        let person = match &body.person {
            Some(person) => Some(people::resolve(&client, "/person", person).await?),
            None => None,
        };
        drop(client);
        let released = release_request(&console.store, id, person, approver(&who, &actor), &reason);
        return released
            .await
            .map(|placed| Json(placed_view(id, &placed)))
            .map_err(unreleased);
    }
    if body.person.is_some() {
        return Err(Problem::invalid(
            "/person",
            "is taken only for a hold on a request",
        ));
    }
    let tx = client.begin().await?;
    let decided = hold_release::release(&tx, id, approver(&who, &actor), &reason)
        .await
        .map_err(problem)?;
    sever_crash_point::hit("release.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("release.after_commit");
    Ok(Json(view(decided)))
}

/// Calls the work off: jobs are cancelled, and the opt-out with the last of them; a held request is closed.
#[utoipa::path(
    post, path = "/v1/holds/{id}/reject", tag = "holds", params(("id" = Uuid, Path, description = "The hold.")),
    request_body = DecisionBody, security(("bearer" = ["holds:decide"])),
    responses(
        (status = 200, body = DecidedView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing, or the bearer asked for it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such hold.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or a worker has one of its jobs.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reject_hold(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<DecidedView>, Problem> {
    who.require(Scope::HoldsDecide)?;
    let body: DecisionBody = parse_json(&bytes)?;
    let (id, reason) = (
        parse("id", &id)?,
        plain_text::reason("/reason", &body.reason)?,
    );
    let actor = who.actor();
    let mut client = console.store.client("rejecting a hold").await?;
    let tx = client.begin().await?;
    let decided = hold_reject::reject(&tx, id, approver(&who, &actor), &reason)
        .await
        .map_err(problem)?;
    tx.commit().await?;
    Ok(Json(view(decided)))
}

fn approver<'a>(who: &'a Authenticated, actor: &'a str) -> Approver<'a> {
    Approver {
        actor,
        source: who.source.as_ref().map(|source| source.name.as_str()),
    }
}

fn view(decided: Decided) -> DecidedView {
    DecidedView {
        hold: decided.hold.0,
        state: decided.state,
        jobs: decided.jobs.into_iter().map(|job| job.0).collect(),
        opt_out: decided.ended.map(|id| id.0),
    }
}

fn placed_view(hold: HoldId, placed: &Accepted) -> DecidedView {
    DecidedView {
        hold: hold.0,
        state: HoldState::Released,
        jobs: Vec::new(),
        opt_out: placed.opt_out.map(|id| id.0),
    }
}

fn unreleased(error: ReleaseError) -> Problem {
    match error {
        ReleaseError::Hold(error) => problem(error),
        ReleaseError::OtherPerson { .. } | ReleaseError::KeyTaken { .. } => {
            Problem::invalid("/person", error.to_string())
        }
        ReleaseError::Accept(error) => error.into(),
    }
}

fn problem(error: HoldError) -> Problem {
    match error {
        HoldError::NotFound(_) => Problem::not_found("hold with this id"),
        HoldError::Requester { .. } => Problem::new(ProblemKind::SamePerson, error.to_string()),
        HoldError::NotOpen { .. } | HoldError::JobRunning(_) => {
            Problem::new(ProblemKind::StateConflict, error.to_string())
        }
        HoldError::NeedsPerson(_) => Problem::invalid("/person", error.to_string()),
        HoldError::Store(error) => error.into(),
    }
}
