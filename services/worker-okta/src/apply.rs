//! One write for one step, sent once.

use reqwest::Method;
use sever_domain::{AccountState, Action, OutcomeClass};
use sever_provider::http::{Priority, Reply};
use sever_provider::{Answer, AnswerKind, CallError, Effect, Sent};
use tokio::time::Instant;

use crate::account::user_by_id;
use crate::errors::Meaning;
use crate::org::{Ask, Endpoint, Org, Refused, endpoint, unusable};

/// The call of one action.
struct Write<'a> {
    doing: &'static str,
    method: Method,
    endpoint: Endpoint,
    path: Vec<&'a str>,
    query: &'a [(&'a str, &'a str)],
    priority: Priority,
}

/// Sends the write of an effect. Where the answer leaves open whether the account is already in the state
/// wanted, one read of the account tells; both share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(org: &Org, effect: &Effect) -> Result<Answer, CallError> {
    let until = org.http.deadline();
    let Some(write) = write_of(effect) else {
        return Err(unusable(
            "sending a step",
            format!("Okta has no call for the action {}", effect.action),
        ));
    };
    let ask = Ask {
        doing: write.doing,
        endpoint: write.endpoint,
        path: &write.path,
        query: write.query,
    };
    match org.write(write.method, ask, write.priority, until).await {
        Ok(reply) => Ok(answer(org, AnswerKind::Done, &reply)),
        Err(refused) => after_refusal(org, effect, refused, until).await,
    }
}

fn write_of(effect: &Effect) -> Option<Write<'_>> {
    use endpoint as at;
    let (user, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    let post = |doing, endpoint, path| write(doing, Method::POST, endpoint, path);
    let delete = |doing, endpoint, path| write(doing, Method::DELETE, endpoint, path);
    Some(match effect.action {
        Action::SuspendAccount => Write {
            priority: Priority::Containing,
            ..post(
                "suspending the account",
                at::LIFECYCLE,
                vec!["users", user, "lifecycle", "suspend"],
            )
        },
        Action::RevokeSessions => Write {
            priority: Priority::Containing,
            query: &[("oauthTokens", "true"), ("forgetDevices", "true")],
            ..delete(
                "ending the account's sessions",
                at::SESSIONS,
                vec!["users", user, "sessions"],
            )
        },
        Action::RevokeTokens => Write {
            priority: Priority::Containing,
            ..delete(
                "revoking a client's tokens",
                at::CLIENTS,
                vec!["users", user, "clients", key, "tokens"],
            )
        },
        Action::RevokeGrants => delete(
            "revoking a client's consents",
            at::GRANTS,
            vec!["users", user, "clients", key, "grants"],
        ),
        Action::RevokeApiToken => delete(
            "revoking an API token",
            at::API_TOKENS,
            vec!["api-tokens", key],
        ),
        Action::RevokeRole => delete(
            "taking an administrative role",
            at::ROLES,
            vec!["users", user, "roles", key],
        ),
        Action::RemoveFromGroup => delete(
            "ending a group membership",
            at::MEMBERS,
            vec!["groups", key, "users", user],
        ),
        Action::UnassignApp => Write {
            query: &[("sendEmail", "false")],
            ..delete(
                "ending an application assignment",
                at::APP_USERS,
                vec!["apps", key, "users", user],
            )
        },
        Action::RemoveFactor => delete(
            "removing a factor",
            at::FACTORS,
            vec!["users", user, "factors", key],
        ),
        Action::DeactivateDevice => post(
            "deactivating a device",
            at::DEVICES,
            vec!["devices", key, "lifecycle", "deactivate"],
        ),
        Action::DeleteDevice => delete("deleting a device", at::DEVICES, vec!["devices", key]),
        Action::UnlinkIdentity => delete(
            "unlinking an identity provider",
            at::IDPS,
            vec!["idps", key, "users", user],
        ),
        Action::DeactivateAccount => Write {
            query: &[("sendEmail", "false")],
            ..post(
                "deactivating the account",
                at::LIFECYCLE,
                vec!["users", user, "lifecycle", "deactivate"],
            )
        },
        Action::RemoveOwnership => delete(
            "ending an ownership",
            at::MEMBERS,
            vec!["groups", key, "owners", user],
        ),
        Action::Leave => return None,
    })
}

fn write<'a>(
    doing: &'static str,
    method: Method,
    endpoint: Endpoint,
    path: Vec<&'a str>,
) -> Write<'a> {
    Write {
        doing,
        method,
        endpoint,
        path,
        query: &[],
        priority: Priority::Ordinary,
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
        // What was revoked may be listed once more, and what another removed first is removed.
        (_, Meaning::Gone) => Ok(already(refused.error)),
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
    use sever_domain::EntitlementKind;

    fn effect(action: Action) -> Effect {
        Effect {
            action,
            account_id: "00u1".into(),
            target_kind: EntitlementKind::Group,
            target_key: "key".into(),
            facts: serde_json::Value::Null,
        }
    }

    #[test]
    fn every_action_but_leave_has_a_call_that_names_its_account_or_target() {
        for action in Action::ALL {
            let effect = effect(*action);
            let Some(write) = write_of(&effect) else {
                assert_eq!(*action, Action::Leave);
                continue;
            };
            assert!(
                write.path.contains(&"00u1") || write.path.contains(&"key"),
                "{action}"
            );
            assert!(
                matches!(write.method, Method::POST | Method::DELETE),
                "{action}"
            );
        }
    }

    #[test]
    fn what_contains_goes_before_the_reserve() {
        for action in Action::ALL {
            let effect = effect(*action);
            let containing =
                write_of(&effect).is_some_and(|write| write.priority == Priority::Containing);
            let expected = matches!(
                action,
                Action::SuspendAccount | Action::RevokeSessions | Action::RevokeTokens
            );
            assert_eq!(containing, expected, "{action}");
        }
    }

    #[test]
    fn a_suspended_account_is_no_deactivated_one() {
        assert!(wanted(Action::SuspendAccount, AccountState::Contained));
        assert!(!wanted(Action::DeactivateAccount, AccountState::Contained));
        assert!(!wanted(Action::RevokeSessions, AccountState::Contained));
        assert!(wanted(Action::DeactivateAccount, AccountState::Absent));
        assert!(!wanted(Action::SuspendAccount, AccountState::Live));
    }
}
