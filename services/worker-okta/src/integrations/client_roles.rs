//! Administrative roles of an application: `GET /oauth2/v1/clients/{id}/roles`.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
struct Role {
    id: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default, rename = "resource-set")]
    resource_set: Option<String>,
}

impl Listed for Role {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Reads the roles; an application that is no client has none.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, client_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the application's administrative roles",
        endpoint: endpoint::CLIENT_ROLES,
        path: &["clients", client_id, "roles"],
        query: &[],
    };
    let roles: Vec<Role> = match list(org, ask).await {
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => Vec::new(),
        read => read?,
    };
    let entitlement = |role: Role| Entitlement {
        kind: EntitlementKind::Role,
        provider_key: role.id,
        privileged: true,
        facts: json!({
            "label": role.label, "type": role.r#type, "role": role.role, "resource_set": role.resource_set,
            "client_id": client_id,
        }),
    };
    Ok(roles.into_iter().map(entitlement).collect())
}
