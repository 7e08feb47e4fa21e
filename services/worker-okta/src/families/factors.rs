//! Sign-in factors: `GET /users/{id}/factors`. Deactivation leaves them enrolled.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Factor {
    id: String,
    #[serde(default)]
    factor_type: Option<String>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Listed for Factor {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the factors; the profile (a telephone number, an address) is not kept.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's factors",
        endpoint: endpoint::FACTORS,
        path: &["users", user_id, "factors"],
        query: &[],
    };
    let factors: Vec<Factor> = list(org, ask).await?;
    Ok(factors.into_iter().map(entitlement).collect())
}

fn entitlement(factor: Factor) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Factor,
        provider_key: factor.id,
        privileged: false,
        facts: json!({
            "factor_type": factor.factor_type,
            "provider": factor.provider,
            "status": factor.status,
        }),
    }
}
