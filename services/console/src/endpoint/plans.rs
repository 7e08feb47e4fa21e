//! `/v1/plans`: what a removal would do, without one write at a provider.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use sever_accept::{AcceptError, ForetellRequest, PlanRequestBody, foretell};
use sever_api::plan_view::PlanView;
use sever_api::{Authenticated, Problem, ProblemBody, RawBody, Scope};
use sever_domain::{OptOutId, OptOutState};
use sever_store::{blast_radius, opt_out_view};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::console::Console;
use crate::parameters::parse;

/// A plan that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AskedPlanView {
    /// The plan.
    plan: Uuid,
}

/// Asks what a removal would do. The workers resolve, inspect and plan; nothing is written at a provider.
#[utoipa::path(
    post, path = "/v1/plans", tag = "opt-outs", request_body = PlanRequestBody, security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 202, body = AskedPlanView, headers(("Location" = String, description = "The plan."))),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person or integration.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "There is no connection yet.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask_plan(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(body): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::OptOutsRead)?;
    let asked = ForetellRequest::parse(&body, who.actor()).map_err(AcceptError::from)?;
    let id = foretell(&console.store, &asked).await?;
    let location = [(header::LOCATION, format!("/v1/plans/{id}"))];
    Ok((
        StatusCode::ACCEPTED,
        location,
        Json(AskedPlanView { plan: id.0 }),
    ))
}

/// Shows a plan, as far as the connections have answered.
#[utoipa::path(
    get, path = "/v1/plans/{id}", tag = "opt-outs", params(("id" = Uuid, Path, description = "The plan.")), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = PlanView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such plan.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_plan(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<PlanView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let id: OptOutId = parse("id", &id)?;
    let client = console.store.client("reading a plan").await?;
    let facts = opt_out_view::find(&client, id)
        .await?
        .filter(|facts| facts.head.state == OptOutState::Foretold)
        .ok_or_else(|| Problem::not_found("plan with this id"))?;
    let affected = blast_radius::of_opt_out(&client, id).await?;
    Ok(Json(PlanView::new(facts, &affected)))
}
