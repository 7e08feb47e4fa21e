//! Group memberships: `GET /users/{id}/groups`.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    name: Option<String>,
}

impl Listed for Group {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Who decides about a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSource {
    /// Okta: a call of ours can end it.
    Okta,
    /// Okta itself: everybody is in it (E0000060 on a write).
    BuiltIn,
    /// A directory or application outside (E0000006 on a write).
    Application,
}

/// Who decides about the membership that was read.
#[must_use]
pub fn source(entitlement: &Entitlement) -> GroupSource {
    match entitlement.facts["type"].as_str() {
        Some("BUILT_IN") => GroupSource::BuiltIn,
        Some("APP_GROUP") => GroupSource::Application,
        _ => GroupSource::Okta,
    }
}

/// Reads the memberships. The path names the user, and items carry no user to compare.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's groups",
        endpoint: endpoint::USER_GROUPS,
        path: &["users", user_id, "groups"],
        query: &[],
    };
    let groups: Vec<Group> = list(org, ask).await?;
    Ok(groups.into_iter().map(entitlement).collect())
}

fn entitlement(group: Group) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Group,
        provider_key: group.id,
        privileged: false,
        facts: json!({ "type": group.r#type, "name": group.profile.name }),
    }
}
