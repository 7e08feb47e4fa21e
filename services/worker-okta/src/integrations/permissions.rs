//! What an application may do at Okta itself: the scopes granted to it, and the connection that provisions users.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::families::{PROVISIONING, SCOPE};
use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    scope_id: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
}

impl Listed for Grant {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Deserialize)]
struct Connection {
    #[serde(default)]
    status: Option<String>,
}

/// Reads both.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, app_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let (grants, provisioning) = tokio::join!(scopes(org, app_id), provisioning_is_on(org, app_id));
    let mut found = grants?;
    if provisioning? {
        found.push(entitlement(PROVISIONING.to_owned(), false, json!({})));
    }
    Ok(found)
}

async fn scopes(org: &Org, app_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the scopes granted to the application",
        endpoint: endpoint::APP_PARTS,
        path: &["apps", app_id, "grants"],
        query: &[],
    };
    let grants: Vec<Grant> = list(org, ask).await?;
    let live = grants
        .into_iter()
        .filter(|grant| grant.status.as_deref() != Some("REVOKED"));
    let scope = |grant: Grant| {
        let manages = grant
            .scope_id
            .as_deref()
            .is_some_and(|it| it.ends_with(".manage"));
        let facts = json!({ "grant": grant.id, "scope": grant.scope_id, "issuer": grant.issuer });
        entitlement(format!("{SCOPE}{}", grant.id), manages, facts)
    };
    Ok(live.map(scope).collect())
}

/// An application without provisioning answers 404, and an org without it that the feature is missing.
async fn provisioning_is_on(org: &Org, app_id: &str) -> Result<bool, Refused> {
    let ask = Ask {
        doing: "reading the application's provisioning",
        endpoint: endpoint::APP_PARTS,
        path: &["apps", app_id, "connections", "default"],
        query: &[],
    };
    match org.get(ask, None).await {
        Ok(reply) => {
            let connection: Connection = reply
                .json()
                .map_err(|_| inconsistent(ask.doing, "the answer is not a connection"))?;
            Ok(connection.status.as_deref() != Some("DISABLED"))
        }
        Err(Refused {
            meaning: Meaning::Gone | Meaning::Unsupported,
            ..
        }) => Ok(false),
        Err(refused) => Err(refused),
    }
}

fn entitlement(provider_key: String, privileged: bool, facts: serde_json::Value) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Permission,
        provider_key,
        privileged,
        facts,
    }
}
