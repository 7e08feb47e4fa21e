//! Role assignments of Azure Resource Manager on management groups, subscriptions and everything below; beside them what can be
//! activated there.

use std::collections::HashSet;

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;
use sever_provider::http::Method;
use url::Url;

use super::azure_eligible;
use super::reading::text;
use crate::errors::{Meaning, Refused};
use crate::paging::{Gathering, Page};
use crate::service::{Service, inconsistent, unusable};
use crate::tenant::{Tenant, append, join};

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

impl Scopes {
    /// The addresses of the scopes, below the base.
    #[must_use]
    pub fn into_ids(self) -> Vec<String> {
        self.0
    }
}

/// How many scopes are read side by side: a call that waits for its turn uses up its own deadline.
const SCOPES_AT_ONCE: usize = 8;

/// Enumerates subscriptions and management groups. Who may not list management groups sees their assignments from the
/// subscriptions below.
///
/// # Errors
/// As any list; [`Meaning::Denied`] where neither is shown: Azure lists what the caller may read and nothing else, so that an
/// empty list is no proof that there is nothing.
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
        Err(refused) if matches!(refused.meaning, Meaning::Denied | Meaning::Gone) => Vec::new(),
        groups => groups?,
    };
    let ids = subscriptions.iter().chain(&groups);
    let ids: Vec<String> = ids.map(|item| text(item, "id").to_owned()).collect();
    if ids.is_empty() {
        return Err(nothing_shown(DOING));
    }
    Ok(Scopes(ids))
}

fn nothing_shown(doing: &'static str) -> Refused {
    let what = "Azure shows the application no subscription and no management group: give it a reading role at the root \
        management group, or say in the connection's credential that there is no Azure (\"azure\": false)";
    Refused {
        meaning: Meaning::Denied,
        error: unusable(doing, what.to_owned()),
    }
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
        let scope = scope.to_owned();
        async move {
            let collection = ("roleAssignments", ASSIGNMENTS_VERSION);
            let items =
                list_of_principal(tenant, service, DOING, &scope, collection, principal_id).await?;
            let own = items
                .iter()
                .filter(|item| text(&item["properties"], "principalId") == principal_id);
            let mut held: Vec<Entitlement> = own.map(entitlement).collect();
            held.extend(azure_eligible::read(tenant, service, &scope, principal_id).await?);
            Ok::<_, Refused>(held)
        }
    };
    let calls: Vec<_> = scopes.0.iter().map(|scope| of_scope(scope)).collect();
    let mut lists = iter(calls).buffered(SCOPES_AT_ONCE);
    let mut held: Vec<Entitlement> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    while let Some(found) = lists.try_next().await? {
        // A scope shows what is above and below it too, so that most come more than once.
        held.extend(
            found
                .into_iter()
                .filter(|one| known.insert(one.provider_key.to_ascii_lowercase())),
        );
    }
    Ok(held)
}

/// One page of everybody's assignments at a scope, above and below it; `next` is what the page before named.
///
/// # Errors
/// As any read.
pub async fn page(
    tenant: &Tenant,
    service: &Service,
    scope: &str,
    next: Option<&str>,
) -> Result<Page, Refused> {
    const DOING: &str = "listing Azure roles";
    let url = match next {
        Some(next) => service
            .http
            .base()
            .follow(next)
            .map_err(|cause| unusable(DOING, cause.to_string()))?,
        None => url_at(
            service,
            DOING,
            scope,
            &["roleAssignments"],
            ASSIGNMENTS_VERSION,
        )?,
    };
    let reply = tenant
        .azure(service, DOING, (Method::GET, None), url, None)
        .await?;
    let body = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not JSON"))?;
    Ok(Page::of(DOING, body, "nextLink")?)
}

/// What is listed of a principal at a scope, in a collection and version.
///
/// # Errors
/// As any list.
pub async fn list_of_principal(
    tenant: &Tenant,
    service: &Service,
    doing: &'static str,
    scope: &str,
    (collection, version): (&str, &str),
    principal_id: &str,
) -> Result<Vec<Value>, Refused> {
    let mut url = url_at(service, doing, scope, &[collection], version)?;
    let literal = principal_id.replace('\'', "''");
    append(&mut url, "$filter", &format!("principalId eq '{literal}'"));
    list(tenant, service, doing, url).await
}

/// The address of what the authorization provider has at a scope.
///
/// # Errors
/// Class `NeedsPerson` for a segment that cannot stand in a path.
pub fn url_at(
    service: &Service,
    doing: &'static str,
    scope: &str,
    rest: &[&str],
    version: &str,
) -> Result<Url, sever_provider::CallError> {
    let mut segments: Vec<&str> = scope
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    segments.extend(["providers", "Microsoft.Authorization"]);
    segments.extend(rest);
    Ok(with_version(
        join(&service.http, doing, &segments)?,
        version,
    ))
}

/// Whether the definition lets its holder give roles away.
#[must_use]
pub fn is_privileged(definition: &str) -> bool {
    let role = definition.rsplit('/').next().unwrap_or_default();
    PRIVILEGED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(role))
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

fn with_version(mut url: Url, version: &str) -> Url {
    append(&mut url, "api-version", version);
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

/// The assignment as an entitlement of its principal.
#[must_use]
pub fn entitlement(item: &Value) -> Entitlement {
    let properties = &item["properties"];
    Entitlement {
        kind: EntitlementKind::ResourceRole,
        provider_key: text(item, "id").to_owned(),
        privileged: is_privileged(text(properties, "roleDefinitionId")),
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
