//! `/v1/overview`: the counts of everything.

use axum::Json;
use axum::extract::State;
use sever_api::operator_view::OverviewView;
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_store::overview;

use crate::console::Console;

/// Counts jobs, opt-outs, holds, connections, people, requests, dead letters, rejected bodies and outbox rows; names the workers and
/// the jobs that gave up.
#[utoipa::path(
    get, path = "/v1/overview", tag = "overview", security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = OverviewView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_overview(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<OverviewView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let client = console.store.client("counting everything").await?;
    Ok(Json(overview::read(&client).await?.into()))
}
