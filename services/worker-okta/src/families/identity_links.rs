//! Links to outside identity providers: `GET /users/{id}/idps`.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
struct IdentityProvider {
    id: String,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Listed for IdentityProvider {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the links, by the id of the identity provider.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's identity providers",
        endpoint: endpoint::USER_IDPS,
        path: &["users", user_id, "idps"],
        query: &[],
    };
    let providers: Vec<IdentityProvider> = list(org, ask).await?;
    Ok(providers.into_iter().map(entitlement).collect())
}

fn entitlement(provider: IdentityProvider) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::IdentityLink,
        provider_key: provider.id,
        privileged: false,
        facts: json!({
            "type": provider.r#type,
            "name": provider.name,
            "status": provider.status,
        }),
    }
}
