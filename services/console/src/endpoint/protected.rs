//! `/v1/protected`: subjects and accounts that no opt-out may touch without a person.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use sever_api::operator_view::{CreatedId, ProtectedBody, ProtectedList, ProtectedView};
use sever_api::{Authenticated, Problem, ProblemBody, RawBody, Scope, parse_json};
use sever_store::Client;
use sever_store::protected::{self, Principal, Protection};
use uuid::Uuid;

use crate::console::Console;
use crate::endpoint::{integrations, people};
use crate::parameters::parse;
use crate::plain_text;

/// As the column's CHECK.
const KINDS: [&str; 4] = [
    "break_glass",
    "service_account",
    "last_administrator",
    "other",
];

/// Lists the protected, oldest first.
#[utoipa::path(
    get, path = "/v1/protected", tag = "protected", security(("bearer" = ["protected:read"])),
    responses(
        (status = 200, body = ProtectedList),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_protected(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<ProtectedList>, Problem> {
    who.require(Scope::ProtectedRead)?;
    let client = console.store.client("listing the protected").await?;
    let rows = protected::list(&client).await?;
    let items = rows.into_iter().map(ProtectedView::from).collect();
    Ok(Json(ProtectedList { items }))
}

/// Protects a person, an integration or an account, or replaces what is said of an entry that is there.
#[utoipa::path(
    post, path = "/v1/protected", tag = "protected", request_body = ProtectedBody, security(("bearer" = ["protected:write"])),
    responses(
        (status = 201, body = CreatedId),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person, integration or connection.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add_protected(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<(StatusCode, Json<CreatedId>), Problem> {
    who.require(Scope::ProtectedWrite)?;
    let body: ProtectedBody = parse_json(&bytes)?;
    let mut client = console.store.client("protecting").await?;
    let principal = principal(&client, &body).await?;
    let protection = protection(body)?;
    let tx = client.begin().await?;
    let added = protected::add(&tx, &principal, &protection, &who.actor()).await?;
    let id =
        added.ok_or_else(|| Problem::not_found("connection of this name").field("/account"))?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedId { id })))
}

/// Takes an entry off the list.
#[utoipa::path(
    delete, path = "/v1/protected/{id}", tag = "protected", params(("id" = Uuid, Path, description = "The entry.")),
    security(("bearer" = ["protected:write"])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such entry.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove_protected(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    who.require(Scope::ProtectedWrite)?;
    let id: Uuid = parse("id", &id)?;
    let mut client = console.store.client("removing a protection").await?;
    let tx = client.begin().await?;
    if !protected::remove(&tx, id, &who.actor()).await? {
        return Err(Problem::not_found(
            "entry of the protected list with this id",
        ));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn principal(client: &Client, body: &ProtectedBody) -> Result<Principal, Problem> {
    match (&body.person, &body.integration, &body.account) {
        (Some(person), None, None) => {
            let person = people::resolve(client, "/person", person).await?;
            Ok(Principal::Subject(person))
        }
        (None, Some(integration), None) => {
            let integration = integrations::resolve(client, "/integration", integration).await?;
            Ok(Principal::Subject(integration))
        }
        (None, None, Some(account)) => match account.split_once(':') {
            Some((connection, id)) if !connection.is_empty() && (1..=256).contains(&id.len()) => {
                Ok(Principal::Account {
                    connection: connection.to_owned(),
                    provider_id: id.to_owned(),
                })
            }
            Some(_) | None => Err(Problem::invalid(
                "/account",
                "is written connection:provider_id",
            )),
        },
        _ => Err(Problem::invalid(
            "/person",
            "must be named, or 'integration', or 'account', and only one of them",
        )),
    }
}

fn protection(body: ProtectedBody) -> Result<Protection, Problem> {
    if !KINDS.contains(&body.kind.as_str()) {
        return Err(Problem::invalid(
            "/kind",
            format!("must be one of {}", KINDS.join(", ")),
        ));
    }
    Ok(Protection {
        kind: body.kind,
        owner: plain_text::reason("/owner", &body.owner)?,
        reason: plain_text::reason("/reason", &body.reason)?,
        until: body.until,
    })
}
