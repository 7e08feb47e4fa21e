//! Administrative roles: `GET /users/{id}/roles`.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    /// Of the assignment; for a custom role of its binding.
    id: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    assignment_type: Option<String>,
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

/// Whether the role comes with a group, so that no call on the account can take it.
#[must_use]
pub fn is_inherited(entitlement: &Entitlement) -> bool {
    entitlement.facts["assignment_type"] == "GROUP"
}

/// Reads the roles, inherited ones included.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's administrative roles",
        endpoint: endpoint::ROLES,
        path: &["users", user_id, "roles"],
        query: &[],
    };
    let roles: Vec<Role> = list(org, ask).await?;
    Ok(roles.into_iter().map(entitlement).collect())
}

fn entitlement(role: Role) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Role,
        provider_key: role.id,
        privileged: true,
        facts: json!({
            "label": role.label,
            "type": role.r#type,
            "status": role.status,
            "assignment_type": role.assignment_type,
            "role": role.role,
            "resource_set": role.resource_set,
        }),
    }
}
