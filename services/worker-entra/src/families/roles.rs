//! Directory roles: active ones with and without a schedule, and those that can be activated, of roles and of groups.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use super::term::{self, Term};
use crate::tenant::Ask;

/// The read of a principal's active roles.
#[must_use]
pub fn ask(id: &str) -> Ask {
    of_directory("reading the account's roles", "roleAssignments", id)
}

/// The read of the schedules of active roles.
#[must_use]
pub fn ask_schedules(id: &str) -> Ask {
    of_directory(
        "reading the account's role schedules",
        "roleAssignmentSchedules",
        id,
    )
}

/// The read of the roles that a principal may activate.
#[must_use]
pub fn ask_eligible(id: &str) -> Ask {
    of_directory(
        "reading the account's eligible roles",
        "roleEligibilitySchedules",
        id,
    )
}

/// The read of the groups that a principal may activate.
#[must_use]
pub fn ask_eligible_groups(id: &str) -> Ask {
    let path = [
        "identityGovernance",
        "privilegedAccess",
        "group",
        "eligibilitySchedules",
    ];
    Ask::new("reading the account's eligible groups", "pim_groups", &path).of_principal(id)
}

fn of_directory(doing: &'static str, collection: &str, id: &str) -> Ask {
    Ask::new(doing, "roles", &["roleManagement", "directory", collection]).of_principal(id)
}

/// The active roles: one entitlement for a role and scope, whichever of the two lists shows it.
#[must_use]
pub fn active(assignments: &[Value], schedules: &[Value], principal_id: &str) -> Vec<Entitlement> {
    let mut held: Vec<Entitlement> = Vec::new();
    for (items, scheduled) in [(assignments, false), (schedules, true)] {
        for item in items.iter().filter(|item| is_direct(item, principal_id)) {
            let key = key_of(item);
            match held.iter_mut().find(|known| known.provider_key == key) {
                // A schedule that lasts counts more than the activation of the same role.
                Some(known) if scheduled && is_better(known) => {
                    known.facts["scheduled"] = json!(true);
                    term::note(&mut known.facts, item);
                }
                Some(_) => {}
                None => held.push(role(EntitlementKind::Role, item, scheduled)),
            }
        }
    }
    held
}

/// What can be activated: directory roles, memberships, ownerships.
#[must_use]
pub fn eligible(roles: &[Value], groups: &[Value], principal_id: &str) -> Vec<Entitlement> {
    let roles = roles.iter().filter(|item| is_direct(item, principal_id));
    let groups = groups.iter().filter(|item| is_direct(item, principal_id));
    roles
        .map(|item| role(EntitlementKind::EligibleRole, item, true))
        .chain(groups.map(eligible_group))
        .collect()
}

/// Whether the next schedule of the same role and scope says more than what is known of it.
fn is_better(known: &Entitlement) -> bool {
    known.facts["scheduled"] != true || term::of(&known.facts) == Term::Activated
}

fn role(kind: EntitlementKind, item: &Value, scheduled: bool) -> Entitlement {
    let mut facts = json!({
        "role": item["roleDefinitionId"],
        "scope": scope_of(item).0,
        "assignment": if scheduled { Value::Null } else { item["id"].clone() },
        "scheduled": scheduled,
    });
    if scope_of(item).1 {
        facts[APP_SCOPE] = json!(true);
    }
    if scheduled {
        term::note(&mut facts, item);
    }
    Entitlement {
        kind,
        provider_key: key_of(item),
        privileged: true,
        facts,
    }
}

fn eligible_group(item: &Value) -> Entitlement {
    let (group, access) = (text(item, "groupId"), text(item, "accessId"));
    let mut facts = json!({ "group": group, "access": access });
    term::note(&mut facts, item);
    Entitlement {
        kind: EntitlementKind::EligibleRole,
        provider_key: format!("group:{group}|{access}"),
        privileged: true,
        facts,
    }
}

/// Only what hangs on the principal itself can be taken from it; the rest goes with the group that gives it.
fn is_direct(item: &Value, principal_id: &str) -> bool {
    let member_type = text(item, "memberType");
    text(item, "principalId") == principal_id
        && (member_type.is_empty() || member_type.eq_ignore_ascii_case("direct"))
}

/// The same for an assignment, a schedule and what a restore makes.
fn key_of(item: &Value) -> String {
    match text(item, "roleDefinitionId") {
        "" => String::new(),
        role => match scope_of(item) {
            (scope, false) => format!("{role}|{scope}"),
            (scope, true) => format!("{role}|app:{scope}"),
        },
    }
}

/// The fact of a role whose scope is of an application and not of the directory: a request names it in another member.
pub const APP_SCOPE: &str = "app_scope";

/// The scope, and whether it is of an application.
fn scope_of(item: &Value) -> (&str, bool) {
    match (text(item, "directoryScopeId"), text(item, "appScopeId")) {
        ("", "") => ("/", false),
        ("", app) => (app, true),
        (directory, _) => (directory, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(principal: &str, role: &str, more: Value) -> Value {
        let mut item = json!({"id": format!("id-{role}"), "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"});
        for (name, value) in more.as_object().unwrap() {
            item[name] = value.clone();
        }
        item
    }

    #[test]
    fn an_assignment_and_its_schedule_are_one_entitlement() {
        let assignments = [item("u", "a", json!({})), item("u", "b", json!({}))];
        let schedules = [
            item("u", "b", json!({"memberType": "Direct"})),
            item("u", "c", json!({"memberType": "Direct"})),
            item("u", "d", json!({"memberType": "Group"})),
        ];
        let held = active(&assignments, &schedules, "u");
        let seen: Vec<(&str, bool, bool)> = held
            .iter()
            .map(|held| {
                let scheduled = held.facts["scheduled"] == true;
                (
                    held.provider_key.as_str(),
                    scheduled,
                    held.facts["assignment"].is_string(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a|/", false, true),
                ("b|/", true, true),
                ("c|/", true, false)
            ]
        );
    }

    #[test]
    fn a_role_in_an_applications_scope_is_another_than_the_same_in_the_directory() {
        let of_app = json!({ "directoryScopeId": null, "appScopeId": "/" });
        let schedules = [item("u", "a", json!({})), item("u", "a", of_app)];
        let held = active(&[], &schedules, "u");
        let seen: Vec<(&str, &Value, &Value)> = held
            .iter()
            .map(|held| {
                let facts = &held.facts;
                (
                    held.provider_key.as_str(),
                    &facts["scope"],
                    &facts[APP_SCOPE],
                )
            })
            .collect();
        let (root, unset, set) = (json!("/"), Value::Null, json!(true));
        assert_eq!(seen, [("a|/", &root, &unset), ("a|app:/", &root, &set)]);
    }

    #[test]
    fn a_server_that_ignores_the_filter_gives_nobody_elses_roles() {
        let everybody = [item("u", "a", json!({})), item("other", "b", json!({}))];
        assert_eq!(active(&everybody, &everybody, "u").len(), 1);
        let groups = [json!({"principalId": "other", "groupId": "g", "accessId": "member"})];
        assert_eq!(eligible(&everybody, &groups, "u").len(), 1);
    }
}
