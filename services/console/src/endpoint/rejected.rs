//! `/v1/rejected`: what could not be taken in, with its raw body.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_api::operator_view::{RejectedPage, RejectedView};
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_store::reject::{self, PAGE_MAX};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::page_limit;
use crate::parameters::{Parameters, parse};

/// Which rejected bodies to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRejected {
    /// The `next` of the page before.
    before: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists what could not be taken in, newest first, without the bodies.
#[utoipa::path(
    get, path = "/v1/rejected", tag = "rejected", params(ListRejected), security(("bearer" = ["rejected:read"])),
    responses(
        (status = 200, body = RejectedPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_rejected(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListRejected>,
) -> Result<Json<RejectedPage>, Problem> {
    who.require(Scope::RejectedRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let client = console.store.client("listing rejected bodies").await?;
    let rejects = reject::page(&client, query.before, limit).await?;
    let items: Vec<RejectedView> = rejects
        .into_iter()
        .map(|reject| RejectedView::new(reject, false))
        .collect();
    let next = page_limit::next(&items, limit, |reject| reject.id);
    Ok(Json(RejectedPage { items, next }))
}

/// Shows one rejected body.
#[utoipa::path(
    get, path = "/v1/rejected/{id}", tag = "rejected", params(("id" = Uuid, Path, description = "The rejected body.")), security(("bearer" = ["rejected:read"])),
    responses(
        (status = 200, body = RejectedView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such rejected body.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_rejected(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<RejectedView>, Problem> {
    who.require(Scope::RejectedRead)?;
    let id: Uuid = parse("id", &id)?;
    let client = console.store.client("reading a rejected body").await?;
    let found = reject::find(&client, id).await?;
    found
        .map(|reject| Json(RejectedView::new(reject, true)))
        .ok_or_else(|| Problem::not_found("rejected body with this id"))
}
