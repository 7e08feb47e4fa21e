//! Which call ends what: one write for each action on an integration.

use serde_json::{Value, json};
use sever_domain::Action;
use sever_provider::Effect;
use sever_provider::http::{Method, Priority};

use super::families::{GROUP, KEY, Object, PROVISIONING, SCOPE, SECRET, USER, server_of};
use super::object::collection;
use crate::org::endpoint as at;
use crate::writes::Write;

/// The call of an effect; `None` for an action that has none at Okta.
#[must_use]
pub fn of(effect: &Effect) -> Option<Write<'_>> {
    let (id, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    match effect.action {
        Action::DisableIntegration => Some(Write {
            priority: Priority::Containing,
            ..switch("deactivating the integration", id, "deactivate")
        }),
        Action::EnableIntegration => Some(switch("activating the integration", id, "activate")),
        Action::RevokeTokens => tokens(effect),
        Action::RevokeRole | Action::GrantRole => role(effect),
        Action::RevokePermission => permission(id, key),
        Action::GrantPermission => grant_permission(effect),
        Action::RemoveConsumer | Action::AddConsumer => consumer(effect),
        Action::RemoveSecret => secret(id, key),
        Action::RemoveHook | Action::RevokeApiToken => Some(object(key)),
        _ => None,
    }
}

fn tokens(effect: &Effect) -> Option<Write<'_>> {
    let doing = "revoking the application's tokens";
    let write = match server_of(&effect.target_key) {
        Some(server) => Write {
            endpoint: at::AUTHORIZATION_SERVERS,
            ..delete(
                doing,
                vec![
                    "authorizationServers",
                    server,
                    "clients",
                    effect.facts["client_id"].as_str()?,
                    "tokens",
                ],
            )
        },
        None => delete(doing, vec!["apps", &effect.account_id, "tokens"]),
    };
    Some(Write {
        priority: Priority::Containing,
        ..write
    })
}

/// The call that switches a secret or key off, which must come before it is deleted.
#[must_use]
pub fn switch_credential_off<'a>(id: &'a str, key: &'a str) -> Option<Write<'a>> {
    let (kind, credential) = credential(key)?;
    let path = vec![
        "apps",
        id,
        "credentials",
        kind,
        credential,
        "lifecycle",
        "deactivate",
    ];
    Some(post("switching a credential off", path))
}

fn credential(key: &str) -> Option<(&'static str, &str)> {
    let secret = key.strip_prefix(SECRET).map(|id| ("secrets", id));
    secret.or_else(|| key.strip_prefix(KEY).map(|id| ("jwks", id)))
}

fn secret<'a>(id: &'a str, key: &'a str) -> Option<Write<'a>> {
    let (kind, credential) = credential(key)?;
    let path = vec!["apps", id, "credentials", kind, credential];
    Some(delete("deleting a credential", path))
}

/// Applications and hooks have the same two lifecycle calls.
fn switch<'a>(doing: &'static str, id: &'a str, verb: &'a str) -> Write<'a> {
    let (collection, endpoint) = collection(Object::of(id));
    Write {
        endpoint,
        ..post(doing, vec![collection, id, "lifecycle", verb])
    }
}

fn object(id: &str) -> Write<'_> {
    let (collection, endpoint) = collection(Object::of(id));
    Write {
        endpoint,
        ..delete("deleting a hook or API token", vec![collection, id])
    }
}

fn role(effect: &Effect) -> Option<Write<'_>> {
    let client = effect.facts["client_id"].as_str()?;
    let write = if effect.action == Action::RevokeRole {
        let path = vec!["clients", client, "roles", effect.target_key.as_str()];
        delete("taking an administrative role of the application", path)
    } else {
        Write {
            body: Some(effect.facts["role"].clone()),
            ..post(
                "granting an administrative role to the application",
                vec!["clients", client, "roles"],
            )
        }
    };
    Some(Write {
        endpoint: at::CLIENT_ROLES,
        ..write
    })
}

fn permission<'a>(id: &'a str, key: &'a str) -> Option<Write<'a>> {
    if key == PROVISIONING {
        let path = vec![
            "apps",
            id,
            "connections",
            "default",
            "lifecycle",
            "deactivate",
        ];
        return Some(post("switching the application's provisioning off", path));
    }
    let grant = key.strip_prefix(SCOPE)?;
    let path = vec!["apps", id, "grants", grant];
    Some(delete("taking a scope from the application", path))
}

fn grant_permission(effect: &Effect) -> Option<Write<'_>> {
    let (id, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    if key == PROVISIONING {
        let path = vec![
            "apps",
            id,
            "connections",
            "default",
            "lifecycle",
            "activate",
        ];
        return Some(post("switching the application's provisioning on", path));
    }
    let scope = effect.facts["scope"].as_str()?;
    Some(Write {
        body: Some(json!({ "scopeId": scope, "issuer": effect.facts["issuer"] })),
        ..post(
            "granting a scope to the application",
            vec!["apps", id, "grants"],
        )
    })
}

