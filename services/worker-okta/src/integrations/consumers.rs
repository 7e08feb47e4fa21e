//! Who was let into an application: groups, and users with an assignment of their own. Users who have it through a group
//! are counted: they lose it with the group.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::families::{GROUP, USER};
use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

#[derive(Debug, Deserialize)]
struct Assigned {
    id: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    priority: Option<i64>,
}

impl Listed for Assigned {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Who has an application.
#[derive(Debug, Default)]
pub struct Consumers {
    /// Groups and users, as entitlements.
    pub held: Vec<Entitlement>,
    /// People who have it, whichever way.
    pub people: usize,
    /// People who have it through a group.
    pub through_groups: usize,
    /// Groups.
    pub groups: usize,
}

/// Reads both lists.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, app_id: &str) -> Result<Consumers, Refused> {
    let (groups, users) = tokio::join!(
        assigned(org, app_id, "groups", "200"),
        assigned(org, app_id, "users", "500")
    );
    let (groups, users) = (groups?, users?);
    let through_group = |it: &&Assigned| it.scope.as_deref() == Some("GROUP");
    let through_groups = users.iter().filter(through_group).count();
    let mut consumers = Consumers {
        held: Vec::with_capacity(groups.len() + users.len() - through_groups),
        people: users.len(),
        through_groups,
        groups: groups.len(),
    };
    for group in &groups {
        let facts = json!({ "priority": group.priority });
        consumers.held.push(entitlement(GROUP, &group.id, facts));
    }
    for user in users.iter().filter(|user| !through_group(user)) {
        consumers.held.push(entitlement(USER, &user.id, json!({})));
    }
    Ok(consumers)
}

async fn assigned(
    org: &Org,
    app_id: &str,
    what: &str,
    limit: &str,
) -> Result<Vec<Assigned>, Refused> {
    let ask = Ask {
        doing: "reading who was let into the application",
        endpoint: endpoint::APP_USERS,
        path: &["apps", app_id, what],
        query: &[("limit", limit)],
    };
    list(org, ask).await
}

fn entitlement(prefix: &str, id: &str, facts: serde_json::Value) -> Entitlement {
    Entitlement {
        kind: EntitlementKind::Consumer,
        provider_key: format!("{prefix}{id}"),
        privileged: false,
        facts,
    }
}
