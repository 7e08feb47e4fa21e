//! Which call ends what, or brings it back: one write for each action.

use serde_json::{Value, json};
use sever_domain::{Action, EntitlementKind as Kind};
use sever_provider::Effect;
use sever_provider::http::{Method, Priority};

use crate::edge::{Edge, Holder};
use crate::families::ownerships::owned;
use crate::families::roles::APP_SCOPE;
use crate::families::secrets::{Credential, credential};
use crate::families::term;
use crate::place::{Place, Requests};
use crate::tenant::Write;

/// Why a request of Privileged Identity Management is made.
pub const JUSTIFICATION: &str = "Access is removed by Sever.";
/// Why one is made that gives something back.
pub const JUSTIFICATION_BACK: &str = "Access is restored by Sever.";

/// The call of an effect; `None` for an action that has none at Graph, or whose facts do not name what it needs.
#[must_use]
pub fn of(effect: &Effect) -> Option<Write<'_>> {
    on_account(effect)
        .or_else(|| on_integration(effect))
        .or_else(|| on_holding(effect))
        .or_else(|| on_role(effect))
        .or_else(|| on_relation(effect))
        .or_else(|| on_assignment(effect))
        .or_else(|| on_credential(effect))
}

fn on_account(effect: &Effect) -> Option<Write<'_>> {
    let id = effect.account_id.as_str();
    Some(match effect.action {
        Action::SuspendAccount => Write {
            priority: Priority::Containing,
            ..patch(
                "disabling the account",
                "user",
                Place::User(id),
                enabled(false),
            )
        },
        Action::RevokeSessions => Write {
            priority: Priority::Containing,
            ..post(
                "ending the account's sessions",
                "sessions",
                Place::SessionRevocation(id),
                None,
            )
        },
        Action::DeleteAccount => delete("deleting the account", "user", Place::User(id)),
        Action::ReinstateAccount => patch(
            "enabling the account",
            "user",
            Place::User(id),
            enabled(true),
        ),
        _ => return None,
    })
}

fn on_integration(effect: &Effect) -> Option<Write<'_>> {
    let id = effect.account_id.as_str();
    Some(match effect.action {
        Action::DisableIntegration => Write {
            priority: Priority::Containing,
            ..patch(
                "disabling the application",
                "service_principal",
                Place::ServicePrincipal(id),
                enabled(false),
            )
        },
        Action::EnableIntegration => patch(
            "enabling the application",
            "service_principal",
            Place::ServicePrincipal(id),
            enabled(true),
        ),
        _ => return None,
    })
}

fn on_holding(effect: &Effect) -> Option<Write<'_>> {
    let (id, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    Some(match effect.action {
        Action::DeactivateDevice => patch(
            "disabling a device",
            "device",
            Place::Device(key),
            enabled(false),
        ),
        Action::ActivateDevice => patch(
            "enabling a device",
            "device",
            Place::Device(key),
            enabled(true),
        ),
        Action::RemoveFactor => {
            let collection = fact(effect, "collection")?;
            delete(
                "removing an authentication method",
                "methods",
                Place::Method(id, collection, key),
            )
        }
        Action::RevokeLicence => licence(
            "taking a licence",
            id,
            &json!([]),
            &json!([fact(effect, "sku")?]),
        ),
        Action::AssignLicence => {
            let plans = effect.facts["disabled_plans"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let add = json!([{ "skuId": fact(effect, "sku")?, "disabledPlans": plans }]);
            licence("assigning a licence", id, &add, &json!([]))
        }
        _ => return None,
    })
}

fn enabled(enabled: bool) -> Value {
    json!({ "accountEnabled": enabled })
}

fn licence<'a>(doing: &'static str, id: &'a str, add: &Value, remove: &Value) -> Write<'a> {
    let body = json!({ "addLicenses": add, "removeLicenses": remove });
    post(doing, "licences", Place::LicenceAssignment(id), Some(body))
}

fn on_role(effect: &Effect) -> Option<Write<'_>> {
    let id = effect.account_id.as_str();
    let scheduled = effect.facts["scheduled"] == true;
    let of_role = |action: &str, why: &str| {
        let body = json!({
            "action": action, "principalId": id, "roleDefinitionId": fact(effect, "role")?, "justification": why,
            "scheduleInfo": term::schedule_info(&effect.facts),
        });
        in_scope(effect, body)
    };
    Some(match effect.action {
        Action::RevokeRole if scheduled => request(
            "taking a directory role",
            Requests::ActiveRole,
            of_role("adminRemove", JUSTIFICATION)?,
        ),
        Action::RevokeRole => {
            let assignment = fact(effect, "assignment")?;
            delete(
                "taking a directory role",
                "roles",
                Place::RoleAssignment(assignment),
            )
        }
        Action::GrantRole if scheduled => request(
            "granting a directory role",
            Requests::ActiveRole,
            of_role("adminAssign", JUSTIFICATION_BACK)?,
        ),
        Action::GrantRole => {
            let body = json!({
                "@odata.type": "#microsoft.graph.unifiedRoleAssignment", "principalId": id,
                "roleDefinitionId": fact(effect, "role")?,
            });
            post(
                "granting a directory role",
                "roles",
                Place::RoleAssignments,
                Some(in_scope(effect, body)?),
            )
        }
        Action::RevokeEligibleRole => eligible(effect, "adminRemove", JUSTIFICATION, of_role)?,
        Action::GrantEligibleRole => eligible(effect, "adminAssign", JUSTIFICATION_BACK, of_role)?,
        _ => return None,
    })
}

