//! `/v1/opt-outs/{id}/audit`: the record of one opt-out.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_api::operator_view::{AuditEventView, AuditList};
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_domain::OptOutId;
use sever_store::audit;
use utoipa::IntoParams;

use crate::console::Console;
use crate::parameters::{Parameters, parse};

/// The most events of one answer.
const EVENTS_MAX: u32 = 10_000;

/// How many events to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowAudit {
    /// Events at most, 1 to 10,000; 1,000 where absent.
    limit: Option<u32>,
}

/// Shows the audit events of an opt-out in the order in which they were written, as canonical bytes with their digests.
#[utoipa::path(
    get, path = "/v1/opt-outs/{id}/audit", tag = "audit", params(("id" = Uuid, Path, description = "The opt-out."), ShowAudit),
    security(("bearer" = ["audit:read"])),
    responses(
        (status = 200, body = AuditList),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "Nothing is on record of an opt-out with this id.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_audit(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    Parameters(query): Parameters<ShowAudit>,
) -> Result<Json<AuditList>, Problem> {
    who.require(Scope::AuditRead)?;
    let id: OptOutId = parse("id", &id)?;
    let limit = query.limit.unwrap_or(1_000).clamp(1, EVENTS_MAX) as usize;
    let client = console.store.client("reading audit events").await?;
    // One more than asked for tells whether there are more.
    let mut events = audit::of_opt_out(&client, id, limit as i64 + 1).await?;
    if events.is_empty() {
        return Err(Problem::not_found("opt-out with this id"));
    }
    let more = events.len() > limit;
    events.truncate(limit);
    let items = events.into_iter().map(AuditEventView::from).collect();
    Ok(Json(AuditList { items, more }))
}
