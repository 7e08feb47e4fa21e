//! Role assignments of Azure Resource Manager on management groups, subscriptions and everything below.

use futures::future::join_all;
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;
use sever_provider::http::Method;
use url::Url;

use super::reading::text;
use crate::errors::{Meaning, Refused};
use crate::paging::{Gathering, Page};
use crate::service::{Service, inconsistent, unusable};
use crate::tenant::{Tenant, join};

/// The version of role assignments.
pub const ASSIGNMENTS_VERSION: &str = "2022-04-01";
const SUBSCRIPTIONS_VERSION: &str = "2020-01-01";
const MANAGEMENT_GROUPS_VERSION: &str = "2020-05-01";

/// Definitions that let their holder give roles away: Owner, User Access Administrator, Role Based Access Control
/// Administrator.
const PRIVILEGED: [&str; 3] = [
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
];

/// The scopes at which assignments are listed: each sees what is above and below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// Enumerates subscriptions and management groups. Who may not list management groups sees their assignments from the
/// subscriptions below.
///
/// # Errors
/// As any list.
pub async fn scopes(tenant: &Tenant, service: &Service) -> Result<Scopes, Refused> {
    const DOING: &str = "listing subscriptions";
    let of = |path: &'static [&'static str], version| async move {
        let url = with_version(join(&service.http, DOING, path)?, version);
        list(tenant, service, DOING, url).await
    };
    let subscriptions = of(&["subscriptions"], SUBSCRIPTIONS_VERSION).await?;
    let groups = of(
        &["providers", "Microsoft.Management", "managementGroups"],
        MANAGEMENT_GROUPS_VERSION,
    );
    let groups = match groups.await {
        Err(refused) if refused.meaning == Meaning::Denied => Vec::new(),
        groups => groups?,
    };
    let ids = subscriptions.iter().chain(&groups);
    Ok(Scopes(
        ids.map(|item| text(item, "id").to_owned()).collect(),
    ))
}

/// Reads a principal's own assignments at every scope.
///
/// # Errors
/// As any list.
pub async fn read(
    tenant: &Tenant,
    service: &Service,
    scopes: &Scopes,
    principal_id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    const DOING: &str = "reading the account's Azure roles";
    let of_scope = |scope: &str| {
        let url = assignments_url(service, scope, principal_id);
        async move { list(tenant, service, DOING, url?).await }
    };
    let lists = join_all(scopes.0.iter().map(|scope| of_scope(scope))).await;
    let mut held: Vec<Entitlement> = Vec::new();
    for items in lists {
        for item in items? {
            let own = text(&item["properties"], "principalId") == principal_id;
            let known =
                |held: &Entitlement| held.provider_key.eq_ignore_ascii_case(text(&item, "id"));
            if own && !held.iter().any(known) {
                held.push(entitlement(&item));
            }
        }
    }
    Ok(held)
}

/// The address of one assignment, from its key.
///
/// # Errors
/// Class `NeedsPerson` where the key is no id of an assignment.
pub fn assignment_url(
    service: &Service,
    doing: &'static str,
    key: &str,
) -> Result<Url, sever_provider::CallError> {
    let segments: Vec<&str> = key
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let is_assignment = segments.len() >= 4
        && segments[segments.len() - 4..segments.len() - 1]
            .iter()
            .zip(["providers", "Microsoft.Authorization", "roleAssignments"])
            .all(|(segment, wanted)| segment.eq_ignore_ascii_case(wanted));
    if !is_assignment {
        return Err(unusable(
            doing,
            "the key is no Azure role assignment's".to_owned(),
        ));
    }
    let url = join(&service.http, doing, &segments)?;
    Ok(with_version(url, ASSIGNMENTS_VERSION))
}

fn assignments_url(
    service: &Service,
    scope: &str,
    principal_id: &str,
) -> Result<Url, sever_provider::CallError> {
    let mut segments: Vec<&str> = scope
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    segments.extend(["providers", "Microsoft.Authorization", "roleAssignments"]);
    let url = join(
        &service.http,
        "reading the account's Azure roles",
        &segments,
    )?;
    let mut url = with_version(url, ASSIGNMENTS_VERSION);
    url.query_pairs_mut()
        .append_pair("$filter", &format!("principalId eq '{principal_id}'"));
    Ok(url)
}

fn with_version(mut url: Url, version: &str) -> Url {
    url.query_pairs_mut().append_pair("api-version", version);
    url
}

async fn list(
    tenant: &Tenant,
    service: &Service,
    doing: &'static str,
    first: Url,
) -> Result<Vec<Value>, Refused> {
    let mut gathering = Gathering::default();
    let mut url = first;
    loop {
        let get = (Method::GET, None);
        let reply = tenant.azure(service, doing, get, url, None).await?;
        let body = reply
            .json()
            .map_err(|_| inconsistent(doing, "the answer is not JSON"))?;
        let page = Page::of(doing, body, "nextLink")?;
        let Some(next) = gathering.take(doing, page)? else {
            return Ok(gathering.whole());
        };
        let followed = service.http.base().follow(&next);
        url = followed.map_err(|cause| unusable(doing, cause.to_string()))?;
    }
}

fn entitlement(item: &Value) -> Entitlement {
    let properties = &item["properties"];
    let definition = text(properties, "roleDefinitionId");
    let role = definition.rsplit('/').next().unwrap_or_default();
    Entitlement {
        kind: EntitlementKind::ResourceRole,
        provider_key: text(item, "id").to_owned(),
        privileged: PRIVILEGED.contains(&role),
        facts: json!({
            "scope": properties["scope"],
            "role_definition": properties["roleDefinitionId"],
            "principal_type": properties["principalType"],
            "condition": properties["condition"],
            "condition_version": properties["conditionVersion"],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_give_roles_away_is_privileged() {
        let of = |role: &str| {
            let definition = format!(
                "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}"
            );
            entitlement(&json!({"id": "/x", "properties": {"roleDefinitionId": definition}}))
                .privileged
        };
        assert!(of(PRIVILEGED[0]));
        assert!(!of("acdd72a7-3385-48ef-bd42-f606fba81ae7"));
    }
}
