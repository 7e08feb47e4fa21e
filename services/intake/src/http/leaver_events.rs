//! `/v1/leaver-events`: employment events over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use sever_accept::{
    AcceptError, Accepted, Asker, BODY_BYTES_MAX, LeaverEvent, LeaverEventBody,
    accept_leaver_event, reject,
};
use sever_api::opt_out_view::RequestedView;
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope};
use sever_domain::request::Channel;

use super::{Intake, location, requested};

/// Reports an employment event, for the source of the token. The body is that of the RabbitMQ message; the same `source` and `id` with the
/// same body answer with the same request.
#[utoipa::path(
    post, path = "/v1/leaver-events", tag = "leaver-events", security(("bearer" = ["leaver-events:write"])),
    request_body(content = LeaverEventBody, content_type = "application/cloudevents+json"),
    responses(
        (status = 202, description = "It is committed; `unmatched` while nobody known has the id.", body = RequestedView, headers(("Location" = String, description = "The opt-out, where it belongs to one."))),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing, or the token speaks for no source.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The source and id were used with another body.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 256 KiB.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database is away; send it again.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn report_leaver_event(
    who: Authenticated,
    State(intake): State<Intake>,
    RawBody(body): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::LeaverEventsWrite)?;
    let source = who.source.as_ref().ok_or_else(|| {
        Problem::new(
            ProblemKind::MissingSource,
            "report with a token that was made for a source",
        )
    })?;
    let asker = Asker::source(source.id, &source.name, Channel::Http);
    let accepted = match take_in(&intake, &asker, &body).await {
        Ok(accepted) => accepted,
        Err(why) => return Err(refuse(&intake, &source.name, &body, why).await),
    };
    intake.waker.wake();
    Ok((
        StatusCode::ACCEPTED,
        location(&accepted),
        Json(requested(&accepted)),
    ))
}

async fn take_in(intake: &Intake, asker: &Asker, body: &[u8]) -> Result<Accepted, AcceptError> {
    let event = LeaverEvent::parse(body)?;
    accept_leaver_event(&intake.store, asker, &event).await
}

/// Keeps what can never be taken in, as what comes by RabbitMQ is kept, before the sender is told.
async fn refuse(intake: &Intake, source: &str, body: &[u8], why: AcceptError) -> Problem {
    if matches!(why, AcceptError::Field(_) | AcceptError::KeyReused { .. })
        && let Err(error) = reject(&intake.store, source, Channel::Http, body, &why).await
    {
        return error.into();
    }
    if body.len() > BODY_BYTES_MAX {
        return Problem::new(ProblemKind::BodyTooLarge, why.to_string());
    }
    why.into()
}
