//! Which call ends what: one write for each action.

use serde_json::{Value, json};
use sever_domain::{AccountState, Action};
use sever_provider::Effect;
use sever_provider::http::{Method, Priority};

use crate::org::{Endpoint, endpoint as at};

/// The call of one action.
#[derive(Debug)]
pub struct Write<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// `POST` or `DELETE`.
    pub method: Method,
    /// Its endpoint family.
    pub endpoint: Endpoint,
    /// The path below `/api/v1`.
    pub path: Vec<&'a str>,
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
    /// A JSON body; most writes have none.
    pub body: Option<Value>,
    /// Whether it may use the reserve of the rate.
    pub priority: Priority,
}

/// The call of an effect; `None` for an action that has none at Okta.
#[must_use]
pub fn of(effect: &Effect) -> Option<Write<'_>> {
    let (user, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    on_account(effect.action, user)
        .or_else(|| on_client_or_role(effect.action, user, key))
        .or_else(|| on_object(effect.action, user, key))
        .or_else(|| way_back(effect))
}

/// The inverse calls.
fn way_back(effect: &Effect) -> Option<Write<'_>> {
    let (user, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    Some(match effect.action {
        // Which of the two applies is the account's present state's to say: see `apply`.
        Action::ReinstateAccount => reinstate(user, AccountState::Contained),
        Action::AddToGroup => write(
            "adding to a group",
            Method::PUT,
            at::MEMBERS,
            vec!["groups", key, "users", user],
        ),
        Action::AssignApp => Write {
            body: Some(json!({"id": user, "scope": "USER"})),
            ..write(
                "assigning an application",
                Method::POST,
                at::APP_USERS,
                vec!["apps", key, "users"],
            )
        },
        Action::GrantRole => Write {
            body: Some(effect.facts["role"].clone()),
            ..write(
                "granting an administrative role",
                Method::POST,
                at::ROLES,
                vec!["users", user, "roles"],
            )
        },
        Action::AddOwnership => Write {
            body: Some(json!({"id": user, "type": "USER"})),
            ..write(
                "adding an owner",
                Method::POST,
                at::MEMBERS,
                vec!["groups", key, "owners"],
            )
        },
        Action::ActivateDevice => write(
            "activating a device",
            Method::POST,
            at::DEVICES,
            vec!["devices", key, "lifecycle", "activate"],
        ),
        _ => return None,
    })
}

/// The call that brings an account back from this state.
#[must_use]
pub fn reinstate(user: &str, from: AccountState) -> Write<'_> {
    let (doing, verb, query): (_, _, &[_]) = match from {
        AccountState::Deactivated => (
            "activating the account",
            "activate",
            &[("sendEmail", "false")],
        ),
        AccountState::Live | AccountState::Contained | AccountState::Absent => {
            ("unsuspending the account", "unsuspend", &[])
        }
    };
    Write {
        query,
        ..write(
            doing,
            Method::POST,
            at::LIFECYCLE,
            vec!["users", user, "lifecycle", verb],
        )
    }
}

fn on_account(action: Action, user: &str) -> Option<Write<'_>> {
    let lifecycle = |doing, verb| {
        let path = vec!["users", user, "lifecycle", verb];
        write(doing, Method::POST, at::LIFECYCLE, path)
    };
    Some(match action {
        Action::SuspendAccount => Write {
            priority: Priority::Containing,
            ..lifecycle("suspending the account", "suspend")
        },
        Action::DeactivateAccount => Write {
            query: &[("sendEmail", "false")],
            ..lifecycle("deactivating the account", "deactivate")
        },
        Action::RevokeSessions => Write {
            priority: Priority::Containing,
            // Both named: the one defaults to false, the other differs between Okta's engines.
            query: &[("oauthTokens", "true"), ("forgetDevices", "true")],
            ..delete(
                "ending the account's sessions",
                at::SESSIONS,
                vec!["users", user, "sessions"],
            )
        },
        _ => return None,
    })
}

fn on_client_or_role<'a>(action: Action, user: &'a str, key: &'a str) -> Option<Write<'a>> {
    let below_client = |last| vec!["users", user, "clients", key, last];
    Some(match action {
        Action::RevokeTokens => Write {
            priority: Priority::Containing,
            ..delete(
                "revoking a client's tokens",
                at::CLIENTS,
                below_client("tokens"),
            )
        },
        Action::RevokeGrants => delete(
            "revoking a client's consents",
            at::GRANTS,
            below_client("grants"),
        ),
        Action::RevokeRole => delete(
            "taking an administrative role",
            at::ROLES,
            vec!["users", user, "roles", key],
        ),
        Action::RemoveFactor => delete(
            "removing a factor",
            at::FACTORS,
            vec!["users", user, "factors", key],
        ),
        _ => return None,
    })
}

fn on_object<'a>(action: Action, user: &'a str, key: &'a str) -> Option<Write<'a>> {
    let of_user = |collection| vec![collection, key, "users", user];
    Some(match action {
        Action::RevokeApiToken => delete(
            "revoking an API token",
            at::API_TOKENS,
            vec!["api-tokens", key],
        ),
        Action::RemoveFromGroup => {
            delete("ending a group membership", at::MEMBERS, of_user("groups"))
        }
        Action::RemoveOwnership => delete(
            "ending an ownership",
            at::MEMBERS,
            vec!["groups", key, "owners", user],
        ),
        Action::UnassignApp => Write {
            query: &[("sendEmail", "false")],
            ..delete(
                "ending an application assignment",
                at::APP_USERS,
                of_user("apps"),
            )
        },
        Action::UnlinkIdentity => {
            delete("unlinking an identity provider", at::IDPS, of_user("idps"))
        }
        Action::DeactivateDevice => write(
            "deactivating a device",
            Method::POST,
            at::DEVICES,
            vec!["devices", key, "lifecycle", "deactivate"],
        ),
        Action::DeleteDevice => delete("deleting a device", at::DEVICES, vec!["devices", key]),
        _ => return None,
    })
}

fn delete<'a>(doing: &'static str, endpoint: Endpoint, path: Vec<&'a str>) -> Write<'a> {
    write(doing, Method::DELETE, endpoint, path)
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
        body: None,
        priority: Priority::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::EntitlementKind;
    use sever_provider::{Restores, Revokes};

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
    fn every_action_that_is_planned_has_a_call_that_names_its_account_or_target() {
        let declared = crate::capabilities::PEOPLE.iter().flat_map(|capability| {
            let revokes = match capability.revokes {
                Revokes::Call(action) => Some(action),
                Revokes::WithRule(_) | Revokes::Person | Revokes::Never => None,
            };
            let restores = match capability.restores {
                Restores::Call(action) | Restores::CallForDays(action, _) => Some(action),
                Restores::Never => None,
            };
            [revokes, restores]
        });
        for action in declared.flatten().chain([Action::SuspendAccount]) {
            let effect = effect(action);
            let write = of(&effect).expect("a declared action has a call");
            assert!(
                write.path.contains(&"00u1") || write.path.contains(&"key"),
                "{action}"
            );
        }
        assert!(of(&effect(Action::Leave)).is_none());
    }

    #[test]
    fn what_contains_goes_before_the_reserve() {
        for action in Action::ALL {
            let effect = effect(*action);
            let containing =
                of(&effect).is_some_and(|write| write.priority == Priority::Containing);
            let expected = matches!(
                action,
                Action::SuspendAccount | Action::RevokeSessions | Action::RevokeTokens
            );
            assert_eq!(containing, expected, "{action}");
        }
    }
}
