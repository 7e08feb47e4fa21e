//! App role assignments: what a principal may use, and who may use an application.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::tenant::Ask;

/// The read of what a principal was given; `collection` is `users` or `servicePrincipals`.
#[must_use]
pub fn ask(collection: &str, id: &str) -> Ask {
    let path = [collection, id, "appRoleAssignments"];
    Ask::new("reading the account's applications", "app_roles", &path).with("$top", "999")
}

/// The read of who was given an application.
#[must_use]
pub fn ask_consumers(id: &str) -> Ask {
    let path = ["servicePrincipals", id, "appRoleAssignedTo"];
    Ask::new("reading who may use the application", "app_roles", &path).with("$top", "999")
}

/// A person's applications. The list shows those of the person's direct groups too: they go with the group.
#[must_use]
pub fn of_person(items: &[Value], user_id: &str) -> Vec<Entitlement> {
    items
        .iter()
        .map(|item| {
            let own = text(item, "principalId") == user_id
                && text(item, "principalType").eq_ignore_ascii_case("user");
            let key = match own {
                true => end_key(item, "resourceId"),
                false => format!(
                    "{}@{}",
                    end_key(item, "resourceId"),
                    text(item, "principalId")
                ),
            };
            entitlement(EntitlementKind::AppAssignment, key, item, own)
        })
        .collect()
}

/// The permissions that an application holds elsewhere.
#[must_use]
pub fn of_application(items: &[Value], id: &str) -> Vec<Entitlement> {
    let own = items.iter().filter(|item| text(item, "principalId") == id);
    own.map(|item| {
        let key = end_key(item, "resourceId");
        entitlement(EntitlementKind::Permission, key, item, true)
    })
    .collect()
}

/// Who may use an application.
#[must_use]
pub fn consumers(items: &[Value], id: &str) -> Vec<Entitlement> {
    let here = items.iter().filter(|item| text(item, "resourceId") == id);
    here.map(|item| {
        let key = end_key(item, "principalId");
        entitlement(EntitlementKind::Consumer, key, item, true)
    })
    .collect()
}

/// Whether a group gives it.
#[must_use]
pub fn is_inherited(entitlement: &Entitlement) -> bool {
    entitlement.facts["own"] == false
}

fn entitlement(kind: EntitlementKind, key: String, item: &Value, own: bool) -> Entitlement {
    Entitlement {
        kind,
        provider_key: key,
        privileged: kind == EntitlementKind::Permission,
        facts: json!({
            "assignment": item["id"],
            "resource": item["resourceId"],
            "resource_name": item["resourceDisplayName"],
            "app_role": item["appRoleId"],
            "principal": item["principalId"],
            "principal_type": item["principalType"],
            "own": own,
        }),
    }
}

/// The other end and the role: the same again when a restore makes the assignment anew.
fn end_key(item: &Value, end: &str) -> String {
    match text(item, end) {
        "" => String::new(),
        id => format!("{id}|{}", text(item, "appRoleId")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(principal: &str, kind: &str, resource: &str) -> Value {
        json!({"id": format!("{principal}-{resource}"), "principalId": principal, "principalType": kind, "resourceId": resource, "appRoleId": "r"})
    }

    #[test]
    fn what_a_group_gives_is_told_from_what_is_the_persons_own() {
        let items = [
            item("u", "User", "a"),
            item("g", "Group", "a"),
            item("u", "User", "b"),
        ];
        let held = of_person(&items, "u");
        let seen: Vec<(&str, bool)> = held
            .iter()
            .map(|held| (held.provider_key.as_str(), is_inherited(held)))
            .collect();
        assert_eq!(seen, [("a|r", false), ("a|r@g", true), ("b|r", false)]);
    }

    #[test]
    fn both_ends_of_an_application_are_matched_locally() {
        let items = [
            item("sp", "ServicePrincipal", "graph"),
            item("u", "User", "sp"),
            item("u", "User", "other"),
        ];
        assert_eq!(of_application(&items, "sp").len(), 1);
        assert_eq!(consumers(&items, "sp").len(), 1);
    }
}
