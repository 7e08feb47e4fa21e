//! Refresh tokens that were issued to an application: `GET /apps/{id}/tokens`. They are revoked together, so one
//! entitlement stands for all of them; access tokens are not listed anywhere and end by themselves.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::families::REFRESH_TOKENS;
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

/// Reads the tokens that are not revoked.
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
    let live = tokens
        .iter()
        .filter(|token| token.status.as_deref() != Some("REVOKED"));
    let live: Vec<&Token> = live.collect();
    if live.is_empty() {
        return Ok(Vec::new());
    }
    let issuers: BTreeSet<&str> = live.iter().filter_map(|it| it.issuer.as_deref()).collect();
    let users: BTreeSet<&str> = live.iter().filter_map(|it| it.user_id.as_deref()).collect();
    Ok(vec![Entitlement {
        kind: EntitlementKind::Token,
        provider_key: REFRESH_TOKENS.to_owned(),
        privileged: false,
        facts: json!({ "count": live.len(), "users": users.len(), "issuers": issuers }),
    }])
}
