//! `/v1/exceptions`: accounts that no person owns and that may stay until a date.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sever_api::exception_view::{ExceptionBody, ExceptionList, ExceptionView};
use sever_api::operator_view::CreatedId;
use sever_api::{Authenticated, Problem, ProblemBody, RawBody, Scope, parse_json};
use sever_store::exception::{self, Exception, KINDS};
use sever_store::standing;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::parameters::{Parameters, parse};
use crate::plain_text;

/// How far ahead an exception may reach; then somebody looks again.
const UNTIL_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Which exceptions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListExceptions {
    /// With those that a person ended.
    #[serde(default)]
    ended: bool,
}

/// Lists exceptions, those that run out first first.
#[utoipa::path(
    get, path = "/v1/exceptions", tag = "drift", params(ListExceptions), security(("bearer" = ["drift:read"])),
    responses(
        (status = 200, body = ExceptionList),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_exceptions(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListExceptions>,
) -> Result<Json<ExceptionList>, Problem> {
    who.require(Scope::DriftRead)?;
    let client = console.store.client("listing exceptions").await?;
    let rows = exception::list(&client, query.ended).await?;
    let items = rows.into_iter().map(ExceptionView::from).collect();
    Ok(Json(ExceptionList { items }))
}

/// Excepts an account until a date, or replaces what is said of its standing exception.
#[utoipa::path(
    post, path = "/v1/exceptions", tag = "drift", request_body = ExceptionBody, security(("bearer" = ["drift:write"])),
    responses(
        (status = 201, body = CreatedId),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such connection.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add_exception(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<(StatusCode, Json<CreatedId>), Problem> {
    who.require(Scope::DriftWrite)?;
    let body: ExceptionBody = parse_json(&bytes)?;
    let mut client = console.store.client("adding an exception").await?;
    let wanted = wanted(body, standing::clock(&client).await?)?;
    let tx = client.begin().await?;
    let added = exception::add(&tx, &wanted, &who.actor()).await?;
    let id =
        added.ok_or_else(|| Problem::not_found("connection of this name").field("/account"))?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedId { id })))
}

/// Ends an exception before its date. It stays in the record.
#[utoipa::path(
    post, path = "/v1/exceptions/{id}/end", tag = "drift", params(("id" = Uuid, Path, description = "The exception.")),
    security(("bearer" = ["drift:write"])),
    responses(
        (status = 204, description = "It has ended."),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such exception, or it has ended.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_exception(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    who.require(Scope::DriftWrite)?;
    let id: Uuid = parse("id", &id)?;
    let mut client = console.store.client("ending an exception").await?;
    let tx = client.begin().await?;
    if !exception::end(&tx, id, &who.actor()).await? {
        return Err(Problem::not_found("standing exception with this id"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wanted(body: ExceptionBody, now: Timestamp) -> Result<Exception, Problem> {
    let Some((connection, provider_id)) = body.account.split_once(':') else {
        return Err(Problem::invalid(
            "/account",
            "is written connection:provider_id",
        ));
    };
    if connection.is_empty() || !(1..=256).contains(&provider_id.len()) {
        return Err(Problem::invalid(
            "/account",
            "is written connection:provider_id",
        ));
    }
    if !KINDS.contains(&body.kind.as_str()) {
        return Err(Problem::invalid(
            "/kind",
            format!("must be one of {}", KINDS.join(", ")),
        ));
    }
    if body.until <= now || body.until > now + UNTIL_MAX {
        return Err(Problem::invalid(
            "/until",
            "must be ahead, and at most 400 days",
        ));
    }
    Ok(Exception {
        connection: connection.to_owned(),
        provider_id: provider_id.to_owned(),
        owner: plain_text::reason("/owner", &body.owner)?,
        reason: plain_text::reason("/reason", &body.reason)?,
        kind: body.kind,
        until: body.until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_without_an_end_or_an_owner_is_refused() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let body = || ExceptionBody {
            account: "okta-main:00u1".into(),
            kind: "service_account".into(),
            owner: "platform team".into(),
            reason: "runs the nightly export".into(),
            until: "2027-01-31T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(wanted(body(), now).unwrap().provider_id, "00u1");
        type Alteration = fn(&mut ExceptionBody);
        let faults: [(&str, Alteration); 5] = [
            ("/account", |body| body.account = "00u1".into()),
            ("/kind", |body| body.kind = "other".into()),
            ("/owner", |body| body.owner = " ".into()),
            ("/until", |body| {
                body.until = "2026-11-22T12:00:00Z".parse().unwrap();
            }),
            ("/until", |body| {
                body.until = "2029-01-31T00:00:00Z".parse().unwrap();
            }),
        ];
        for (field, change) in faults {
            let mut wrong = body();
            change(&mut wrong);
            let problem = wanted(wrong, now).unwrap_err().body();
            assert_eq!(problem.field.as_deref(), Some(field));
        }
    }
}
