//! `/v1/opt-outs`: asking for the removal of a person's or an integration's access, and following it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use sever_accept::{AcceptError, Asker, OptOutRequest, OptOutRequestBody, accept_opt_out};
use sever_api::opt_out_view::{OptOutView, RequestedView};
use sever_api::{Authenticated, IdempotencyKey, Problem, ProblemBody, RawBody, Scope};
use sever_domain::OptOutId;
use sever_domain::request::Channel;
use sever_store::opt_out_view;

use super::{Intake, location, requested};

/// Asks for the removal of a person's or an integration's access. The same key with the same body answers with the same opt-out.
#[utoipa::path(
    post, path = "/v1/opt-outs", tag = "opt-outs", request_body = OptOutRequestBody, security(("bearer" = ["opt-outs:write"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; the same when the request is repeated.")),
    responses(
        (status = 202, description = "It is committed.", body = RequestedView, headers(("Location" = String, description = "The opt-out, where it belongs to one."))),
        (status = 400, description = "A field or the key cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person or integration.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The key was used with another body, or there is no connection yet.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 256 KiB.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The integration has no id at a connection that is to be covered, or at none at all.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away; send it again with the same key.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request_opt_out(
    who: Authenticated,
    State(intake): State<Intake>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::OptOutsWrite)?;
    let asked = OptOutRequest::parse(&body).map_err(AcceptError::Field)?;
    let source = who.source.as_ref().map(|source| source.id);
    let asker = Asker::token(&who.name, source, Channel::Http);
    let accepted = accept_opt_out(&intake.store, &asker, key.as_str(), &asked).await?;
    intake.waker.wake();
    Ok((
        StatusCode::ACCEPTED,
        location(&accepted),
        Json(requested(&accepted)),
    ))
}

/// Shows one opt-out: requests, jobs, steps, what the re-reads saw, holds, and the derived status.
#[utoipa::path(
    get, path = "/v1/opt-outs/{id}", tag = "opt-outs", params(("id" = Uuid, Path, description = "The opt-out.")), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, description = "As it stands at `as_of`.", body = OptOutView),
        (status = 400, description = "The id is no UUID.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such opt-out.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_opt_out(
    who: Authenticated,
    State(intake): State<Intake>,
    Path(id): Path<String>,
) -> Result<Json<OptOutView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let id: OptOutId = id
        .parse()
        .map_err(|_| Problem::invalid("id", "must be a UUID"))?;
    let client = intake.store.client("reading an opt-out").await?;
    let found = opt_out_view::find(&client, id).await?;
    found
        .map(|facts| Json(OptOutView::from(facts)))
        .ok_or_else(|| Problem::not_found("opt-out with this id"))
}
