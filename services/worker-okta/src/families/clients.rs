//! OAuth tokens, by client: `GET /users/{id}/clients`, then the tokens of each.
//!
//! One entitlement stands for all tokens of one client, because they are revoked together. The list holds
//! refresh tokens; access tokens are not listed anywhere and end by themselves.

use std::collections::BTreeSet;

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint, unusable};
use crate::paging::{Listed, list};

/// How many clients are read at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct Client {
    client_id: String,
    #[serde(default)]
    client_name: Option<String>,
}

impl Listed for Client {
    fn id(&self) -> &str {
        &self.client_id
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Listed for Token {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the clients that hold tokens for the user.
///
/// # Errors
/// As any list; class `NeedsPerson` where a token of another user or client came back.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's OAuth clients",
        endpoint: endpoint::CLIENTS,
        path: &["users", user_id, "clients"],
        query: &[],
    };
    let clients: Vec<Client> = list(org, ask).await?;
    let tokens: Vec<Option<Entitlement>> = iter(clients)
        .map(|client| of_client(org, user_id, client))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(tokens.into_iter().flatten().collect())
}

async fn of_client(
    org: &Org,
    user_id: &str,
    client: Client,
) -> Result<Option<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading a client's tokens",
        endpoint: endpoint::CLIENTS,
        path: &["users", user_id, "clients", &client.client_id, "tokens"],
        query: &[("limit", "200")],
    };
    let tokens: Vec<Token> = list(org, ask).await?;
    let foreign = |given: &Option<String>, own: &str| given.as_deref().is_some_and(|it| it != own);
    if tokens.iter().any(|token| {
        foreign(&token.user_id, user_id) || foreign(&token.client_id, &client.client_id)
    }) {
        let what = "the provider answered with tokens of another user or client".to_owned();
        return Err(unusable(ask.doing, what).into());
    }
    let live: Vec<Token> = tokens
        .into_iter()
        .filter(|token| token.status.as_deref() != Some("REVOKED"))
        .collect();
    Ok((!live.is_empty()).then(|| entitlement(client, &live)))
}

fn entitlement(client: Client, tokens: &[Token]) -> Entitlement {
    let issuers: BTreeSet<&str> = tokens
        .iter()
        .filter_map(|token| token.issuer.as_deref())
        .collect();
    let expires_at = tokens
        .iter()
        .filter_map(|token| token.expires_at.as_deref());
    Entitlement {
        kind: EntitlementKind::Token,
        provider_key: client.client_id,
        privileged: false,
        facts: json!({
            "client_name": client.client_name,
            "count": tokens.len(),
            "issuers": issuers,
            // ISO 8601 in one zone, so the greatest text is the latest time.
            "expires_at": expires_at.max(),
        }),
    }
}