fn consumer(effect: &Effect) -> Option<Write<'_>> {
    let (id, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    let removes = effect.action == Action::RemoveConsumer;
    let write = match (key.strip_prefix(GROUP), key.strip_prefix(USER), removes) {
        (Some(group), _, true) => delete(
            "taking a group's access to the application",
            vec!["apps", id, "groups", group],
        ),
        (Some(group), _, false) => Write {
            method: Method::PUT,
            body: Some(json!({})),
            ..post(
                "giving a group access to the application",
                vec!["apps", id, "groups", group],
            )
        },
        (None, Some(user), true) => Write {
            query: &[("sendEmail", "false")],
            ..delete(
                "taking a user's access to the application",
                vec!["apps", id, "users", user],
            )
        },
        (None, Some(user), false) => Write {
            body: Some(json!({ "id": user, "scope": "USER" })),
            ..post(
                "giving a user access to the application",
                vec!["apps", id, "users"],
            )
        },
        (None, None, _) => return None,
    };
    Some(Write {
        endpoint: at::APP_USERS,
        ..write
    })
}

fn post<'a>(doing: &'static str, path: Vec<&'a str>) -> Write<'a> {
    Write {
        doing,
        method: Method::POST,
        endpoint: at::APP_PARTS,
        path,
        query: &[],
        body: None::<Value>,
        priority: Priority::Ordinary,
    }
}

fn delete<'a>(doing: &'static str, path: Vec<&'a str>) -> Write<'a> {
    Write {
        method: Method::DELETE,
        ..post(doing, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::EntitlementKind;
    use sever_provider::{Restores, Revokes};

    use crate::integrations::capabilities::INTEGRATIONS;

    fn effect(action: Action, id: &str, key: &str) -> Effect {
        Effect {
            action,
            account_id: id.to_owned(),
            target_kind: EntitlementKind::Account,
            target_key: key.to_owned(),
            facts: json!({ "client_id": "0oa1", "role": { "type": "APP_ADMIN" }, "scope": "okta.users.read" }),
        }
    }

    #[test]
    fn every_write_names_its_object() {
        for (action, id, key, expected) in [
            (
                Action::DisableIntegration,
                "0oa1",
                "0oa1",
                "POST apps/0oa1/lifecycle/deactivate",
            ),
            (
                Action::DisableIntegration,
                "who1",
                "who1",
                "POST eventHooks/who1/lifecycle/deactivate",
            ),
            (
                Action::EnableIntegration,
                "cal1",
                "cal1",
                "POST inlineHooks/cal1/lifecycle/activate",
            ),
            (
                Action::RevokeTokens,
                "0oa1",
                "refresh_tokens",
                "DELETE apps/0oa1/tokens",
            ),
            (
                Action::RevokeTokens,
                "0oa1",
                "server:aus1",
                "DELETE authorizationServers/aus1/clients/0oa1/tokens",
            ),
            (
                Action::RevokeTokens,
                "0oa1",
                "server_after_deactivation:aus1",
                "DELETE authorizationServers/aus1/clients/0oa1/tokens",
            ),
            (
                Action::RevokeRole,
                "0oa1",
                "irb1",
                "DELETE clients/0oa1/roles/irb1",
            ),
            (Action::GrantRole, "0oa1", "irb1", "POST clients/0oa1/roles"),
            (
                Action::RevokePermission,
                "0oa1",
                "scope:oag1",
                "DELETE apps/0oa1/grants/oag1",
            ),
            (
                Action::RevokePermission,
                "0oa1",
                "provisioning",
                "POST apps/0oa1/connections/default/lifecycle/deactivate",
            ),
            (
                Action::GrantPermission,
                "0oa1",
                "scope:oag1",
                "POST apps/0oa1/grants",
            ),
            (
                Action::RemoveConsumer,
                "0oa1",
                "group:00g1",
                "DELETE apps/0oa1/groups/00g1",
            ),
            (
                Action::RemoveConsumer,
                "0oa1",
                "user:00u1",
                "DELETE apps/0oa1/users/00u1",
            ),
            (
                Action::AddConsumer,
                "0oa1",
                "group:00g1",
                "PUT apps/0oa1/groups/00g1",
            ),
            (
                Action::AddConsumer,
                "0oa1",
                "user:00u1",
                "POST apps/0oa1/users",
            ),
            (
                Action::RemoveSecret,
                "0oa1",
                "secret:ocs1",
                "DELETE apps/0oa1/credentials/secrets/ocs1",
            ),
            (
                Action::RemoveSecret,
                "0oa1",
                "key:pks1",
                "DELETE apps/0oa1/credentials/jwks/pks1",
            ),
            (Action::RemoveHook, "who1", "who1", "DELETE eventHooks/who1"),
            (
                Action::RevokeApiToken,
                "00T1",
                "00T1",
                "DELETE api-tokens/00T1",
            ),
        ] {
            let effect = effect(action, id, key);
            let write = of(&effect).expect("a planned action has a call");
            assert_eq!(
                format!("{} {}", write.method, write.path.join("/")),
                expected
            );
        }
        assert!(of(&effect(Action::Leave, "0oa1", "x")).is_none());
        assert!(
            of(&effect(Action::RemoveConsumer, "0oa1", "00u1")).is_none(),
            "without a prefix"
        );
    }

    #[test]
    fn every_declared_action_has_a_call() {
        let declared = INTEGRATIONS.iter().flat_map(|capability| {
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
        for action in declared.flatten() {
            let any = ["scope:1", "secret:1", "group:1"];
            let has = |key: &&str| of(&effect(action, "0oa1", key)).is_some();
            assert!(any.iter().any(has), "{action}");
        }
    }
}
