//! `/v1/findings`, `/v1/inventories` and `/v1/people/{id}/access`: what differs from what should be, and how it is looked for.

use axum::Json;
use axum::extract::{Path, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sever_api::drift_view::{
    AcceptanceBody, AccessView, FindingList, FindingView, ObservedList, RunAsked, RunRequestBody,
};
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::{FindingId, RunId, RunKind, Situation};
use sever_store::finding::{self, FindingFilter};
use sever_store::{access, connection, drift, inventory, reconcile};
use utoipa::IntoParams;
use uuid::Uuid;

use super::people;
use crate::console::Console;
use crate::parameters::{Parameters, parse};
use crate::plain_text;

/// How far ahead a finding may be accepted.
const ACCEPTANCE_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Which findings to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListFindings {
    /// Of this connection only.
    connection: Option<String>,
    /// Of this situation only.
    #[param(value_type = Option<String>)]
    situation: Option<Situation>,
    /// With those that are over.
    #[serde(default)]
    closed: bool,
    /// Only what nobody is known to own; the other parameters do not count then.
    #[serde(default)]
    unowned: bool,
}

/// Which inventories to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowInventories {
    /// Of this connection only.
    connection: Option<String>,
}

/// Lists findings, privileged ones first.
#[utoipa::path(
    get, path = "/v1/findings", tag = "drift", params(ListFindings), security(("bearer" = ["drift:read"])),
    responses(
        (status = 200, body = FindingList),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_findings(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListFindings>,
) -> Result<Json<FindingList>, Problem> {
    who.require(Scope::DriftRead)?;
    let client = console.store.client("listing findings").await?;
    let findings = if query.unowned {
        finding::unowned(&client).await?
    } else {
        let filter = FindingFilter {
            connection: query.connection,
            situation: query.situation,
            closed: query.closed,
        };
        finding::list(&client, &filter).await?
    };
    let items = findings.into_iter().map(FindingView::from).collect();
    Ok(Json(FindingList { items }))
}

/// Shows one finding.
#[utoipa::path(
    get, path = "/v1/findings/{id}", tag = "drift", params(("id" = Uuid, Path, description = "The finding.")), security(("bearer" = ["drift:read"])),
    responses(
        (status = 200, body = FindingView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such finding.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_finding(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<FindingView>, Problem> {
    who.require(Scope::DriftRead)?;
    let id: Uuid = parse("id", &id)?;
    shown(&console, FindingId(id)).await
}

/// Lets a finding be repaired by an ordinary opt-out, whatever the policy says.
#[utoipa::path(
    post, path = "/v1/findings/{id}/repair", tag = "drift", params(("id" = Uuid, Path, description = "The finding.")), security(("bearer" = ["drift:write"])),
    responses(
        (status = 200, body = FindingView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such finding.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "No opt-out can mend it, or it is not open.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn repair_finding(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<FindingView>, Problem> {
    who.require(Scope::DriftWrite)?;
    let id = FindingId(parse("id", &id)?);
    let mut client = console.store.client("repairing a finding").await?;
    let tx = client.begin().await?;
    let asked = finding::ask_repair(&tx, id, &who.actor()).await?;
    tx.commit().await?;
    drop(client);
    decided(
        &console,
        id,
        asked,
        "no opt-out can mend it, or it is not open: a suspected one waits for its read by id",
    )
    .await
}

/// Accepts a finding until a date.
#[utoipa::path(
    post, path = "/v1/findings/{id}/accept", tag = "drift", params(("id" = Uuid, Path, description = "The finding.")),
    request_body = AcceptanceBody, security(("bearer" = ["drift:write"])),
    responses(
        (status = 200, body = FindingView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such finding.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is over, or being repaired.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn accept_finding(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<FindingView>, Problem> {
    who.require(Scope::DriftWrite)?;
    let body: AcceptanceBody = parse_json(&bytes)?;
    let (id, reason) = (
        FindingId(parse("id", &id)?),
        plain_text::reason("/reason", &body.reason)?,
    );
    let now = console_clock(&console).await?;
    if body.until <= now || body.until > now + ACCEPTANCE_MAX {
        return Err(Problem::invalid(
            "/until",
            "must be ahead, and at most 400 days",
        ));
    }
    let mut client = console.store.client("accepting a finding").await?;
    let tx = client.begin().await?;
    let accepted = finding::accept(&tx, id, body.until, &reason, &who.actor()).await?;
    tx.commit().await?;
    drop(client);
    decided(&console, id, accepted, "it is over, or being repaired").await
}

/// Shows how the connections are observed.
#[utoipa::path(
    get, path = "/v1/inventories", tag = "drift", params(ShowInventories), security(("bearer" = ["drift:read"])),
    responses(
        (status = 200, body = ObservedList),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_inventories(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ShowInventories>,
) -> Result<Json<ObservedList>, Problem> {
    who.require(Scope::DriftRead)?;
    let client = console
        .store
        .client("reading how connections are observed")
        .await?;
    let observed = reconcile::status(&client, query.connection.as_deref()).await?;
    let items = observed.into_iter().map(Into::into).collect();
    Ok(Json(ObservedList { items }))
}

/// Asks for an inventory of a connection. One that the mass guard holds there gives way to it.
#[utoipa::path(
    post, path = "/v1/inventories", tag = "drift", request_body = RunRequestBody, security(("bearer" = ["drift:write"])),
    responses(
        (status = 202, body = RunAsked),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such connection.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "One is open already, or the connection is closed.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask_inventory(
    who: Authenticated,
    State(console): State<Console>,
    RawBody(bytes): RawBody,
) -> Result<(axum::http::StatusCode, Json<RunAsked>), Problem> {
    who.require(Scope::DriftWrite)?;
    let body: RunRequestBody = parse_json(&bytes)?;
    let mut client = console.store.client("asking for an inventory").await?;
    let found = connection::find(&client, &body.connection).await?;
    let found = found.ok_or_else(|| Problem::not_found("connection of this name"))?;
    if body.kind == RunKind::Incremental && !found.spec.provider.tells_changes() {
        return Err(Problem::invalid(
            "/kind",
            "must be full at this connection: its provider does not tell what changed",
        ));
    }
    let tx = client.begin().await?;
    let run = inventory::ask(&tx, found.id, body.kind, &who.actor()).await?;
    tx.commit().await?;
    let open = || {
        Problem::new(
            ProblemKind::StateConflict,
            "an inventory of this connection is open already, or the connection is closed",
        )
    };
    let run = run.ok_or_else(open)?.0;
    Ok((axum::http::StatusCode::ACCEPTED, Json(RunAsked { run })))
}

/// Lets an inventory that the mass guard holds open its findings after all. Never by the one who asked for it.
#[utoipa::path(
    post, path = "/v1/inventories/{id}/release", tag = "drift", params(("id" = Uuid, Path, description = "The inventory.")), security(("bearer" = ["holds:decide"])),
    responses(
        (status = 200, body = RunAsked),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not held, or the bearer asked for it.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn release_inventory(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<RunAsked>, Problem> {
    who.require(Scope::HoldsDecide)?;
    let run: Uuid = parse("id", &id)?;
    let mut client = console.store.client("releasing an inventory").await?;
    let tx = client.begin().await?;
    let released = drift::release(&tx, RunId(run), &who.actor()).await?;
    tx.commit().await?;
    if released {
        Ok(Json(RunAsked { run }))
    } else {
        Err(Problem::new(
            ProblemKind::StateConflict,
            "it is not held, or you asked for it",
        ))
    }
}

/// Shows what a person can reach by the newest inventories, with the age of each observation.
#[utoipa::path(
    get, path = "/v1/people/{id}/access", tag = "drift", params(("id" = String, Path, description = "Sever's id, or `source:external_id`.")), security(("bearer" = ["drift:read"])),
    responses(
        (status = 200, body = AccessView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such person.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show_access(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<AccessView>, Problem> {
    who.require(Scope::DriftRead)?;
    let client = console
        .store
        .client("reading what somebody can reach")
        .await?;
    let subject = people::resolve(&client, "id", &id).await?;
    let reached = access::of_subject(&client, subject).await?;
    let connections = reached.into_iter().map(Into::into).collect();
    Ok(Json(AccessView {
        subject: subject.0,
        connections,
    }))
}

async fn shown(console: &Console, id: FindingId) -> Result<Json<FindingView>, Problem> {
    let client = console.store.client("reading a finding").await?;
    let found = finding::find(&client, id).await?;
    found
        .map(|finding| Json(finding.into()))
        .ok_or_else(|| Problem::not_found("finding with this id"))
}

/// The finding after a decision: `None` where there is none, `false` where its state does not allow it.
async fn decided(
    console: &Console,
    id: FindingId,
    decided: Option<bool>,
    not: &str,
) -> Result<Json<FindingView>, Problem> {
    match decided {
        Some(true) => shown(console, id).await,
        Some(false) => Err(Problem::new(ProblemKind::StateConflict, not)),
        None => Err(Problem::not_found("finding with this id")),
    }
}

async fn console_clock(console: &Console) -> Result<Timestamp, Problem> {
    let client = console.store.client("reading the database's clock").await?;
    Ok(sever_store::standing::clock(&client).await?)
}
