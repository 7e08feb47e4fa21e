//! `/v1/people`: who is in the directory, and where their access stands.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_api::person_view::{PersonLine, PersonPage, PersonView};
use sever_api::subject_view::{NamedSubject, SubjectStatusView};
use sever_api::{Authenticated, Problem, ProblemBody, Scope};
use sever_domain::employment::EmploymentState;
use sever_domain::{SubjectId, SubjectKind};
use sever_store::Client;
use sever_store::person_view::{self, PAGE_MAX, PersonRef};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::endpoint::subject_status;
use crate::page_limit;
use crate::parameters::{Parameters, parse};

/// Which people to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListPeople {
    /// Only in this employment state: `active`, `on_leave` or `left`.
    #[param(value_type = Option<String>)]
    employment_state: Option<EmploymentState>,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// Items on a page, 1 to 500; 50 where absent.
    limit: Option<u32>,
}

/// Lists people by id.
#[utoipa::path(
    get, path = "/v1/people", tag = "people", params(ListPeople), security(("bearer" = ["people:read"])),
    responses(
        (status = 200, body = PersonPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_people(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListPeople>,
) -> Result<Json<PersonPage>, Problem> {
    who.require(Scope::PeopleRead)?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let after = query.after.map(SubjectId);
    let client = console.store.client("listing people").await?;
    let people = person_view::page(&client, after, query.employment_state, limit).await?;
    let items: Vec<PersonLine> = people.into_iter().map(PersonLine::from).collect();
    let next = page_limit::next(&items, limit, |person| person.id);
    Ok(Json(PersonPage { items, next }))
}

/// Shows one person with the accounts that are or could be theirs.
#[utoipa::path(
    get, path = "/v1/people/{person}", tag = "people",
    params(("person" = String, Path, description = "Sever's id, or `source:external_id`.")), security(("bearer" = ["people:read"])),
    responses(
        (status = 200, body = PersonView),
        (status = 400, description = "It names nobody.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_person(
    who: Authenticated,
    State(console): State<Console>,
    Path(person): Path<String>,
) -> Result<Json<PersonView>, Problem> {
    who.require(Scope::PeopleRead)?;
    let person: PersonRef = parse("person", &person)?;
    let client = console.store.client("reading a person").await?;
    let found = person_view::find(&client, &person).await?;
    let found = found.ok_or_else(unknown)?;
    let accounts = person_view::bindings(&client, found.id).await?;
    Ok(Json(PersonView::new(found, accounts)))
}

/// Says where a person's access stands at every connection. Holds no name and no e-mail.
#[utoipa::path(
    get, path = "/v1/people/{person}/status", tag = "people",
    params(("person" = String, Path, description = "Sever's id, or `source:external_id`.")), security(("bearer" = ["opt-outs:read"])),
    responses(
        (status = 200, body = SubjectStatusView),
        (status = 400, description = "It names nobody.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_status(
    who: Authenticated,
    State(console): State<Console>,
    Path(person): Path<String>,
) -> Result<Json<SubjectStatusView>, Problem> {
    who.require(Scope::OptOutsRead)?;
    let client = console.store.client("deriving a status").await?;
    let subject = resolve(&client, "person", &person).await?;
    let subject = NamedSubject {
        id: subject,
        kind: SubjectKind::Person,
        name: None,
    };
    Ok(Json(subject_status::of(&client, subject).await?))
}

/// The person whom `field` names by `text`.
///
/// # Errors
/// 400 where the text names nobody, 404 where nobody is named so.
pub(crate) async fn resolve(
    client: &Client,
    field: &str,
    text: &str,
) -> Result<SubjectId, Problem> {
    let person: PersonRef = parse(field, text)?;
    let found = person_view::find(client, &person).await?;
    found
        .map(|person| person.id)
        .ok_or_else(|| unknown().field(field))
}

fn unknown() -> Problem {
    Problem::not_found("such person: import people first, or look at the id")
}
