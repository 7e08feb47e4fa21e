//! Administrative roles of users and clients: `GET …/roles`, each with how far it is limited.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::errors::Meaning;
use crate::org::{Ask, Endpoint, Org, Refused, endpoint};
use crate::paging::{Listed, list};

/// A role of somebody or something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
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
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
    /// The applications that it is limited to, which have a list of their own.
    #[serde(skip)]
    apps: usize,
}

#[derive(Debug, Default, Deserialize)]
struct Embedded {
    #[serde(default)]
    targets: Targets,
}

#[derive(Debug, Default, Deserialize)]
struct Targets {
    #[serde(default)]
    groups: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct TargetApp {
    name: String,
    #[serde(default)]
    id: Option<String>,
}

impl Listed for Role {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for TargetApp {
    fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.name)
    }
}

/// Whether the role comes with a group, so that no call on the account can take it.
#[must_use]
pub fn is_inherited(entitlement: &Entitlement) -> bool {
    entitlement.facts["assignment_type"] == "GROUP"
}

/// Reads the roles of a user, inherited ones included.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let doing = "reading the account's administrative roles";
    let roles = assigned(org, doing, endpoint::ROLES, ["users", user_id]).await?;
    Ok(roles.iter().map(entitlement).collect())
}

/// Reads the roles of a principal. Only an application administrator can be limited to applications.
///
/// # Errors
/// As any list.
pub async fn assigned(
    org: &Org,
    doing: &'static str,
    endpoint: Endpoint,
    [collection, id]: [&str; 2],
) -> Result<Vec<Role>, Refused> {
    let ask = Ask {
        doing,
        endpoint,
        path: &[collection, id, "roles"],
        query: &[("expand", "targets/groups")],
    };
    let mut roles: Vec<Role> = list(org, ask).await?;
    for role in &mut roles {
        let inherited = role.assignment_type.as_deref() == Some("GROUP");
        if inherited || role.r#type.as_deref() != Some("APP_ADMIN") {
            continue;
        }
        let ask = Ask {
            path: &[
                collection, id, "roles", &role.id, "targets", "catalog", "apps",
            ],
            query: &[],
            ..ask
        };
        role.apps = match list::<TargetApp>(org, ask).await {
            // It was taken meanwhile.
            Err(Refused {
                meaning: Meaning::Gone,
                ..
            }) => 0,
            read => read?.len(),
        };
    }
    Ok(roles)
}

/// A role as an entitlement.
#[must_use]
pub fn entitlement(role: &Role) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Role,
        provider_key: role.id.clone(),
        privileged: true,
        facts: json!({
            "label": role.label,
            "type": role.r#type,
            "status": role.status,
            "assignment_type": role.assignment_type,
            "role": role.role,
            "resource_set": role.resource_set,
            "targets": role.embedded.targets.groups.len() + role.apps,
        }),
    }
}
