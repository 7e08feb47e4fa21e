//! `/v1/unmatched`: requests about somebody whom nobody knows yet.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sever_api::operator_view::{UnmatchedPage, UnmatchedView};
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_domain::RequestId;
use sever_store::unmatched::{self, PAGE_MAX};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::page_limit;
use crate::parameters::Parameters;

/// Which unmatched requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListUnmatched {
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists requests that wait for their person, oldest first.
#[utoipa::path(
    get, path = "/v1/unmatched", tag = "rejected", params(ListUnmatched), security(("bearer" = ["rejected:read"])),
    responses(
        (status = 200, body = UnmatchedPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_unmatched(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListUnmatched>,
) -> Result<Json<UnmatchedPage>, Problem> {
    who.require(Scope::RejectedRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let client = console.store.client("listing unmatched requests").await?;
    let requests = unmatched::page(&client, query.after.map(RequestId), limit).await?;
    let items: Vec<UnmatchedView> = requests.into_iter().map(UnmatchedView::from).collect();
    let next = page_limit::next(&items, limit, |request| request.id);
    Ok(Json(UnmatchedPage { items, next }))
}
