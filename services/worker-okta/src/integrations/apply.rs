//! One write for one step of an integration, sent once.

use sever_domain::{AccountState, Action, OutcomeClass};
use sever_provider::http::Reply;
use sever_provider::{Answer, AnswerKind, CallError, Effect, Sent};
use tokio::time::Instant;

use super::families::{Object, server_of};
use super::{app, object, tokens, writes};
use crate::errors::{Meaning, is_there_already};
use crate::org::{Ask, Org, Refused, unusable};
use crate::writes::Write;

/// Sends the write of an effect. A credential that is active is switched off first, because Okta deletes none that is; both
/// calls set a state. Where the answer leaves open whether it is so already, one read tells; all share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(org: &Org, effect: &Effect) -> Result<Answer, CallError> {
    let until = org.http.deadline();
    let Some(write) = writes::of(effect) else {
        return Err(unusable(
            "sending a step",
            format!(
                "Okta has no call for the action {} on an integration",
                effect.action
            ),
        ));
    };
    if effect.action == Action::RemoveSecret
        && let Some(off) = writes::switch_credential_off(&effect.account_id, &effect.target_key)
        && let Err(refused) = send(org, off, until).await
        && !matches!(refused.meaning, Meaning::Gone | Meaning::WrongState)
    {
        return Err(refused.error);
    }
    match send(org, write, until).await {
        Ok(reply) => Ok(Answer {
            kind: AnswerKind::Done,
            status: reply.status.as_u16(),
            provider_request_id: org.http.request_id_of(&reply),
        }),
        Err(refused) => after_refusal(org, effect, refused, until).await,
    }
}

async fn send(org: &Org, write: Write<'_>, until: Instant) -> Result<Reply, Refused> {
    let ask = Ask {
        doing: write.doing,
        endpoint: write.endpoint,
        path: &write.path,
        query: write.query,
    };
    let body = write.body.as_ref();
    org.write(write.method, ask, body, write.priority, until)
        .await
}

/// What a refusal of this action means for its step.
async fn after_refusal(
    org: &Org,
    effect: &Effect,
    refused: Refused,
    until: Instant,
) -> Result<Answer, CallError> {
    let doubtful = matches!(
        refused.meaning,
        Meaning::Gone | Meaning::WrongState | Meaning::Forbidden
    );
    match (effect.action, refused.meaning) {
        // Okta documents neither what an inactive application answers to being deactivated, nor to its tokens' end.
        (Action::DisableIntegration, _) if doubtful => {
            let state = state_of(org, &effect.account_id, until).await?;
            settled(refused, state != AccountState::Live)
        }
        (Action::EnableIntegration, _) if doubtful => {
            let state = state_of(org, &effect.account_id, until).await?;
            settled(refused, state == AccountState::Live)
        }
        (Action::RevokeTokens, _) if doubtful => {
            let left = any_token(org, effect).await;
            let left = left.map_err(|refused| not_applied(refused.error))?;
            settled(refused, !left)
        }
        (action, Meaning::Gone) if !action.gives_back() => Ok(already(refused.error)),
        // It is there already.
        (action, _) if action.gives_back() && is_there_already(&refused.error) => {
            Ok(already(refused.error))
        }
        (_, _) => Err(refused.error),
    }
}

/// Whether the authorization server of a revocation still shows a token.
async fn any_token(org: &Org, effect: &Effect) -> Result<bool, Refused> {
    let client = effect.facts["client_id"].as_str();
    if let (Some(server), Some(client)) = (server_of(&effect.target_key), client) {
        let left = tokens::of_server(org, server, client).await?;
        return Ok(left.is_some());
    }
    match tokens::read(org, &effect.account_id).await {
        Ok(left) => Ok(!left.is_empty()),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(false),
        Err(refused) => Err(refused),
    }
}

/// The object's state by a fresh read. The write itself was refused, so whatever stops this read, it was not applied.
async fn state_of(org: &Org, id: &str, until: Instant) -> Result<AccountState, CallError> {
    let state = match Object::of(id) {
        Object::App => {
            let app = app::app_by_id(org, id, Some(until))
                .await
                .map_err(not_applied)?;
            app.map(|app| app.state())
        }
        other => {
            let found = object::read(org, other, id, Some(until)).await;
            found.map_err(not_applied)?.map(|found| found.state)
        }
    };
    Ok(state.unwrap_or(AccountState::Absent))
}

fn settled(refused: Refused, is_so: bool) -> Result<Answer, CallError> {
    if is_so {
        Ok(already(refused.error))
    } else {
        Err(CallError {
            class: OutcomeClass::NeedsPerson,
            ..refused.error
        })
    }
}

fn not_applied(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}

fn already(error: CallError) -> Answer {
    Answer {
        kind: AnswerKind::AlreadyGone,
        status: error.status.unwrap_or_default(),
        provider_request_id: error.provider_request_id,
    }
}
