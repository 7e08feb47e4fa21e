//! Authentication methods.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::tenant::Ask;

/// Types of methods and the collections from which they are deleted (CSDL, `authentication`).
const COLLECTIONS: [(&str, &str); 9] = [
    ("phoneAuthenticationMethod", "phoneMethods"),
    (
        "microsoftAuthenticatorAuthenticationMethod",
        "microsoftAuthenticatorMethods",
    ),
    ("fido2AuthenticationMethod", "fido2Methods"),
    ("softwareOathAuthenticationMethod", "softwareOathMethods"),
    ("emailAuthenticationMethod", "emailMethods"),
    (
        "temporaryAccessPassAuthenticationMethod",
        "temporaryAccessPassMethods",
    ),
    (
        "windowsHelloForBusinessAuthenticationMethod",
        "windowsHelloForBusinessMethods",
    ),
    (
        "platformCredentialAuthenticationMethod",
        "platformCredentialMethods",
    ),
    (
        "externalAuthenticationMethod",
        "externalAuthenticationMethods",
    ),
];

/// The read.
#[must_use]
pub fn ask(user_id: &str) -> Ask {
    let path = ["users", user_id, "authentication", "methods"];
    Ask::new(
        "reading the account's authentication methods",
        "methods",
        &path,
    )
}

/// The methods. A password is one that no call deletes.
#[must_use]
pub fn entitlements(items: &[Value]) -> Vec<Entitlement> {
    items
        .iter()
        .map(|item| {
            let kind = text(item, "@odata.type").trim_start_matches("#microsoft.graph.");
            let collection = COLLECTIONS.iter().find(|(known, _)| *known == kind);
            Entitlement {
                kind: EntitlementKind::Factor,
                provider_key: text(item, "id").to_owned(),
                privileged: false,
                facts: json!({ "type": kind, "collection": collection.map(|(_, collection)| collection) }),
            }
        })
        .collect()
}

/// Whether a call can delete it.
#[must_use]
pub fn is_deletable(entitlement: &Entitlement) -> bool {
    entitlement.facts["collection"].is_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_and_a_new_type_have_no_collection() {
        let items = [
            "fido2AuthenticationMethod",
            "passwordAuthenticationMethod",
            "somethingNew",
        ]
        .map(|kind| json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": kind}));
        let held = entitlements(&items);
        assert_eq!(
            held.iter().map(is_deletable).collect::<Vec<_>>(),
            [true, false, false]
        );
    }
}
