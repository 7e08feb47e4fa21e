//! Consents, by client: `GET /users/{id}/grants`. One entitlement stands for all of one client.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint, inconsistent, unusable};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
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
    scope_id: Option<String>,
}

impl Listed for Grant {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the consents.
///
/// # Errors
/// As any list; class `NeedsPerson` where a consent of another user came back.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's consents",
        endpoint: endpoint::GRANTS,
        path: &["users", user_id, "grants"],
        query: &[("limit", "200")],
    };
    let grants: Vec<Grant> = list(org, ask).await?;
    let foreign = |grant: &Grant| grant.user_id.as_deref().is_some_and(|id| id != user_id);
    if grants.iter().any(foreign) {
        let what = "the provider answered with consents of another user".to_owned();
        return Err(unusable(ask.doing, what).into());
    }
    let mut by_client: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    for grant in grants {
        if grant.status.as_deref() == Some("REVOKED") {
            continue;
        }
        let client_id = grant
            .client_id
            .clone()
            .ok_or_else(|| inconsistent(ask.doing, "a consent names no client"))?;
        by_client.entry(client_id).or_default().push(grant);
    }
    Ok(by_client.into_iter().map(entitlement).collect())
}

fn entitlement((client_id, grants): (String, Vec<Grant>)) -> Entitlement {
    let all = |fact: fn(&Grant) -> Option<&str>| -> BTreeSet<&str> {
        grants.iter().filter_map(fact).collect()
    };
    Entitlement {
        kind: EntitlementKind::Grant,
        provider_key: client_id,
        privileged: false,
        facts: json!({
            "scopes": all(|grant| grant.scope_id.as_deref()),
            "issuers": all(|grant| grant.issuer.as_deref()),
        }),
    }
}
