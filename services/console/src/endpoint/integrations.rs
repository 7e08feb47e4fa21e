//! `/v1/integrations`: third-party applications that were let into the organisation, applied from configuration.

use axum::Json;
use axum::extract::{Path, State};
use sever_api::integration_view::{
    AppliedIntegration, AppliedIntegrations, IntegrationLine, IntegrationList, IntegrationView,
    IntegrationsBody,
};
use sever_api::subject_view::{NamedSubject, SubjectStatusView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::{SubjectId, SubjectKind};
use sever_store::integration::{self, IntegrationError, IntegrationSpec};
use sever_store::integration_view::{self, IntegrationRow};
use sever_store::{Client, person_view};

use crate::console::Console;
use crate::endpoint::subject_status;
use crate::integration_faults::{check, fault};

/// Lists the integrations by name.
#[utoipa::path(
    get, path = "/v1/integrations", tag = "integrations", security(("bearer" = ["integrations:read"])),
    responses(
        (status = 200, body = IntegrationList),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_integrations(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<IntegrationList>, Problem> {
    who.require(Scope::IntegrationsRead)?;
    let client = console.store.client("listing integrations").await?;
    let rows = integration_view::list(&client).await?;
    let items = rows.into_iter().map(IntegrationLine::from).collect();
    Ok(Json(IntegrationList { items }))
}

/// Shows one integration with the ids by which connections know it.
#[utoipa::path(
    get, path = "/v1/integrations/{integration}", tag = "integrations",
    params(("integration" = String, Path, description = "Its name, or Sever's id.")), security(("bearer" = ["integrations:read"])),
    responses(
        (status = 200, body = IntegrationView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such integration.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_integration(
    who: Authenticated,
    State(console): State<Console>,
    Path(named): Path<String>,
) -> Result<Json<IntegrationView>, Problem> {
    who.require(Scope::IntegrationsRead)?;
    let client = console.store.client("reading an integration").await?;
    let found = find(&client, &named).await?;
    let applications = person_view::bindings(&client, found.id).await?;
    Ok(Json(IntegrationView::new(found, applications)))
}

/// Says where an integration's access stands at every connection.
#[utoipa::path(
    get, path = "/v1/integrations/{integration}/status", tag = "integrations",
    params(("integration" = String, Path, description = "Its name, or Sever's id.")), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = SubjectStatusView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such integration.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_integration_status(
    who: Authenticated,
    State(console): State<Console>,
    Path(named): Path<String>,
) -> Result<Json<SubjectStatusView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let client = console.store.client("deriving a status").await?;
    let found = find(&client, &named).await?;
    let subject = NamedSubject {
        id: found.id,
        kind: SubjectKind::Integration,
        name: Some(found.name),
    };
    Ok(Json(subject_status::of(&client, subject).await?))
}

/// Makes integrations what the body says, all or none. New ids are candidates until a worker has read them.
#[utoipa::path(
    put, path = "/v1/integrations", tag = "integrations", request_body = IntegrationsBody, security(("bearer" = ["integrations:write"])),
    responses(
        (status = 200, body = AppliedIntegrations),
        (status = 400, description = "A field cannot be taken; nothing was changed.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "An id belongs to somebody else; nothing was changed.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn apply_integrations(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<Json<AppliedIntegrations>, Problem> {
    who.require(Scope::IntegrationsWrite)?;
    let body: IntegrationsBody = parse_json(&bytes)?;
    check(&body)?;
    let actor = who.actor();
    let mut client = console.store.client("applying integrations").await?;
    let tx = client.begin().await?;
    let mut applied = Vec::new();
    for (index, entry) in body.integration.into_iter().enumerate() {
        let spec = IntegrationSpec::from(entry);
        let change = integration::apply(&tx, &spec, &actor)
            .await
            .map_err(|error| refused(index, &spec.name, error))?;
        applied.push(AppliedIntegration::new(&spec.name, change));
    }
    tx.commit().await?;
    Ok(Json(AppliedIntegrations { applied }))
}

/// The integration of this name or id.
///
/// # Errors
/// 404 where there is none.
async fn find(client: &Client, named: &str) -> Result<IntegrationRow, Problem> {
    let found = integration_view::find(client, named).await?;
    found.ok_or_else(|| Problem::not_found("such integration: apply it first, or look at the name"))
}

/// The integration that `field` names.
///
/// # Errors
/// 404 where there is none.
pub(crate) async fn resolve(
    client: &Client,
    field: &str,
    named: &str,
) -> Result<SubjectId, Problem> {
    let found = find(client, named).await;
    found
        .map(|integration| integration.id)
        .map_err(|problem| problem.field(field))
}

fn refused(index: usize, name: &str, error: IntegrationError) -> Problem {
    let problem = format!("cannot be taken: {error}");
    let (kind, connection) = match error {
        IntegrationError::UnknownConnection { connection } => {
            (ProblemKind::InvalidField, connection)
        }
        IntegrationError::Taken { connection, .. } => (ProblemKind::StateConflict, connection),
        IntegrationError::Store(error) => return error.into(),
    };
    let key = format!("provider_ids.{connection}");
    let (field, detail) = fault(index, name, &key, &problem);
    Problem::new(kind, detail).field(field)
}
