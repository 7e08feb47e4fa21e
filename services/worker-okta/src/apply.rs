//! One write for one step, sent once.

use sever_domain::{AccountState, Action, OutcomeClass};
use sever_provider::http::Reply;
use sever_provider::{Answer, AnswerKind, CallError, Effect, Sent};
use tokio::time::Instant;

use crate::account::user_by_id;
use crate::errors::{Meaning, is_there_already};
use crate::org::{Ask, Org, Refused, unusable};
use crate::writes::{self, Write};

/// Sends the write of an effect. Where the answer leaves open whether the account is already in the state
/// wanted, one read of the account tells; both share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(org: &Org, effect: &Effect) -> Result<Answer, CallError> {
    let until = org.http.deadline();
    if effect.action == Action::ReinstateAccount {
        return reinstate(org, effect, until).await;
    }
    let Some(write) = writes::of(effect) else {
        return Err(unusable(
            "sending a step",
            format!("Okta has no call for the action {}", effect.action),
        ));
    };
    match send(org, write, until).await {
        Ok(reply) => Ok(answer(org, AnswerKind::Done, &reply)),
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

/// Brings the account back from whatever state it is in now; both share one deadline.
async fn reinstate(org: &Org, effect: &Effect, until: Instant) -> Result<Answer, CallError> {
    let state = current_state(org, effect, until).await?;
    match state {
        AccountState::Live => Ok(Answer {
            kind: AnswerKind::AlreadyGone,
            status: 200,
            provider_request_id: None,
        }),
        AccountState::Absent => Err(unusable(
            "bringing the account back",
            "it was deleted, and Okta has no call that restores it".to_owned(),
        )),
        AccountState::Contained | AccountState::Deactivated => {
            let write = writes::reinstate(&effect.account_id, state);
            let reply = send(org, write, until)
                .await
                .map_err(|refused| refused.error)?;
            Ok(answer(org, AnswerKind::Done, &reply))
        }
    }
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
        // Okta says 404, 403 or 400 of these both when it is so already and when it never can be.
        (Action::SuspendAccount | Action::DeactivateAccount | Action::RevokeSessions, _)
            if doubtful =>
        {
            let state = current_state(org, effect, until).await?;
            if wanted(effect.action, state) {
                Ok(already(refused.error))
            } else {
                Err(no_longer_gone(refused.error))
            }
        }
        // What was revoked may be listed once more, and what another removed first is removed. What is given back is not
        // there by being gone: a user who is still being activated is not found either.
        (action, Meaning::Gone) if !action.gives_back() => Ok(already(refused.error)),
        // It is there already: the answer to an earlier call was lost, or somebody else gave it.
        (action, _) if action.gives_back() && is_there_already(&refused.error) => {
            Ok(already(refused.error))
        }
        // It passes when the group's removal reaches the application; on a deactivated account nothing
        // is left that would pass.
        (Action::UnassignApp, Meaning::GroupStillGrants) => {
            let state = current_state(org, effect, until).await?;
            let class = if state == AccountState::Deactivated {
                OutcomeClass::NeedsPerson
            } else {
                OutcomeClass::Wait
            };
            Err(CallError {
                class,
                ..refused.error
            })
        }
        (_, _) => Err(refused.error),
    }
}

/// The account's state by a fresh read. The write itself was refused, so whatever stops this read, the
/// write was not applied.
async fn current_state(
    org: &Org,
    effect: &Effect,
    until: Instant,
) -> Result<AccountState, CallError> {
    user_by_id(org, &effect.account_id, Some(until))
        .await
        .map(|user| user.map_or(AccountState::Absent, |user| user.state()))
        .map_err(|error| CallError {
            sent: Sent::NotApplied,
            ..error
        })
}

const fn wanted(action: Action, state: AccountState) -> bool {
    match action {
        Action::SuspendAccount => state.sign_in_blocked(),
        _ => matches!(state, AccountState::Deactivated | AccountState::Absent),
    }
}

/// A 404 on an account that a read finds alive is a refusal that a person must look at.
fn no_longer_gone(error: CallError) -> CallError {
    CallError {
        class: OutcomeClass::NeedsPerson,
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

fn answer(org: &Org, kind: AnswerKind, reply: &Reply) -> Answer {
    Answer {
        kind,
        status: reply.status.as_u16(),
        provider_request_id: org.http.request_id_of(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_account_is_no_deactivated_one() {
        assert!(wanted(Action::SuspendAccount, AccountState::Contained));
        assert!(!wanted(Action::DeactivateAccount, AccountState::Contained));
        assert!(!wanted(Action::RevokeSessions, AccountState::Contained));
        assert!(wanted(Action::DeactivateAccount, AccountState::Absent));
        assert!(!wanted(Action::SuspendAccount, AccountState::Live));
    }
}