/// Adds the scope in the member that it was read from: Graph takes one of the two, and compares it with the schedule's.
fn in_scope(effect: &Effect, mut body: Value) -> Option<Value> {
    let member = if effect.facts[APP_SCOPE] == true {
        "appScopeId"
    } else {
        "directoryScopeId"
    };
    body[member] = json!(fact(effect, "scope")?);
    Some(body)
}

/// What can be activated is a directory role or a group.
fn eligible<'a>(
    effect: &Effect,
    action: &str,
    why: &str,
    of_role: impl Fn(&str, &str) -> Option<Value>,
) -> Option<Write<'a>> {
    let doing = "changing what can be activated";
    Some(match fact(effect, "group") {
        Some(group) => request(
            doing,
            Requests::EligibleGroup,
            of_group(effect, action, group, fact(effect, "access")?, why),
        ),
        None => request(doing, Requests::EligibleRole, of_role(action, why)?),
    })
}

fn of_group(effect: &Effect, action: &str, group: &str, access: &str, why: &str) -> Value {
    json!({
        "action": action, "principalId": effect.account_id, "groupId": group, "accessId": access, "justification": why,
        "scheduleInfo": term::schedule_info(&effect.facts),
    })
}

fn on_relation(effect: &Effect) -> Option<Write<'_>> {
    let (id, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    let scheduled = effect.facts["scheduled"] == true;
    let by_schedule = |action: &str, group: &str, access: &str, why: &str| {
        request(
            "changing a scheduled relation to a group",
            Requests::ActiveGroup,
            of_group(effect, action, group, access, why),
        )
    };
    Some(match effect.action {
        Action::RemoveFromGroup if scheduled => {
            by_schedule("adminRemove", key, "member", JUSTIFICATION)
        }
        Action::RemoveFromGroup => delete(
            "ending a group membership",
            "members",
            Place::Edge(Edge::member(key, id)),
        ),
        Action::AddToGroup if scheduled => {
            by_schedule("adminAssign", key, "member", JUSTIFICATION_BACK)
        }
        Action::AddToGroup => addition("adding to a group", Edge::member(key, id)),
        Action::RemoveOwnership => match owned(key)? {
            (Holder::Group, group) if scheduled => {
                by_schedule("adminRemove", group, "owner", JUSTIFICATION)
            }
            (holder, object) => delete(
                "ending an ownership",
                "owners",
                Place::Edge(Edge::owner(holder, object, id)),
            ),
        },
        Action::AddOwnership => match owned(key)? {
            (Holder::Group, group) if scheduled => {
                by_schedule("adminAssign", group, "owner", JUSTIFICATION_BACK)
            }
            (holder, object) => addition("making an owner", Edge::owner(holder, object, id)),
        },
        _ => return None,
    })
}

