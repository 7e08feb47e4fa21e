//! `/v1/dead-letters`: what gave up and waits for a person.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use sever_api::dead_letter_view::{
    DeadLettersView, DeadView, DiscardBody, LetterPage, LetterSummaryView, LetterView, RawView,
    ResolveBody,
};
use sever_api::job_view::JobView;
use sever_api::{Authenticated, Problem, ProblemBody, ProblemKind, RawBody, Scope, parse_json};
use sever_domain::{DeadLetterId, DeadRawId, JobId, Provider};
use sever_store::dead_letter::{self, DecisionError, RawDecision};
use sever_store::{Client, standing};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::console::Console;
use crate::parameters::{Parameters, parse};
use crate::{page_limit, plain_text};

/// The most characters of evidence.
const EVIDENCE_MAX: usize = 4_000;
/// The most dead letters on a page.
const PAGE_MAX: i64 = 200;

/// Of which provider.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListDeadLetters {
    /// Only of this provider.
    #[param(value_type = Option<String>, example = "okta")]
    provider: Option<Provider>,
}

/// Which dead letters of a fingerprint.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListCluster {
    /// The fingerprint.
    fingerprint: String,
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// Items on a page, 1 to 200; 50 where absent.
    limit: Option<u32>,
}

/// Lists what is dead, equal failures together, and what the queues hold.
#[utoipa::path(
    get, path = "/v1/dead-letters", tag = "dead letters", params(ListDeadLetters), security(("bearer" = ["dead-letters:read"])),
    responses(
        (status = 200, body = DeadLettersView),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_dead_letters(
    who: Authenticated,
    State(console): State<Console>,
    Parameters(query): Parameters<ListDeadLetters>,
) -> Result<Json<DeadLettersView>, Problem> {
    who.require(Scope::DeadLettersRead)?;
    let client = console.store.client("listing dead letters").await?;
    let dead = dead_letter::clusters(&client, query.provider).await?;
    Ok(Json(DeadLettersView::from(dead)))
}

/// Lists the dead letters of one fingerprint, oldest first.
#[utoipa::path(
    get, path = "/v1/dead-letters/cluster", tag = "dead letters", params(ListCluster), security(("bearer" = ["dead-letters:read"])),
    responses(
        (status = 200, body = LetterPage),
        (status = 400, description = "A parameter cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_cluster(
    who: Authenticated,
    State(console): State<Console>,
    query: Result<Parameters<ListCluster>, Problem>,
) -> Result<Json<LetterPage>, Problem> {
    who.require(Scope::DeadLettersRead)?;
    let Parameters(query) = query?;
    let limit = page_limit::of(query.limit, PAGE_MAX);
    let client = console.store.client("listing dead letters").await?;
    let after = query.after.map(DeadLetterId);
    let rows = dead_letter::of_fingerprint(&client, &query.fingerprint, after, limit).await?;
    let items: Vec<LetterSummaryView> = rows.into_iter().map(LetterSummaryView::from).collect();
    let next = page_limit::next(&items, limit, |letter| letter.id);
    Ok(Json(LetterPage { items, next }))
}

/// Shows the whole story of a dead letter, by its id or its job's, or a dead message that no job belongs to.
#[utoipa::path(
    get, path = "/v1/dead-letters/{id}", tag = "dead letters", params(("id" = Uuid, Path, description = "The dead letter, its job, or the dead message.")),
    security(("bearer" = ["dead-letters:read"])),
    responses(
        (status = 200, body = DeadView),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such dead letter.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn find_dead_letter(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
) -> Result<Json<DeadView>, Problem> {
    who.require(Scope::DeadLettersRead)?;
    let id: Uuid = parse("id", &id)?;
    let client = console.store.client("reading a dead letter").await?;
    shown(&client, which(&client, id).await?).await
}

/// Says that it was done by hand. A worker reads everything again, writes nothing, and decides; a dead message is closed.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/resolve", tag = "dead letters", params(("id" = Uuid, Path, description = "The dead letter, its job, or the dead message.")),
    request_body = ResolveBody, security(("bearer" = ["dead-letters:write"])),
    responses(
        (status = 200, body = DeadView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such dead letter.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not open, or of no removal.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn resolve_dead_letter(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<DeadView>, Problem> {
    who.require(Scope::DeadLettersWrite)?;
    let body: ResolveBody = parse_json(&bytes)?;
    let evidence = plain_text::line("/evidence", &body.evidence, EVIDENCE_MAX)?;
    let reason = plain_text::reason("/reason", &body.reason)?;
    let word = RawDecision::Resolve {
        evidence: &evidence,
    };
    decide(&who, &console, &id, &reason, word).await
}

/// Asks to give it up; a second person must confirm. Nothing is taken away by it.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/discard", tag = "dead letters", params(("id" = Uuid, Path, description = "The dead letter, its job, or the dead message.")),
    request_body = DiscardBody, security(("bearer" = ["dead-letters:write"])),
    responses(
        (status = 200, body = DeadView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such dead letter.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not open.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn discard_dead_letter(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<DeadView>, Problem> {
    who.require(Scope::DeadLettersWrite)?;
    let body: DiscardBody = parse_json(&bytes)?;
    let reason = plain_text::reason("/reason", &body.reason)?;
    decide(&who, &console, &id, &reason, RawDecision::AskDiscard).await
}

/// Confirms that it is given up: its job is cancelled, and the opt-out ends with its last job. Never by the one who asked.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/discard/confirm", tag = "dead letters",
    params(("id" = Uuid, Path, description = "The dead letter, its job, or the dead message.")),
    request_body = DiscardBody, security(("bearer" = ["dead-letters:decide"])),
    responses(
        (status = 200, body = DeadView),
        (status = 400, description = "A field cannot be taken.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token that works.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The scope is missing, or the bearer asked for it.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such dead letter.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not open, or nobody asked for it.", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm_discard(
    who: Authenticated,
    State(console): State<Console>,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Json<DeadView>, Problem> {
    who.require(Scope::DeadLettersDecide)?;
    let body: DiscardBody = parse_json(&bytes)?;
    let reason = plain_text::reason("/reason", &body.reason)?;
    decide(&who, &console, &id, &reason, RawDecision::ConfirmDiscard).await
}

/// What an id names.
#[derive(Clone, Copy)]
enum Which {
    Letter(DeadLetterId),
    Raw(DeadRawId),
}

/// A dead message first, since its ids are its own; then a letter by its job, else by its own id.
async fn which(client: &Client, id: Uuid) -> Result<Which, Problem> {
    if dead_letter::find_raw(client, DeadRawId(id))
        .await?
        .is_some()
    {
        return Ok(Which::Raw(DeadRawId(id)));
    }
    let by_job = dead_letter::find_by_job(client, JobId(id)).await?;
    Ok(Which::Letter(by_job.unwrap_or(DeadLetterId(id))))
}

/// One decision in one transaction, by the word that fits both kinds.
async fn decide(
    who: &Authenticated,
    console: &Console,
    id: &str,
    reason: &str,
    word: RawDecision<'_>,
) -> Result<Json<DeadView>, Problem> {
    let id: Uuid = parse("id", id)?;
    let actor = who.actor();
    let mut client = console.store.client("deciding on a dead letter").await?;
    let which = which(&client, id).await?;
    let tx = client.begin().await?;
    let decided = match (which, word) {
        (Which::Raw(id), word) => dead_letter::close_raw(&tx, id, &actor, reason, word).await,
        (Which::Letter(id), RawDecision::Resolve { evidence }) => {
            dead_letter::resolve(&tx, id, &actor, evidence, reason).await
        }
        (Which::Letter(id), RawDecision::AskDiscard) => {
            dead_letter::ask_discard(&tx, id, &actor, reason).await
        }
        (Which::Letter(id), RawDecision::ConfirmDiscard) => {
            dead_letter::confirm_discard(&tx, id, &actor, reason).await
        }
    };
    decided.map_err(problem)?;
    tx.commit().await?;
    shown(&client, which).await
}

async fn shown(client: &Client, which: Which) -> Result<Json<DeadView>, Problem> {
    let missing = || Problem::not_found("dead letter with this id");
    let view = match which {
        Which::Raw(id) => {
            let raw = dead_letter::find_raw(client, id)
                .await?
                .ok_or_else(missing)?;
            DeadView {
                letter: None,
                raw: Some(RawView::from(raw)),
            }
        }
        Which::Letter(id) => {
            let mut facts = dead_letter::find(client, id).await?.ok_or_else(missing)?;
            let standings = standing::standings(client, &[facts.subject])
                .await?
                .remove(&facts.subject)
                .unwrap_or_default();
            let now = facts.now;
            let work = facts.job_facts.take();
            let work = work.map(|job| JobView::new(job, &standings, now));
            DeadView {
                letter: Some(LetterView::new(facts, work)),
                raw: None,
            }
        }
    };
    Ok(Json(view))
}

fn problem(error: DecisionError) -> Problem {
    match error {
        DecisionError::NotFound(_) => Problem::not_found("dead letter with this id"),
        DecisionError::SamePerson { .. } => {
            Problem::new(ProblemKind::SamePerson, error.to_string())
        }
        DecisionError::NotOpen { .. }
        | DecisionError::NotARemoval { .. }
        | DecisionError::NotAsked(_) => Problem::new(ProblemKind::StateConflict, error.to_string()),
        DecisionError::Store(error) => error.into(),
    }
}
