//! `/v1/opt-outs`: asking for the removal of a person's or an integration's access, and following it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use sever_accept::{AcceptError, Asker, OptOutRequest, OptOutRequestBody, accept_opt_out};
use sever_api::opt_out_view::{OptOutPage, OptOutSummaryView, OptOutView, RequestedView};
use sever_api::{Authenticated, IdempotencyKey, Problem, ProblemBody, RawBody, Scope};
use sever_domain::request::Channel;
use sever_domain::{OptOutId, OptOutState, SubjectId};
use sever_store::opt_out_view::{self, OptOutFilter, PAGE_MAX};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::page_limit;
use crate::parameters::{Parameters, parse};

/// Which opt-outs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOptOuts {
    /// Only in this state: `open`, `closed`, `cancelled` or `reversed`.
    #[param(value_type = Option<String>)]
    state: Option<OptOutState>,
    /// Only of this subject.
    subject: Option<Uuid>,
    /// The `next` of the page before.
    before: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists opt-outs with their status, newest first.
#[utoipa::path(
    get, path = "/v1/opt-outs", tag = "opt-outs", params(ListOptOuts), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = OptOutPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_opt_outs(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListOptOuts>,
) -> Result<Json<OptOutPage>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let filter = OptOutFilter {
        state: query.state,
        subject: query.subject.map(SubjectId),
        before: query.before.map(OptOutId),
    };
    let client = console.store.client("listing opt-outs").await?;
    let opt_outs = opt_out_view::page(&client, filter, limit).await?;
    let items: Vec<OptOutSummaryView> = opt_outs.into_iter().map(OptOutSummaryView::from).collect();
    let next = page_limit::next(&items, limit, |opt_out| opt_out.head.id);
    Ok(Json(OptOutPage { items, next }))
}

/// Shows one opt-out: requests, jobs, steps, what the re-reads saw, holds, and the derived status.
#[utoipa::path(
    get, path = "/v1/opt-outs/{id}", tag = "opt-outs", params(("id" = Uuid, Path, description = "The opt-out.")), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = OptOutView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such opt-out.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_opt_out(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<OptOutView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let id: OptOutId = parse("id", &id)?;
    let client = console.store.client("reading an opt-out").await?;
    let found = opt_out_view::find(&client, id).await?;
    found
        .map(|facts| Json(OptOutView::from(facts)))
        .ok_or_else(|| Problem::not_found("opt-out with this id"))
}

/// Asks for the removal of a person's or an integration's access. The same key with the same body answers with the same opt-out.
#[utoipa::path(
    post, path = "/v1/opt-outs", tag = "opt-outs", request_body = OptOutRequestBody, security(("bearer" = ["opt-outs:write"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; the same when the request is repeated.")),
    responses(
        (status = 202, body = RequestedView, headers(("Location" = String, description = "The opt-out, where it belongs to one."))),
        (status = 400, description = "A field or the key cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person or integration.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The key was used with another body, or there is no connection yet.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The integration has no id at a connection that is to be covered, or at none at all.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn request_opt_out(
    who: Authenticated,
    State(console): State<Console>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::OptOutsWrite)?;
    let asked = OptOutRequest::parse(&body).map_err(AcceptError::from)?;
    crate::plain_text::reason("/reason", &asked.reason)?;
    let source = who.source.as_ref().map(|source| source.id);
    let asker = Asker::token(&who.name, source, Channel::Console);
    let accepted = accept_opt_out(&console.store, &asker, key.as_str(), &asked).await?;
    let view = RequestedView {
        request: accepted.request.0,
        opt_out: accepted.opt_out.map(|id| id.0),
        state: accepted.state,
        created: accepted.created,
    };
    let location = accepted
        .opt_out
        .map(|id| [(header::LOCATION, format!("/v1/opt-outs/{id}"))]);
    Ok((StatusCode::ACCEPTED, location, Json(view)))
}