/// The call that makes a relation; its body is the tenant's to make.
#[must_use]
pub fn addition<'a>(doing: &'static str, edge: Edge<'a>) -> Write<'a> {
    post(doing, "members", Place::EdgeToBe(edge), None)
}

fn on_assignment(effect: &Effect) -> Option<Write<'_>> {
    let of = |name: &str| fact(effect, name);
    Some(match effect.action {
        Action::UnassignApp | Action::RevokePermission | Action::RemoveConsumer => {
            let place = Place::AppRoleAssignment(of("resource")?, of("assignment")?);
            delete("ending an application assignment", "app_roles", place)
        }
        Action::AssignApp | Action::GrantPermission | Action::AddConsumer => {
            let body = json!({
                "principalId": of("principal")?, "resourceId": of("resource")?, "appRoleId": of("app_role")?,
            });
            let place = Place::AppRoleAssignments(of("resource")?);
            post("assigning an application", "app_roles", place, Some(body))
        }
        Action::RevokeGrants => delete("revoking a grant", "grants", Place::Grant(of("grant")?)),
        Action::RestoreGrants => {
            let mut body = json!({
                "clientId": of("client")?, "consentType": of("consent")?, "resourceId": of("resource")?, "scope": of("scope")?,
            });
            if let Some(principal) = of("principal") {
                body["principalId"] = json!(principal);
            }
            post("restoring a grant", "grants", Place::Grants, Some(body))
        }
        _ => return None,
    })
}

fn on_credential(effect: &Effect) -> Option<Write<'_>> {
    if effect.action != Action::RemoveSecret || effect.target_kind != Kind::Secret {
        return None;
    }
    let object = fact(effect, "object")?;
    Some(match credential(&effect.target_key)? {
        Credential::Password(holder, key_id) => {
            let body = json!({ "keyId": key_id });
            post(
                "removing a secret",
                "secrets",
                Place::PasswordRemoval(holder, object),
                Some(body),
            )
        }
        // Keys are replaced all at once; as all of them go, no other has to be sent back, and the order does not matter.
        Credential::Key(holder, _) => {
            let place = match holder {
                Holder::Application => Place::Application(object),
                Holder::ServicePrincipal => Place::ServicePrincipal(object),
                Holder::Group => return None,
            };
            patch(
                "removing all keys",
                "secrets",
                place,
                json!({ "keyCredentials": [] }),
            )
        }
        Credential::Federated(id) => delete(
            "removing a federated credential",
            "secrets",
            Place::Federated(object, id),
        ),
    })
}

fn fact<'a>(effect: &'a Effect, name: &str) -> Option<&'a str> {
    effect.facts[name].as_str().filter(|text| !text.is_empty())
}

fn request<'a>(doing: &'static str, requests: Requests, body: Value) -> Write<'a> {
    post(doing, "pim_requests", Place::Requests(requests), Some(body))
}

fn delete<'a>(doing: &'static str, family: &'static str, place: Place<'a>) -> Write<'a> {
    write(doing, family, Method::DELETE, place, None)
}

fn patch<'a>(
    doing: &'static str,
    family: &'static str,
    place: Place<'a>,
    body: Value,
) -> Write<'a> {
    write(doing, family, Method::PATCH, place, Some(body))
}

/// A call that posts.
#[must_use]
pub fn post<'a>(
    doing: &'static str,
    family: &'static str,
    place: Place<'a>,
    body: Option<Value>,
) -> Write<'a> {
    write(doing, family, Method::POST, place, body)
}

