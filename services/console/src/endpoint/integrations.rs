//! `/v1/integrations`: third-party applications that were let into the organisation, applied from configuration.

use axum::Json;
use axum::extract::{Path, State};
use sever_api::integration_view::{
    AppliedIntegration, AppliedIntegrations, IntegrationBody, IntegrationLine, IntegrationList,
    IntegrationView, IntegrationsBody,
};
use sever_api::subject_view::{NamedSubject, SubjectStatusView};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::{SubjectId, SubjectKind};
use sever_store::integration::{self, IntegrationError, IntegrationSpec};
use sever_store::integration_view::{self, IntegrationRow};
use sever_store::{Client, person_view};

use crate::console::Console;
use crate::endpoint::connections::is_name;
use crate::endpoint::subject_status;
use crate::plain_text::names_an_email;

/// The most integrations of one body: what one transaction may lock.
const APPLY_MAX: usize = 500;

/// The most ids of one integration.
const IDS_MAX: usize = 200;

/// The most characters of an id, as the table takes it.
const ID_MAX: usize = 256;

/// The most characters of a vendor or an owner.
const TEXT_MAX: usize = 200;

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

/// The entry and the key at fault, as `connection apply` names them too.
fn fault(index: usize, name: &str, key: &str, problem: &str) -> (String, String) {
    let field = format!("/integration/{index}/{}", key.replace('.', "/"));
    (field, format!("'{key}' of integration '{name}' {problem}"))
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

fn check(body: &IntegrationsBody) -> Result<(), Problem> {
    if body.integration.is_empty() || body.integration.len() > APPLY_MAX {
        return Err(Problem::invalid(
            "/integration",
            "must have 1 to 500 integrations",
        ));
    }
    for (index, integration) in body.integration.iter().enumerate() {
        let repeats = body.integration[..index]
            .iter()
            .any(|before| before.name == integration.name);
        let (key, problem) = match wrong(integration) {
            Some(wrong) => wrong,
            None if repeats => ("name".to_owned(), "stands in this body twice"),
            None => continue,
        };
        let (field, detail) = fault(index, &integration.name, &key, problem);
        return Err(Problem::invalid(field, detail));
    }
    Ok(())
}

/// The first key that cannot be taken, and what is wrong with it.
fn wrong(integration: &IntegrationBody) -> Option<(String, &'static str)> {
    let fault = |key: &str, problem| Some((key.to_owned(), problem));
    if !is_name(&integration.name) {
        return fault(
            "name",
            "must be 1 to 63 lower-case letters, digits, '_' and '-', and begin with a letter or digit",
        );
    }
    if integration.owner.trim().is_empty() {
        return fault("owner", "must name the role that answers for it");
    }
    for (key, text) in [
        ("vendor", &integration.vendor),
        ("owner", &integration.owner),
    ] {
        if let Some(problem) = text_fault(text) {
            return fault(key, problem);
        }
    }
    let mut count = 0;
    for (connection, ids) in &integration.provider_ids {
        let ids = ids.all();
        count += ids.len();
        let usable = |id: &&str| (1..=ID_MAX).contains(&id.chars().count()) && id.trim() == *id;
        if ids.is_empty() || !ids.iter().all(usable) {
            return Some((
                format!("provider_ids.{connection}"),
                "must be ids of 1 to 256 characters without blanks around them",
            ));
        }
    }
    if count > IDS_MAX {
        return fault("provider_ids", "must have at most 200 ids");
    }
    None
}

fn text_fault(text: &str) -> Option<&'static str> {
    if text.chars().count() > TEXT_MAX {
        Some("must have at most 200 characters")
    } else if text.chars().any(char::is_control) {
        Some("must be one line of text")
    } else if names_an_email(text) {
        Some("must not hold an e-mail address: name a role")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl Fn(&mut IntegrationBody)) -> IntegrationsBody {
        let text = r#"{"integration":[{"name":"crm","vendor":"Example","owner":"sales","provider_ids":{"okta-main":"0oa1"}}]}"#;
        let mut body: IntegrationsBody = serde_json::from_str(text).unwrap();
        change(&mut body.integration[0]);
        body
    }

    #[test]
    fn each_faulty_key_is_named_with_its_entry() {
        assert_eq!(check(&body(|_| ())), Ok(()));
        type Change = fn(&mut IntegrationBody);
        let faults: [(&str, Change); 5] = [
            ("name", |i| i.name = "CRM".to_owned()),
            ("owner", |i| i.owner = " ".to_owned()),
            ("owner", |i| i.owner = "ada@example.test".to_owned()),
            ("vendor", |i| i.vendor = "two\nlines".to_owned()),
            ("provider_ids/okta-main", |i| {
                i.provider_ids = serde_json::from_str(r#"{"okta-main":[]}"#).unwrap();
            }),
        ];
        for (key, change) in faults {
            let problem = check(&body(change)).unwrap_err().body();
            assert_eq!(problem.field.unwrap(), format!("/integration/0/{key}"));
            assert!(
                problem.detail.contains("of integration '"),
                "{}",
                problem.detail
            );
        }
        let mut twice = body(|_| ());
        twice.integration.push(twice.integration[0].clone());
        let field = check(&twice).unwrap_err().body().field;
        assert_eq!(field.as_deref(), Some("/integration/1/name"));
    }
}
