//! Refresh tokens that were issued to an application: by the org's own authorization server (`GET /apps/{id}/tokens`), and by
//! each custom one (`GET /authorizationServers/{id}/clients/{client}/tokens`). Those of a server are revoked together, so one
//! entitlement stands for all of them; access tokens are not listed anywhere and end by themselves.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::families::{REFRESH_TOKENS, SERVER};
use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
}

impl Listed for Token {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Deserialize)]
struct Server {
    id: String,
}

impl Listed for Server {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the tokens of the org's own server that are not revoked.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, app_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the application's tokens",
        endpoint: endpoint::APP_PARTS,
        path: &["apps", app_id, "tokens"],
        query: &[("limit", "200")],
    };
    let tokens: Vec<Token> = list(org, ask).await?;
    Ok(entitlement(REFRESH_TOKENS.to_owned(), None, &tokens)
        .into_iter()
        .collect())
}

/// Reads the tokens of every custom server that are not revoked. An org without API Access Management has no such server.
///
/// # Errors
/// As any list.
pub async fn of_servers(org: &Org, client_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the authorization servers",
        endpoint: endpoint::AUTHORIZATION_SERVERS,
        path: &["authorizationServers"],
        query: &[("limit", "200")],
    };
    let servers: Vec<Server> = match list(org, ask).await {
        Ok(servers) => servers,
        Err(refused) if refused.meaning == Meaning::Unsupported => return Ok(Vec::new()),
        Err(refused) => return Err(refused),
    };
    let mut held = Vec::new();
    for server in servers {
        held.extend(of_server(org, &server.id, client_id).await?);
    }
    Ok(held)
}

/// Reads the tokens that one custom server gave a client; none where the server does not know the client, or is gone.
///
/// # Errors
/// As any list.
pub async fn of_server(
    org: &Org,
    server: &str,
    client_id: &str,
) -> Result<Option<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the tokens that an authorization server issued",
        endpoint: endpoint::AUTHORIZATION_SERVERS,
        path: &[
            "authorizationServers",
            server,
            "clients",
            client_id,
            "tokens",
        ],
        query: &[("limit", "200")],
    };
    let tokens: Vec<Token> = match list(org, ask).await {
        Ok(tokens) => tokens,
        Err(refused) if refused.meaning == Meaning::Gone => Vec::new(),
        Err(refused) => return Err(refused),
    };
    let key = format!("{SERVER}{server}");
    Ok(entitlement(key, Some(client_id), &tokens))
}

fn entitlement(key: String, client_id: Option<&str>, tokens: &[Token]) -> Option<Entitlement> {
    let live = tokens
        .iter()
        .filter(|token| token.status.as_deref() != Some("REVOKED"));
    let live: Vec<&Token> = live.collect();
    if live.is_empty() {
        return None;
    }
    let issuers: BTreeSet<&str> = live.iter().filter_map(|it| it.issuer.as_deref()).collect();
    let users: BTreeSet<&str> = live.iter().filter_map(|it| it.user_id.as_deref()).collect();
    Some(Entitlement {
        kind: EntitlementKind::Token,
        provider_key: key,
        privileged: false,
        facts: json!({ "count": live.len(), "users": users.len(), "issuers": issuers, "client_id": client_id }),
    })
}
