//! Role assignments of Azure, scope by scope: each scope shows what is above and below it too, and each assignment is taken once.

use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::FamilyResult;
use sever_provider::{CallError, InventoryPage, Nested, SeenEntitlement, Unreadable};

use super::page::{page_or_end, refused};
use super::place::Place;
use crate::families::{azure, text};
use crate::tenant::Tenant;

const FAMILY: Kind = Kind::ResourceRole;

/// The scopes of the tenant, to be read one by one.
pub(super) async fn scopes(tenant: &Tenant) -> Result<(InventoryPage, Option<Place>), CallError> {
    let Some(service) = &tenant.azure else {
        let none = "the connection's credential says that there is no Azure".to_owned();
        let page = InventoryPage::not_read(FAMILY, FamilyResult::Unsupported, none);
        return Ok((page, None));
    };
    match azure::scopes(tenant, service).await {
        Ok(scopes) => {
            let scopes = scopes.into_ids();
            let nested = Nested::below(scopes.clone(), None);
            Ok((
                InventoryPage::default(),
                Some(Place::Azure { scopes, nested }),
            ))
        }
        Err(error) => {
            let (result, detail) = refused(error)?;
            Ok((InventoryPage::not_read(FAMILY, result, detail), None))
        }
    }
}

/// A page of the assignments that the first scope shows.
pub(super) async fn assignments(
    tenant: &Tenant,
    scopes: Vec<String>,
    mut nested: Nested,
) -> Result<(InventoryPage, Option<Place>), CallError> {
    let (Some(service), Some(scope)) = (&tenant.azure, nested.first().map(str::to_owned)) else {
        return Ok((InventoryPage::default().ends(FAMILY), None));
    };
    let read = azure::page(tenant, service, &scope, nested.next.as_deref()).await;
    let read = match page_or_end(FAMILY, read)? {
        Ok(read) => read,
        Err(page) => return Ok((page, None)),
    };
    let mut page = InventoryPage::default();
    for item in &read.items {
        if is_own(item, &scope, &scopes) {
            match of_assignment(item) {
                Ok(held) => page.entitlements.extend(held),
                Err(record) => page.unreadable.push(record),
            }
        }
    }
    nested.turn(read.next);
    Ok((page, Some(Place::Azure { scopes, nested })))
}

/// Whether an assignment is taken from this scope: from the subscription that it is in, from the management group that it is at, or, where
/// no list shows its own scope, from the first of all.
fn is_own(item: &Value, scope: &str, scopes: &[String]) -> bool {
    let at = text(&item["properties"], "scope").trim_end_matches('/');
    let below = |scope: &str| {
        let rest = at
            .get(..scope.len())
            .filter(|start| start.eq_ignore_ascii_case(scope))
            .map(|_| &at[scope.len()..]);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let listed = scopes.iter().any(|scope| below(scope));
    if listed {
        below(scope)
    } else {
        scopes.first().is_some_and(|first| first == scope)
    }
}

/// The assignment as its principal's; none where that is a group.
fn of_assignment(item: &Value) -> Result<Option<SeenEntitlement>, Unreadable> {
    let properties = &item["properties"];
    let principal = text(properties, "principalId");
    if principal.is_empty() || text(item, "id").is_empty() {
        return Err(Unreadable::without(FAMILY, item, "id or principal"));
    }
    let kind = text(properties, "principalType");
    let is_account = ["user", "serviceprincipal"]
        .iter()
        .any(|account| kind.eq_ignore_ascii_case(account));
    let held = azure::entitlement(item);
    Ok(is_account.then(|| super::objects::seen(principal, held)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_assignment_is_taken_from_one_scope() {
        let group = "/providers/Microsoft.Management/managementGroups/root";
        let scopes = ["/subscriptions/a", "/subscriptions/b", group].map(str::to_owned);
        for (at, from) in [
            ("/subscriptions/a", "/subscriptions/a"),
            ("/subscriptions/B/resourceGroups/x", "/subscriptions/b"),
            (group, group),
            ("/", "/subscriptions/a"),
            ("/subscriptions/abc", "/subscriptions/a"),
        ] {
            let item = json!({"properties": {"scope": at}});
            let own: Vec<&String> = scopes
                .iter()
                .filter(|scope| is_own(&item, scope, &scopes))
                .collect();
            assert_eq!(own, [from], "{at}");
        }
    }
}
