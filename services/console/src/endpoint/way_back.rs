//! `/v1/opt-outs/{id}/restore` and `/cancel`: the way back from an opt-out, after and before its fence.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use sever_accept::{CancelError, Cancelled, RestoreError, cancel, open_restore};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::OptOutId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::console::Console;
use crate::parameters::parse;
use crate::plain_text;

/// Why something is taken back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WayBackBody {
    /// Why, 1 to 500 characters; not personal data.
    #[schema(min_length = 1, max_length = 500, example = "left by mistake")]
    reason: String,
}

/// A restore that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RestoreView {
    /// The restore; it is shown like an opt-out.
    restore: Uuid,
    /// Its jobs.
    jobs: Vec<Uuid>,
}

/// An opt-out that was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CancelledView {
    /// The opt-out.
    cancelled: Uuid,
    /// The restore that gives back what had been sent; none where nothing had.
    restore: Option<Uuid>,
    /// The restore's jobs.
    jobs: Vec<Uuid>,
}

/// Reverses an opt-out and gives back what can be given back, from the readings before anything was taken.
#[utoipa::path(
    post, path = "/v1/opt-outs/{id}/restore", tag = "opt-outs", params(("id" = Uuid, Path, description = "The opt-out.")),
    request_body = WayBackBody, security(("bearer" = ["holds:decide"])),
    responses(
        (status = 202, body = RestoreView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such opt-out.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It cannot be reversed now.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn restore_opt_out(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::HoldsDecide)?;
    let (id, reason) = read(&id, &bytes)?;
    let opened = open_restore(&console.store, id, &who.actor(), &reason)
        .await
        .map_err(not_restored)?;
    let view = RestoreView {
        restore: opened.restore.0,
        jobs: opened.jobs.iter().map(|job| job.0).collect(),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Calls an open opt-out off, as long as nothing from behind its fence was sent; what was sent until then is given back.
#[utoipa::path(
    post, path = "/v1/opt-outs/{id}/cancel", tag = "opt-outs", params(("id" = Uuid, Path, description = "The opt-out.")),
    request_body = WayBackBody, security(("bearer" = ["holds:decide"])),
    responses(
        (status = 200, body = CancelledView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such opt-out.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It cannot be cancelled any more.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel_opt_out(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<CancelledView>, Problem> {
    who.require(Scope::HoldsDecide)?;
    let (id, reason) = read(&id, &bytes)?;
    let cancelled = cancel(&console.store, id, &who.actor(), &reason)
        .await
        .map_err(not_cancelled)?;
    let (restore, jobs) = match cancelled {
        Cancelled::Unsent => (None, Vec::new()),
        Cancelled::Restoring(opened) => (Some(opened.restore.0), opened.jobs),
    };
    Ok(Json(CancelledView {
        cancelled: id.0,
        restore,
        jobs: jobs.iter().map(|job| job.0).collect(),
    }))
}

fn read(id: &str, bytes: &[u8]) -> Result<(OptOutId, String), Problem> {
    let body: WayBackBody = parse_json(bytes)?;
    Ok((
        parse("id", id)?,
        plain_text::reason("/reason", &body.reason)?,
    ))
}

fn not_restored(error: RestoreError) -> Problem {
    match error {
        RestoreError::NotFound(_) => Problem::not_found("opt-out with this id"),
        RestoreError::Store(error) => error.into(),
        RestoreError::NotReversible { .. }
        | RestoreError::AtWork { .. }
        | RestoreError::Held { .. }
        | RestoreError::AnotherOpen
        | RestoreError::Untouched => Problem::new(ProblemKind::StateConflict, error.to_string()),
    }
}

fn not_cancelled(error: CancelError) -> Problem {
    match error {
        CancelError::NotFound(_) => Problem::not_found("opt-out with this id"),
        CancelError::Store(error) => error.into(),
        CancelError::NotOpen { .. } | CancelError::AtWork { .. } | CancelError::Sent { .. } => {
            Problem::new(ProblemKind::StateConflict, error.to_string())
        }
    }
}
