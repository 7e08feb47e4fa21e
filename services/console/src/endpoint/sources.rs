//! `/v1/sources`: the upstreams that report or ask.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;
use sever_api::operator_view::{SourceBody, SourceList, SourceView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_audit::{AuditEvent, AuditKind};
use sever_store::{StoreError, audit, source};

use crate::console::Console;
use crate::endpoint::connections::is_name;

/// The most sources that are listed.
const LIST_MAX: i64 = 1000;

/// Lists the sources by name.
#[utoipa::path(
    get, path = "/v1/sources", tag = "sources", security(("bearer" = ["sources:read"])),
    responses(
        (status = 200, body = SourceList),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_sources(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<SourceList>, Problem> {
    who.require(Scope::SourcesRead)?;
    let client = console.store.client("listing sources").await?;
    let sources = source::list(&client, LIST_MAX).await?;
    let items = sources.into_iter().map(SourceView::from).collect();
    Ok(Json(SourceList { items }))
}

/// Makes a source, or changes the one of this name.
#[utoipa::path(
    put, path = "/v1/sources/{name}", tag = "sources", params(("name" = String, Path, description = "The source's name.")),
    request_body = SourceBody, security(("bearer" = ["sources:write"])),
    responses(
        (status = 200, body = SourceView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another source has this broker user.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put_source(
    who: Authenticated,
    State(console): State<Console>,
    Path(name): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<SourceView>, Problem> {
    who.require(Scope::SourcesWrite)?;
    let body: SourceBody = parse_json(&bytes)?;
    if !is_name(&name) {
        return Err(Problem::invalid(
            "name",
            "must be 1 to 63 lower-case letters, digits, '_' and '-'",
        ));
    }
    if body
        .broker_user
        .as_deref()
        .is_some_and(|user| user.is_empty() || user.len() > 255)
    {
        return Err(Problem::invalid("/broker_user", "must have 1 to 255 bytes"));
    }
    let mut client = console.store.client("storing a source").await?;
    let tx = client.begin().await?;
    let stored = source::upsert(&tx, &name, body.broker_user.as_deref(), body.trusted)
        .await
        .map_err(refused)?;
    let data = json!({"source": stored.name, "broker_user": stored.broker_user, "trusted": stored.trusted});
    let event = AuditEvent::new(AuditKind::SourceChanged, tx.now().await?, who.actor(), data);
    audit::insert(&tx, &[event]).await?;
    tx.commit().await?;
    Ok(Json(stored.into()))
}

fn refused(error: StoreError) -> Problem {
    if error.constraint() == Some("source_broker_user_key") {
        let detail = "another source has this broker user";
        return Problem::new(ProblemKind::StateConflict, detail).field("/broker_user");
    }
    error.into()
}
