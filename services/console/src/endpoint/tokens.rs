//! `/v1/tokens`: what may call the services.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::SignedDuration;
use serde_json::json;
use sever_api::operator_view::{CreatedToken, TokenBody, TokenList, TokenView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::SourceId;
use sever_store::api_token::{self, NewToken};
use sever_store::{StoreError, Tx, audit, source};

use crate::console::Console;
use crate::endpoint::connections::is_name;

/// The most tokens that are listed.
const LIST_MAX: i64 = 1000;

/// Lists the tokens by name, ended ones included; never the tokens themselves.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "tokens", security(("bearer" = ["tokens:write"])),
    responses(
        (status = 200, body = TokenList),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_tokens(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<TokenList>, Problem> {
    who.require(Scope::TokensWrite)?;
    let client = console.store.client("listing tokens").await?;
    let rows = api_token::list(&client, LIST_MAX).await?;
    let items = rows.into_iter().map(TokenView::from).collect();
    Ok(Json(TokenList { items }))
}

/// Makes a token and shows it this once.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens", request_body = TokenBody, security(("bearer" = ["tokens:write"])),
    responses(
        (status = 201, body = CreatedToken),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_token(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<impl IntoResponse, Problem> {
    who.require(Scope::TokensWrite)?;
    let body: TokenBody = parse_json(&bytes)?;
    if !is_name(&body.name) {
        return Err(Problem::invalid(
            "/name",
            "must be 1 to 63 lower-case letters, digits, '_' and '-'",
        ));
    }
    if body.scopes.is_empty() {
        return Err(Problem::invalid("/scopes", "must name at least one scope"));
    }
    let mut client = console.store.client("making a token").await?;
    let tx = client.begin().await?;
    let now = tx.now().await?;
    let scopes: Vec<&str> = body.scopes.iter().map(|scope| scope.as_str()).collect();
    let expires_at = body
        .expires_in
        .map(|span| now + SignedDuration::from_secs(span.as_seconds()));
    let token = NewToken {
        name: &body.name,
        scopes: &scopes,
        source: find_source(&tx, body.source.as_deref()).await?,
        expires_at,
    };
    let (id, secret) = api_token::create(&tx, &token).await.map_err(refused)?;
    let data =
        json!({"change": "created", "token": body.name, "scopes": scopes, "source": body.source});
    let event = AuditEvent::new(AuditKind::TokenChanged, now, who.actor(), data);
    audit::insert(&tx, &[event]).await?;
    tx.commit().await?;
    let created = CreatedToken {
        id: id.0,
        name: body.name,
        token: secret.expose().to_owned(),
        expires_at,
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(created)))
}

/// Ends a token. Services that know it notice within seconds.
#[utoipa::path(
    delete, path = "/v1/tokens/{name}", tag = "tokens", params(("name" = String, Path, description = "The token's name.")),
    security(("bearer" = ["tokens:write"])),
    responses(
        (status = 204, description = "It works no more."),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No live token has this name.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke_token(
    who: Authenticated,
    State(console): State<Console>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    who.require(Scope::TokensWrite)?;
    let mut client = console.store.client("revoking a token").await?;
    let tx = client.begin().await?;
    if api_token::revoke(&tx, &name).await?.is_none() {
        return Err(Problem::not_found("live token of this name"));
    }
    let data = json!({"change": "revoked", "token": name});
    let event = AuditEvent::new(AuditKind::TokenChanged, tx.now().await?, who.actor(), data);
    audit::insert(&tx, &[event]).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find_source(tx: &Tx<'_>, name: Option<&str>) -> Result<Option<SourceId>, Problem> {
    let Some(name) = name else {
        return Ok(None);
    };
    let found = source::by_names(tx, &[name]).await?;
    let source = found.first().ok_or_else(|| {
        Problem::invalid(
            "/source",
            format!("there is no source '{name}': add it first"),
        )
    })?;
    Ok(Some(source.id))
}

fn refused(error: StoreError) -> Problem {
    if error.constraint() == Some("api_token_name_key") {
        let detail = "a token of this name exists, or existed: choose another name";
        return Problem::new(ProblemKind::StateConflict, detail).field("/name");
    }
    error.into()
}
