//! The inventory of an org: what Okta lists in bulk, a page at a time.
//!
//! Accounts come from two lists, because the plain one leaves deactivated users out; applications with their assignments, groups with
//! their members, administrators with their roles, and API tokens follow. Members of built-in groups are not listed: everybody is in
//! Everyone. Grants, factors and devices would need a call for each person; an opt-out reads them.

mod page;
mod place;

use serde::Deserialize;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind};
use sever_provider::{CallError, InventoryPage, SeenAccount, SeenEntitlement, resumed_at};

use crate::org::{Ask, Org, endpoint};
use crate::user::User;
use page::{Items, ask_for, end, items, turn};
use place::{Nested, Place};

/// The page after `cursor`; the first one where that is `None`.
///
/// # Errors
/// What stops the whole inventory: credentials, rate, shutting down, a read that may work later, or a cursor that is none of ours.
pub async fn page(
    org: &Org,
    cursor: Option<&serde_json::Value>,
) -> Result<InventoryPage, CallError> {
    let (page, next) = match resumed_at::<Place>(cursor)? {
        Place::Users { next } => users(org, next, false).await?,
        Place::Deactivated { next } => users(org, next, true).await?,
        Place::Apps { next } => apps(org, next).await?,
        Place::Assignments(nested) => assignments(org, nested).await?,
        Place::Groups { next } => groups(org, next).await?,
        Place::Members(nested) => members(org, nested).await?,
        Place::Admins { next } => admins(org, next).await?,
        Place::Roles(nested) => roles(org, nested).await?,
        Place::Tokens { next } => tokens(org, next).await?,
    };
    let next = next.map(|place| place.cursor());
    Ok(InventoryPage { next, ..page })
}

type Turned = Result<(InventoryPage, Option<Place>), CallError>;

async fn users(org: &Org, next: Option<String>, deactivated: bool) -> Turned {
    let all = Ask {
        doing: "listing the organization's users",
        endpoint: endpoint::USERS,
        path: &["users"],
        query: &[("limit", "200")],
    };
    let gone = Ask {
        query: &[("filter", "status eq \"DEPROVISIONED\""), ("limit", "200")],
        ..all
    };
    let read = ask_for(org, if deactivated { gone } else { all }, next.as_deref()).await;
    let after = if deactivated {
        Place::Apps { next: None }
    } else {
        Place::Deactivated { next: None }
    };
    let Items { page, values, next } = match items::<User>(EntitlementKind::Account, read)? {
        Ok(items) => items,
        Err(page) => return Ok((page, Some(after))),
    };
    // A server that ignores the filter answers with everybody.
    let wanted = values
        .into_iter()
        .filter(|user| !deactivated || user.status == "DEPROVISIONED");
    let accounts = wanted.map(|user| {
        let account = user.into_account();
        SeenAccount {
            kind: ObservedKind::Account,
            provider_id: account.provider_id,
            state: account.state,
            attributes: account.attributes,
        }
    });
    let page = InventoryPage {
        accounts: accounts.collect(),
        ..page
    };
    Ok(match next {
        Some(next) if deactivated => (page, Some(Place::Deactivated { next: Some(next) })),
        Some(next) => (page, Some(Place::Users { next: Some(next) })),
        // The family ends with its second list.
        None if deactivated => (end(page, EntitlementKind::Account), Some(after)),
        None => (page, Some(after)),
    })
}

#[derive(Debug, Deserialize)]
struct App {
    id: String,
    #[serde(default)]
    status: Option<String>,
}

async fn apps(org: &Org, next: Option<String>) -> Turned {
    let ask = Ask {
        doing: "listing the organization's applications",
        endpoint: endpoint::APPS,
        path: &["apps"],
        query: &[("limit", "200")],
    };
    let read = ask_for(org, ask, next.as_deref()).await;
    let Items { page, values, next } = match items::<App>(EntitlementKind::AppAssignment, read)? {
        Ok(items) => items,
        Err(page) => return Ok((page, Some(Place::Groups { next: None }))),
    };
    let ids = values.iter().map(|app| app.id.clone()).collect();
    let accounts = values.into_iter().map(|app| SeenAccount {
        kind: ObservedKind::Application,
        provider_id: app.id,
        state: if app.status.as_deref() == Some("ACTIVE") {
            AccountState::Live
        } else {
            AccountState::Deactivated
        },
        attributes: Default::default(),
    });
    let page = InventoryPage {
        accounts: accounts.collect(),
        ..page
    };
    Ok((
        page,
        Some(Place::Assignments(Nested {
            of: ids,
            outer: next,
            next: None,
        })),
    ))
}

#[derive(Debug, Deserialize)]
struct Holder {
    id: String,
}

async fn assignments(org: &Org, nested: Nested) -> Turned {
    let family = EntitlementKind::AppAssignment;
    let Some(app) = nested.of.first().cloned() else {
        return Ok(match nested.outer {
            Some(next) => (
                InventoryPage::default(),
                Some(Place::Apps { next: Some(next) }),
            ),
            None => (
                end(InventoryPage::default(), family),
                Some(Place::Groups { next: None }),
            ),
        });
    };
    let ask = Ask {
        doing: "listing an application's users",
        endpoint: endpoint::APP_USERS,
        path: &["apps", &app, "users"],
        query: &[("limit", "500")],
    };
    let read = ask_for(org, ask, nested.next.as_deref()).await;
    let (page, nested) = match turn::<Holder>(family, read, nested)? {
        Ok(turned) => turned,
        Err(page) => return Ok((page, Some(Place::Groups { next: None }))),
    };
    let entitlement = |holder: Holder| SeenEntitlement {
        account_id: holder.id,
        kind: family,
        provider_key: app.clone(),
        privileged: false,
    };
    let Items { page, values, .. } = page;
    let entitlements = values.into_iter().map(entitlement).collect();
    Ok((
        InventoryPage {
            entitlements,
            ..page
        },
        Some(Place::Assignments(nested)),
    ))
}

