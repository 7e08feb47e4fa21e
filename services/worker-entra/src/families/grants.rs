//! Delegated permission grants: of a person to clients, of a client over people.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::tenant::Ask;

/// The read of a person's own grants, or of those where a service principal is the client.
#[must_use]
pub fn ask(collection: &str, id: &str) -> Ask {
    let path = [collection, id, "oauth2PermissionGrants"];
    Ask::new("reading the account's grants", "grants", &path)
}

/// A person's grants; those for everybody are no person's.
#[must_use]
pub fn of_person(items: &[Value], user_id: &str) -> Vec<Entitlement> {
    let own = items
        .iter()
        .filter(|item| text(item, "principalId") == user_id);
    own.map(|item| entitlement(item, &["clientId", "resourceId"]))
        .collect()
}

/// The grants of a client.
#[must_use]
pub fn of_client(items: &[Value], id: &str) -> Vec<Entitlement> {
    let own = items.iter().filter(|item| text(item, "clientId") == id);
    own.map(|item| entitlement(item, &["resourceId", "principalId"]))
        .collect()
}

/// There is one grant for two ends and a principal, so that the key is the same when a restore makes it anew.
fn entitlement(item: &Value, ends: &[&str; 2]) -> Entitlement {
    let [first, second] = ends.map(|end| match text(item, end) {
        "" => "*",
        id => id,
    });
    Entitlement {
        kind: EntitlementKind::Grant,
        provider_key: format!("{first}|{second}"),
        // An administrator consented for everybody.
        privileged: text(item, "consentType").eq_ignore_ascii_case("AllPrincipals"),
        facts: json!({
            "grant": item["id"],
            "client": item["clientId"],
            "resource": item["resourceId"],
            "consent": item["consentType"],
            "principal": item["principalId"],
            "scope": item["scope"],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_belong_to_their_person_or_client() {
        let items = [
            json!({"id": "1", "clientId": "c", "resourceId": "r", "principalId": "u", "consentType": "Principal"}),
            json!({"id": "2", "clientId": "c", "resourceId": "r", "principalId": null, "consentType": "AllPrincipals"}),
            json!({"id": "3", "clientId": "d", "resourceId": "r", "principalId": "v", "consentType": "Principal"}),
        ];
        let keys = |held: Vec<Entitlement>| -> Vec<String> {
            held.into_iter().map(|held| held.provider_key).collect()
        };
        assert_eq!(keys(of_person(&items, "u")), ["c|r"]);
        assert_eq!(keys(of_client(&items, "c")), ["r|u", "r|*"]);
        let privileged = of_client(&items, "c")
            .into_iter()
            .map(|held| held.privileged);
        assert_eq!(privileged.collect::<Vec<_>>(), [false, true]);
    }
}
