//! One inspection: every family of one client.

use std::collections::HashSet;

use serde_json::{Value, json};
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_provider::CallError;

use super::FAMILIES;
use super::client::{Client, client_by_id};
use crate::admin::{Ask, CLIENTS};
use crate::issuer::{Issuer, Refused, unusable};
use crate::listing::list;
use crate::reading::{complete, outcome};
use crate::roles;

/// The key that stands for all sessions through a client.
const SESSIONS: &str = "sessions";
/// What the key of everything that was issued begins with; the rest is the client's `notBefore`.
pub const ISSUED_AFTER: &str = "issued_after:";

/// Reads everything.
///
/// # Errors
/// Credentials, rate and shutting down as they come; the client's own read failing.
pub async fn inspect(issuer: &Issuer, id: &str) -> Result<AccountReading, CallError> {
    let Some(client) = client_by_id(issuer, id, None).await? else {
        return Ok(AccountReading::absent(FAMILIES));
    };
    let (sessions, roles) = tokio::join!(sessions(issuer, id), service_roles(issuer, &client));
    let held = |kind, key: String, facts| Entitlement {
        kind,
        provider_key: key,
        privileged: false,
        facts,
    };
    let secret = client.secret_key();
    let secret = secret.map(|key| held(Kind::Secret, key, json!({})));
    let issued = format!("{ISSUED_AFTER}{}", client.not_before_s());
    Ok(AccountReading {
        account_state: client.state(),
        provider_state: client.provider_state().to_owned(),
        families: vec![
            complete(
                Kind::Account,
                vec![held(Kind::Account, client.id.clone(), client.facts())],
            ),
            complete(Kind::Secret, secret.into_iter().collect()),
            outcome(Kind::Session, sessions)?,
            complete(Kind::Token, vec![held(Kind::Token, issued, json!({}))]),
            outcome(Kind::Role, roles)?,
        ],
    })
}

/// Sessions through the client, online and offline; one entitlement stands for all, with how many people they are.
async fn sessions(issuer: &Issuer, id: &str) -> Result<Vec<Entitlement>, Refused> {
    let mut people: HashSet<String> = HashSet::new();
    let mut counts = [0, 0];
    for (count, kind) in counts.iter_mut().zip(["user-sessions", "offline-sessions"]) {
        let ask = Ask {
            doing: "reading the client's sessions",
            family: CLIENTS,
            path: &["clients", id, kind],
            query: &[],
        };
        let found = list(issuer, ask).await?;
        *count = found.len();
        let users = found
            .iter()
            .filter_map(|session| session["userId"].as_str());
        people.extend(users.map(str::to_owned));
    }
    let [online, offline] = counts;
    let any = online + offline > 0;
    let all = Entitlement {
        kind: Kind::Session,
        provider_key: SESSIONS.to_owned(),
        privileged: false,
        facts: json!({ "online": online, "offline": offline, "people": people.len() }),
    };
    Ok(any.then_some(all).into_iter().collect())
}

/// The roles of the client's service account, where it has one.
async fn service_roles(issuer: &Issuer, client: &Client) -> Result<Vec<Entitlement>, Refused> {
    if !client.has_service_account() {
        return Ok(Vec::new());
    }
    let ask = Ask {
        doing: "reading the client's service account",
        family: CLIENTS,
        path: &["clients", &client.id, "service-account-user"],
        query: &[],
    };
    let Some(user) = issuer.find::<Value>(ask, None).await? else {
        return Ok(Vec::new());
    };
    let Some(id) = user["id"].as_str() else {
        return Ok(Vec::new());
    };
    if !acts_for(&user, client) {
        let what = "the provider answered with a user who is not the client's service account";
        return Err(unusable(ask.doing, what.to_owned()).into());
    }
    Ok(roles::read(issuer, id).await?.unwrap_or_default())
}

/// Whether a user is the client's own: by the client that it names, else by the name that Keycloak gives.
fn acts_for(user: &Value, client: &Client) -> bool {
    let Some(client_id) = client.representation["clientId"].as_str() else {
        return false;
    };
    let same = |told: &str, wanted: &str| told.to_lowercase() == wanted.to_lowercase();
    match user["serviceAccountClientId"].as_str() {
        Some(told) => same(told, client_id) || told == client.id,
        None => user["username"]
            .as_str()
            .is_some_and(|name| same(name, &format!("service-account-{client_id}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_its_clients_own() {
        let client = Client::of(json!({ "id": "c1", "clientId": "Bot" }))
            .ok()
            .unwrap();
        for (user, expected) in [
            (json!({ "username": "service-account-bot" }), true),
            (
                json!({ "username": "ada", "serviceAccountClientId": "bot" }),
                true,
            ),
            (
                json!({ "username": "service-account-bot", "serviceAccountClientId": "web" }),
                false,
            ),
            (json!({ "username": "service-account-web" }), false),
            (json!({ "username": "ada" }), false),
            (json!({}), false),
        ] {
            assert_eq!(acts_for(&user, &client), expected, "{user}");
        }
    }
}
