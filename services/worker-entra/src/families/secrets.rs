//! Secrets, keys and federated credentials of an application: of its registration, where it is ours, and of its service
//! principal.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::edge::Holder;

/// What kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// A secret: holder, its `keyId`.
    Password(Holder, &'a str),
    /// A certificate: holder, its `keyId`.
    Key(Holder, &'a str),
    /// A federated credential of the registration.
    Federated(&'a str),
}

/// The secrets and keys of one object.
#[must_use]
pub fn of_object(object: &Value, holder: Holder) -> Vec<Entitlement> {
    let of = |member: &str, word: &str| -> Vec<Entitlement> {
        let items = object[member].as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .map(|item| {
                let key = format!("{word}:{}:{}", holder.collection(), text(item, "keyId"));
                entitlement(key, item, object)
            })
            .collect()
    };
    let mut held = of("passwordCredentials", "password");
    held.extend(of("keyCredentials", "key"));
    held
}

/// The federated credentials of a registration.
#[must_use]
pub fn federated(items: &[Value], application: &Value) -> Vec<Entitlement> {
    items
        .iter()
        .map(|item| {
            let mut held =
                entitlement(format!("federated:{}", text(item, "id")), item, application);
            held.facts["issuer"] = item["issuer"].clone();
            held.facts["subject"] = item["subject"].clone();
            held
        })
        .collect()
}

/// What a key means.
#[must_use]
pub fn credential(key: &str) -> Option<Credential<'_>> {
    let (word, rest) = key.split_once(':')?;
    if word == "federated" {
        return Some(Credential::Federated(rest));
    }
    let (collection, id) = rest.split_once(':')?;
    let holder = Holder::of(collection)?;
    match word {
        "password" => Some(Credential::Password(holder, id)),
        "key" => Some(Credential::Key(holder, id)),
        _ => None,
    }
}

fn entitlement(key: String, item: &Value, object: &Value) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Secret,
        provider_key: key,
        privileged: false,
        facts: json!({
            "name": item.get("displayName").or_else(|| item.get("name")),
            "object": object["id"],
            "ends": item["endDateTime"],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credentials_key_says_what_and_whose_it_is_and_never_its_value() {
        let application = json!({
            "id": "app", "passwordCredentials": [{"keyId": "1", "secretText": "hidden", "hint": "hid"}],
            "keyCredentials": [{"keyId": "2", "key": "hidden"}],
        });
        let held = of_object(&application, Holder::Application);
        assert_eq!(
            credential(&held[0].provider_key),
            Some(Credential::Password(Holder::Application, "1"))
        );
        assert_eq!(
            credential(&held[1].provider_key),
            Some(Credential::Key(Holder::Application, "2"))
        );
        let outside = federated(&[json!({"id": "3", "name": "ci"})], &application);
        assert_eq!(
            credential(&outside[0].provider_key),
            Some(Credential::Federated("3"))
        );
        assert!(!format!("{held:?}").contains("hid"));
        assert_eq!(credential("nonsense"), None);
    }
}
