//! Role mappings of a Keycloak user, who may be a client's service account.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;
use sever_provider::http::{Method, Priority};
use sever_provider::{Answer, CallError};
use std::collections::BTreeMap;
use tokio::time::Instant;

use crate::admin::{Ask, USERS};
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, unusable};

/// Clients whose roles are power over the realm itself.
const ADMINISTRATION: [&str; 2] = ["realm-management", "master-realm"];

/// What is mapped to a user or to a group.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mappings {
    /// Roles of the realm.
    pub realm_mappings: Vec<Role>,
    /// Roles of clients, by client id.
    pub client_mappings: BTreeMap<String, OfClient>,
}

/// The mappings of one client's roles.
#[derive(Debug, Deserialize)]
pub struct OfClient {
    id: String,
    /// The roles.
    #[serde(default)]
    pub mappings: Vec<Role>,
}

/// A role.
#[derive(Debug, Deserialize)]
pub struct Role {
    id: String,
    /// Its name.
    pub name: String,
    /// Whether it contains others; one that does not say may.
    #[serde(default = "may_contain")]
    pub composite: bool,
}

const fn may_contain() -> bool {
    true
}

/// Reads the roles that are mapped to a user; `None` where the user is not there.
///
/// # Errors
/// As any read.
pub async fn read(issuer: &Issuer, user: &str) -> Result<Option<Vec<Entitlement>>, Refused> {
    let ask = Ask {
        doing: "reading the account's roles",
        family: USERS,
        path: &["users", user, "role-mappings"],
        query: &[],
    };
    let Some(mappings) = issuer.find::<Mappings>(ask, None).await? else {
        return Ok(None);
    };
    let of_realm = mappings
        .realm_mappings
        .iter()
        .map(|role| entitlement(user, role, None));
    let of_clients = mappings.client_mappings.iter().flat_map(|(name, client)| {
        let role = move |role| entitlement(user, role, Some((name, client.id.as_str())));
        client.mappings.iter().map(role)
    });
    Ok(Some(of_realm.chain(of_clients).collect()))
}

fn entitlement(user: &str, role: &Role, client: Option<(&String, &str)>) -> Entitlement {
    let key = match client {
        Some((_, uuid)) => format!("client:{uuid}:{}", role.id),
        None => format!("realm:{}", role.id),
    };
    Entitlement {
        kind: EntitlementKind::Role,
        provider_key: key,
        privileged: is_privileged(&role.name, client.map(|(name, _)| name.as_str())),
        facts: json!({
            "user": user,
            "id": role.id,
            "name": role.name,
            "client": client.map(|(name, _)| name),
            "client_uuid": client.map(|(_, uuid)| uuid),
        }),
    }
}

/// Whether a role gives power over the realm: by its client, or by its name.
#[must_use]
pub fn is_privileged(name: &str, client: Option<&str>) -> bool {
    let name = name.to_lowercase();
    client.is_some_and(is_administration)
        || ["admin", "owner", "root"]
            .iter()
            .any(|word| name.contains(word))
}

/// Whether a client's roles are power over a realm.
#[must_use]
pub fn is_administration(client: &str) -> bool {
    ADMINISTRATION.contains(&client) || client.ends_with("-realm")
}

/// Takes a role away, or gives it back: the mapping is named by its role's id and name, as the facts have them.
///
/// # Errors
/// By what the answer means.
pub async fn change(
    issuer: &Issuer,
    facts: &Value,
    gives: bool,
    until: Instant,
) -> Result<Answer, CallError> {
    let doing = if gives {
        "granting a role"
    } else {
        "taking a role"
    };
    let text = |name: &str| facts[name].as_str();
    let (Some(user), Some(id), Some(name)) = (text("user"), text("id"), text("name")) else {
        return Err(unusable(
            doing,
            "the plan does not say which role".to_owned(),
        ));
    };
    let mut path = vec!["users", user, "role-mappings"];
    match text("client_uuid") {
        Some(client) => path.extend(["clients", client]),
        None => path.push("realm"),
    }
    let ask = Ask {
        doing,
        family: USERS,
        path: &path,
        query: &[],
    };
    let body = json!([{ "id": id, "name": name }]);
    let method = if gives { Method::POST } else { Method::DELETE };
    let sent = issuer
        .write(method, ask, Some(&body), Priority::Ordinary, until)
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) if refused.meaning == Meaning::Gone && !gives => Ok(refused.already()),
        Err(refused) => Err(refused.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_known_by_its_name_and_its_client() {
        for (name, client, expected) in [
            ("manage-users", Some("realm-management"), true),
            ("view-users", Some("acme-realm"), true),
            ("Admin", None, true),
            ("reader", None, false),
            ("editor", Some("web"), false),
        ] {
            assert_eq!(is_privileged(name, client), expected, "{name} {client:?}");
        }
    }
}