#[derive(Debug, Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    r#type: Option<String>,
}

async fn groups(org: &Org, next: Option<String>) -> Turned {
    let ask = Ask {
        doing: "listing the organization's groups",
        endpoint: endpoint::GROUPS,
        path: &["groups"],
        query: &[("limit", "200")],
    };
    let read = ask_for(org, ask, next.as_deref()).await;
    let Items { page, values, next } = match items::<Group>(EntitlementKind::Group, read)? {
        Ok(items) => items,
        Err(page) => return Ok((page, Some(Place::Admins { next: None }))),
    };
    let listed = values
        .into_iter()
        .filter(|group| group.r#type.as_deref() != Some("BUILT_IN"));
    let of = listed.map(|group| group.id).collect();
    Ok((
        page,
        Some(Place::Members(Nested {
            of,
            outer: next,
            next: None,
        })),
    ))
}

async fn members(org: &Org, nested: Nested) -> Turned {
    let family = EntitlementKind::Group;
    let Some(group) = nested.of.first().cloned() else {
        return Ok(match nested.outer {
            Some(next) => (
                InventoryPage::default(),
                Some(Place::Groups { next: Some(next) }),
            ),
            None => (
                end(InventoryPage::default(), family),
                Some(Place::Admins { next: None }),
            ),
        });
    };
    let ask = Ask {
        doing: "listing a group's members",
        endpoint: endpoint::MEMBERS,
        path: &["groups", &group, "users"],
        query: &[("limit", "200")],
    };
    let read = ask_for(org, ask, nested.next.as_deref()).await;
    let (page, nested) = match turn::<Holder>(family, read, nested)? {
        Ok(turned) => turned,
        Err(page) => return Ok((page, Some(Place::Admins { next: None }))),
    };
    let entitlement = |holder: Holder| SeenEntitlement {
        account_id: holder.id,
        kind: family,
        provider_key: group.clone(),
        privileged: false,
    };
    let Items { page, values, .. } = page;
    let entitlements = values.into_iter().map(entitlement).collect();
    Ok((
        InventoryPage {
            entitlements,
            ..page
        },
        Some(Place::Members(nested)),
    ))
}

async fn admins(org: &Org, next: Option<String>) -> Turned {
    let ask = Ask {
        doing: "listing the organization's administrators",
        endpoint: endpoint::ADMINS,
        path: &["iam", "assignees", "users"],
        query: &[("limit", "100")],
    };
    let read = ask_for(org, ask, next.as_deref()).await;
    let after = Place::Tokens { next: None };
    let Items { page, values, next } = match page::wrapped::<Holder>(EntitlementKind::Role, read)? {
        Ok(items) => items,
        Err(page) => return Ok((page, Some(after))),
    };
    let of = values.into_iter().map(|holder| holder.id).collect();
    Ok((
        page,
        Some(Place::Roles(Nested {
            of,
            outer: next,
            next: None,
        })),
    ))
}

async fn roles(org: &Org, nested: Nested) -> Turned {
    let family = EntitlementKind::Role;
    let Some(user) = nested.of.first().cloned() else {
        return Ok(match nested.outer {
            Some(next) => (
                InventoryPage::default(),
                Some(Place::Admins { next: Some(next) }),
            ),
            None => (
                end(InventoryPage::default(), family),
                Some(Place::Tokens { next: None }),
            ),
        });
    };
    let ask = Ask {
        doing: "listing an administrator's roles",
        endpoint: endpoint::ROLES,
        path: &["users", &user, "roles"],
        query: &[],
    };
    let read = ask_for(org, ask, nested.next.as_deref()).await;
    let (page, nested) = match turn::<Holder>(family, read, nested)? {
        Ok(turned) => turned,
        Err(page) => return Ok((page, Some(Place::Tokens { next: None }))),
    };
    let entitlement = |role: Holder| SeenEntitlement {
        account_id: user.clone(),
        kind: family,
        provider_key: role.id,
        privileged: true,
    };
    let Items { page, values, .. } = page;
    let entitlements = values.into_iter().map(entitlement).collect();
    Ok((
        InventoryPage {
            entitlements,
            ..page
        },
        Some(Place::Roles(nested)),
    ))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: String,
    #[serde(default)]
    user_id: Option<String>,
}

async fn tokens(org: &Org, next: Option<String>) -> Turned {
    let family = EntitlementKind::ApiToken;
    let ask = Ask {
        doing: "listing the organization's API tokens",
        endpoint: endpoint::API_TOKENS,
        path: &["api-tokens"],
        query: &[],
    };
    let read = ask_for(org, ask, next.as_deref()).await;
    let Items { page, values, next } = match items::<Token>(family, read)? {
        Ok(items) => items,
        Err(page) => return Ok((page, None)),
    };
    let entitlements = values.into_iter().map(|token| SeenEntitlement {
        account_id: token.user_id.unwrap_or_default(),
        kind: family,
        provider_key: token.id,
        // It acts with its creator's administrative rights.
        privileged: true,
    });
    let page = InventoryPage {
        entitlements: entitlements.collect(),
        ..page
    };
    Ok(match next {
        Some(next) => (page, Some(Place::Tokens { next: Some(next) })),
        None => (end(page, family), None),
    })
}
