//! API tokens that the user owns: `GET /api-tokens`, which lists the whole org, matched by owner here.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint, inconsistent};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiToken {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl Listed for ApiToken {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Whether an agent (Active Directory, LDAP, RADIUS) lives off the token. Such a token is listed under
/// whoever installed the agent; revoking it stops the directory for everybody.
#[must_use]
pub fn belongs_to_agent(entitlement: &Entitlement) -> bool {
    entitlement.facts["client_name"]
        .as_str()
        .is_some_and(|name| name.to_ascii_lowercase().contains("agent"))
}

/// Reads the tokens that the user owns.
///
/// # Errors
/// As any list; class `Retry` where an item names no owner, so that it could be the user's.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the organization's API tokens",
        endpoint: endpoint::API_TOKENS,
        path: &["api-tokens"],
        query: &[],
    };
    let tokens: Vec<ApiToken> = list(org, ask).await?;
    if tokens.iter().any(|token| token.user_id.is_none()) {
        return Err(inconsistent(ask.doing, "an API token names no owner").into());
    }
    Ok(tokens
        .into_iter()
        .filter(|token| token.user_id.as_deref() == Some(user_id))
        .map(entitlement)
        .collect())
}

fn entitlement(token: ApiToken) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::ApiToken,
        provider_key: token.id,
        // It acts with its creator's administrative rights.
        privileged: true,
        facts: json!({
            "name": token.name,
            "client_name": token.client_name,
            "created": token.created,
            "expires_at": token.expires_at,
        }),
    }
}
