//! `/v1/connections`: the instances of external systems, applied from configuration.

use axum::Json;
use axum::extract::{Path, State};
use sever_api::connection_view::{
    AppliedConnection, AppliedView, BreakerClosedView, CloseBreakerBody, ConnectionBody,
    ConnectionList, ConnectionView, ConnectionsBody,
};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_config::CredentialReference;
use sever_store::breaker::{self, ClosedByHand};
use sever_store::connection::{self, ApplyError, Change, ConnectionSpec, FENCE_DELAY_MAX_S};
use sever_store::reconcile_policy::{self, PolicyError};

use crate::console::Console;

/// The most connections of one body.
const APPLY_MAX: usize = 100;
/// The longest reason.
const REASON_MAX: usize = 500;

/// Lists the connections by name.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", security(("bearer" = ["connections:read"])),
    responses(
        (status = 200, body = ConnectionList),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_connections(
    who: Authenticated,
    State(console): State<Console>,
) -> Result<Json<ConnectionList>, Problem> {
    who.require(Scope::ConnectionsRead)?;
    let client = console.store.client("listing connections").await?;
    let rows = connection::list(&client).await?;
    let mut policies = reconcile_policy::all(&client).await?;
    let view = |row: connection::ConnectionRow| {
        let policy = policies.remove(&row.id).unwrap_or_default();
        let mut view = ConnectionView::from(row);
        view.configured.reconcile = Some(policy.into());
        view
    };
    let items = rows.into_iter().map(view).collect();
    Ok(Json(ConnectionList { items }))
}

/// Makes connections what the body says, all or none. One that is parked is opened, and its jobs wait again.
#[utoipa::path(
    put, path = "/v1/connections", tag = "connections", request_body = ConnectionsBody, security(("bearer" = ["connections:write"])),
    responses(
        (status = 200, body = AppliedView),
        (status = 400, description = "A field cannot be taken; nothing was changed.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "A name belongs to another provider; nothing was changed.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn apply_connections(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<Json<AppliedView>, Problem> {
    who.require(Scope::ConnectionsWrite)?;
    let body: ConnectionsBody = parse_json(&bytes)?;
    check(&body)?;
    let actor = who.actor();
    let mut client = console.store.client("applying connections").await?;
    let tx = client.begin().await?;
    let mut applied = Vec::new();
    for mut connection in body.connection {
        let policy = connection.reconcile.take();
        let spec = ConnectionSpec::from(connection);
        let mut change = connection::apply(&tx, &spec, &actor)
            .await
            .map_err(refused)?;
        if let Some(policy) = policy {
            let differs = reconcile_policy::apply(&tx, &spec.name, &policy.into(), &actor).await;
            if differs.map_err(no_policy)? && change == Change::Unchanged {
                change = Change::Changed;
            }
        }
        applied.push(AppliedConnection::new(&spec.name, change));
    }
    tx.commit().await?;
    Ok(Json(AppliedView { applied }))
}

/// Closes a connection's circuit breaker by hand; its jobs come back, ramped. It opens again where the provider still does not answer.
#[utoipa::path(
    post, path = "/v1/connections/{name}/breaker/close", tag = "connections", request_body = CloseBreakerBody, security(("bearer" = ["connections:write"])),
    params(("name" = String, Path, description = "The connection's name.")),
    responses(
        (status = 200, body = BreakerClosedView),
        (status = 400, description = "The reason cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn close_breaker(
    who: Authenticated,
    State(console): State<Console>,
    Path(name): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<BreakerClosedView>, Problem> {
    who.require(Scope::ConnectionsWrite)?;
    let body: CloseBreakerBody = parse_json(&bytes)?;
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Problem::invalid("/reason", "must have 1 to 500 characters"));
    }
    let mut client = console.store.client("closing a breaker").await?;
    let tx = client.begin().await?;
    let closed = breaker::close(&tx, &name, &who.actor(), reason).await?;
    tx.commit().await?;
    let (changed, jobs) = match closed {
        ClosedByHand::Closed { jobs } => (true, jobs),
        ClosedByHand::WasClosed => (false, 0),
        ClosedByHand::NoConnection => {
            let detail = format!("there is no connection '{name}'");
            return Err(Problem::new(ProblemKind::NotFound, detail));
        }
    };
    Ok(Json(BreakerClosedView {
        connection: name,
        changed,
        jobs,
    }))
}

fn refused(error: ApplyError) -> Problem {
    match error {
        ApplyError::OtherProvider { .. } => {
            Problem::new(ProblemKind::StateConflict, error.to_string())
        }
        ApplyError::Store(error) => error.into(),
    }
}

fn no_policy(error: PolicyError) -> Problem {
    match error {
        PolicyError::NoSource { .. } => Problem::new(ProblemKind::StateConflict, error.to_string()),
        PolicyError::Store(error) => error.into(),
    }
}

fn check(body: &ConnectionsBody) -> Result<(), Problem> {
    if body.connection.is_empty() || body.connection.len() > APPLY_MAX {
        return Err(Problem::invalid(
            "/connection",
            "must have 1 to 100 connections",
        ));
    }
    for (index, connection) in body.connection.iter().enumerate() {
        let (key, problem) = match fault(connection) {
            Some(fault) => fault,
            None if repeats(body, index) => ("name", "stands in this body twice".to_owned()),
            None => continue,
        };
        let name = &connection.name;
        return Err(Problem::invalid(
            format!("/connection/{index}/{key}"),
            format!("'{key}' of connection '{name}' {problem}"),
        ));
    }
    Ok(())
}

fn repeats(body: &ConnectionsBody, index: usize) -> bool {
    let name = &body.connection[index].name;
    body.connection[..index]
        .iter()
        .any(|before| before.name == *name)
}

/// The first key that cannot be taken, and what is wrong with it.
fn fault(connection: &ConnectionBody) -> Option<(&'static str, String)> {
    let fault = |key, problem: &str| Some((key, problem.to_owned()));
    if !is_name(&connection.name) {
        return fault(
            "name",
            "must be 1 to 63 lower-case letters, digits, '_' and '-', and begin with a letter or digit",
        );
    }
    if let Some(problem) = url_fault(&connection.base_url) {
        return fault("base_url", problem);
    }
    if let Err(error) = connection.credential.parse::<CredentialReference>() {
        return Some(("credential", format!("cannot be taken: {error}")));
    }
    if !(1..=64).contains(&connection.in_flight_max) {
        return fault("in_flight_max", "must be 1 to 64");
    }
    if !(1..=1024).contains(&connection.jobs_max) {
        return fault("jobs_max", "must be 1 to 1024");
    }
    if connection.fence_delay.as_seconds() > FENCE_DELAY_MAX_S {
        return fault("fence_delay", "must be at most 30d");
    }
    let reconcile = connection.reconcile.as_ref();
    if let Some((key, problem)) = reconcile.and_then(|body| body.fault(connection.provider)) {
        return Some(("reconcile", format!("has a '{key}' that {problem}")));
    }
    None
}

/// As the column's CHECK.
pub(crate) fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 63
        && name.bytes().next().is_some_and(word)
        && name
            .bytes()
            .all(|byte| word(byte) || matches!(byte, b'_' | b'-'))
}

/// Whether plain http may be spoken to it is the worker's to decide, which knows where it runs.
fn url_fault(text: &str) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(text) else {
        return Some("is no URL");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Some("must be an http:// or https:// URL with a host");
    }
    let decorated = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    decorated.then_some("must not carry a user, a password, a query or a fragment")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(change: impl Fn(&mut ConnectionBody)) -> ConnectionsBody {
        let text = r#"{"connection":[{"name":"okta-main","provider":"okta","base_url":"https://example.okta.com",
            "credential":"env:OKTA","access_token_lifetime":"1h"}]}"#;
        let mut body: ConnectionsBody = serde_json::from_str(text).unwrap();
        change(&mut body.connection[0]);
        body
    }

    #[test]
    fn each_faulty_key_is_named_and_a_pasted_credential_is_not_repeated() {
        assert_eq!(check(&body(|_| ())), Ok(()));
        type Alteration = fn(&mut ConnectionBody);
        let faults: [(&str, Alteration); 7] = [
            ("name", |c| c.name = "Okta".to_owned()),
            ("base_url", |c| c.base_url = "example.okta.com".to_owned()),
            ("base_url", |c| {
                c.base_url = "https://u:hunter2@x".to_owned()
            }),
            ("credential", |c| c.credential = "00aHunter2".to_owned()),
            ("in_flight_max", |c| c.in_flight_max = 0),
            ("fence_delay", |c| {
                c.fence_delay = "31d".parse().unwrap();
            }),
            ("jobs_max", |c| c.jobs_max = 5000),
        ];
        for (key, change) in faults {
            let problem = check(&body(change)).unwrap_err().body();
            assert_eq!(problem.field.unwrap(), format!("/connection/0/{key}"));
            assert!(
                !problem.detail.to_lowercase().contains("hunter2"),
                "{}",
                problem.detail
            );
        }
        let mut twice = body(|_| ());
        twice.connection.push(twice.connection[0].clone());
        let field = check(&twice).unwrap_err().body().field;
        assert_eq!(field.as_deref(), Some("/connection/1/name"));
    }
}