fn write<'a>(
    doing: &'static str,
    family: &'static str,
    method: Method,
    place: Place<'a>,
    body: Option<Value>,
) -> Write<'a> {
    Write {
        doing,
        family,
        method,
        place,
        body,
        priority: Priority::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_provider::{Restores, Revokes};

    fn effect(action: Action, kind: Kind, key: &str) -> Effect {
        Effect {
            action,
            account_id: "id".into(),
            target_kind: kind,
            target_key: key.into(),
            facts: json!({
                "collection": "fido2Methods", "sku": "s", "role": "r", "scope": "/", "assignment": "a", "resource": "res",
                "app_role": "ar", "principal": "id", "grant": "g", "client": "c", "consent": "Principal", "object": "o",
            }),
        }
    }

    #[test]
    fn every_declared_action_has_a_call() {
        let declared = crate::capabilities::PEOPLE
            .iter()
            .chain(crate::capabilities::INTEGRATIONS);
        for capability in declared {
            let revokes = match capability.revokes {
                Revokes::Call(action) => Some(action),
                Revokes::WithRule(_) | Revokes::Person | Revokes::Never => None,
            };
            let restores = match capability.restores {
                Restores::Call(action) | Restores::CallForDays(action, _) => Some(action),
                Restores::Never => None,
            };
            let key = match capability.family {
                Kind::Ownership => "groups:g",
                Kind::Secret => "federated:f",
                _ => "key",
            };
            for action in [revokes, restores].into_iter().flatten() {
                let effect = effect(action, capability.family, key);
                // Azure's calls are not Graph's.
                let azure = capability.family == Kind::ResourceRole;
                assert_eq!(of(&effect).is_some(), !azure, "{action}");
            }
        }
        assert!(of(&effect(Action::Leave, Kind::Group, "g")).is_none());
    }

    #[test]
    fn a_role_is_asked_for_in_the_member_that_its_scope_was_read_from() {
        for scheduled in [true, false] {
            for (action, kind) in [
                (Action::RevokeRole, Kind::Role),
                (Action::GrantRole, Kind::Role),
                (Action::RevokeEligibleRole, Kind::EligibleRole),
                (Action::GrantEligibleRole, Kind::EligibleRole),
            ] {
                let mut effect = effect(action, kind, "r|app:/");
                effect.facts["scheduled"] = json!(scheduled);
                effect.facts["scope"] = json!("/scope");
                let in_directory = of(&effect).unwrap().body;
                effect.facts[APP_SCOPE] = json!(true);
                let Some(of_app) = of(&effect).unwrap().body else {
                    // An assignment is deleted by its own id.
                    assert!(action == Action::RevokeRole && !scheduled);
                    continue;
                };
                assert_eq!(of_app["appScopeId"], "/scope", "{action}");
                assert_eq!(of_app.get("directoryScopeId"), None, "{action}");
                let in_directory = in_directory.unwrap();
                assert_eq!(in_directory["directoryScopeId"], "/scope", "{action}");
                assert_eq!(in_directory.get("appScopeId"), None, "{action}");
            }
        }
    }

    #[test]
    fn what_a_schedule_holds_is_ended_by_a_request() {
        for (action, kind, key) in [
            (Action::RevokeRole, Kind::Role, "r|/"),
            (Action::RemoveFromGroup, Kind::Group, "g"),
            (Action::RemoveOwnership, Kind::Ownership, "groups:g"),
        ] {
            let mut effect = effect(action, kind, key);
            assert!(
                !matches!(of(&effect).unwrap().place, Place::Requests(_)),
                "{action}"
            );
            effect.facts["scheduled"] = json!(true);
            let write = of(&effect).unwrap();
            assert!(matches!(write.place, Place::Requests(_)), "{action}");
            assert_eq!(write.body.unwrap()["action"], "adminRemove");
        }
    }

    #[test]
    fn facts_that_lack_what_a_call_needs_give_no_call() {
        let mut effect = effect(Action::UnassignApp, Kind::AppAssignment, "k");
        effect.facts["assignment"] = Value::Null;
        assert!(of(&effect).is_none());
    }

    #[test]
    fn what_contains_goes_before_the_reserve() {
        for action in [
            Action::SuspendAccount,
            Action::RevokeSessions,
            Action::DisableIntegration,
        ] {
            let effect = effect(action, Kind::Account, "id");
            assert_eq!(of(&effect).unwrap().priority, Priority::Containing);
        }
    }
}
