//! The inventory of a tenant: what Graph and Azure list in bulk, a page at a time.
//!
//! Users with their licences come first, then service principals with who was given them, members of groups, holders of directory
//! roles, owners, grants, and Azure's role assignments. Sessions, authentication methods and devices would need a call for each
//! person. What a group holds is nobody's here: it comes with the membership.

mod azure;
mod changes;
mod objects;
mod page;
mod place;

use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::FamilyResult;
use sever_provider::{
    CallError, InventoryPage, Nested, SeenEntitlement, Unreadable, parse_records, resumed_at,
};

pub use changes::{mark, since};

use crate::errors::Meaning;
use crate::families::text;
use crate::paging::Page;
use crate::tenant::{Ask, Tenant};
use crate::user::{SELECT, User};
use page::{ACCOUNTS, OBJECTS, ask_for, page_or_end};
use place::{Pass, Place, Walk};

/// What of a service principal is asked for.
const PRINCIPAL: &str = "id,accountEnabled,deletedDateTime";

/// What no list shows: it is read of some accounts one by one.
pub const CLOSELY: &[Kind] = &[Kind::Factor, Kind::Device];

/// The page after `cursor`; the first one where that is `None`.
///
/// # Errors
/// What stops the whole inventory: credentials, rate, shutting down, a read that may work later, or a cursor that is none of ours.
pub async fn page(tenant: &Tenant, cursor: Option<&Value>) -> Result<InventoryPage, CallError> {
    let mut walk = resumed_at::<Walk>(cursor)?;
    let at = std::mem::take(&mut walk.at);
    let (page, next) = match at {
        Place::Users { next } => users(tenant, next).await?,
        Place::Outer { pass, next } => outer(tenant, &mut walk, pass, next).await?,
        Place::Inner { pass, nested } => inner(tenant, &walk, pass, nested).await?,
        Place::Eligible { next } => eligible(tenant, &walk, next).await?,
        Place::Grants { next } => grants(tenant, next).await?,
        Place::Scopes => azure::scopes(tenant).await?,
        Place::Azure { scopes, nested } => azure::assignments(tenant, scopes, nested).await?,
    };
    let next = next.map(|at| Walk { at, ..walk }.cursor());
    Ok(InventoryPage { next, ..page })
}

type Turned = Result<(InventoryPage, Option<Place>), CallError>;

async fn users(tenant: &Tenant, next: Option<String>) -> Turned {
    let ask = Ask::new("listing the tenant's users", "users", &["users"])
        .with("$select", SELECT)
        .with("$top", ACCOUNTS);
    let after = Pass::Assigned.begin();
    let read = ask_for(tenant, &ask, next.as_deref()).await;
    let read = match page_or_end(Kind::Account, read)? {
        Ok(read) => read,
        Err(page) => return Ok((page, Some(after))),
    };
    let (users, unreadable) = parse_records::<User>(Kind::Account, read.items);
    let mut page = InventoryPage {
        unreadable,
        ..Default::default()
    };
    for user in users {
        let (account, licences) = objects::of_user(user);
        page.accounts.push(account);
        page.entitlements.extend(licences);
    }
    Ok(match read.next {
        Some(next) => (page, Some(Place::Users { next: Some(next) })),
        None => (page.ends(Kind::Account).ends(Kind::Licence), Some(after)),
    })
}

/// A page of the objects of a pass.
async fn outer(tenant: &Tenant, walk: &mut Walk, pass: Pass, next: Option<String>) -> Turned {
    let read = ask_for(tenant, &objects_of(pass), next.as_deref()).await;
    let Page { items, next } = match page_or_end(pass.family(), read)? {
        Ok(read) => read,
        Err(page) if pass == Pass::Assigned => return Ok(without_principals(page)),
        Err(page) => return Ok((page, Some(pass.skipped()))),
    };
    let mut page = InventoryPage::default();
    let mut of = Vec::with_capacity(items.len());
    for item in items {
        let id = text(&item, "id").to_owned();
        if id.is_empty() {
            let record = Unreadable::without(pass.family(), &item, "id");
            page.unreadable.push(record);
            continue;
        }
        if pass == Pass::Members && item["isAssignableToRole"] == true {
            walk.assignable.push(id.clone());
        }
        if pass == Pass::Assigned {
            match objects::of_principal(item) {
                Ok(principal) => page.accounts.push(principal),
                Err(record) => page.unreadable.push(record),
            }
        }
        of.push(id);
    }
    let nested = Nested::below(of, next);
    Ok((page, Some(Place::Inner { pass, nested })))
}

/// Where service principals are not shown, whose the rest is cannot be told from what nobody holds any more.
fn without_principals(mut page: InventoryPage) -> (InventoryPage, Option<Place>) {
    let result = page
        .ended
        .first()
        .map_or(FamilyResult::Failed, |end| end.result);
    for family in [
        Kind::Permission,
        Kind::Group,
        Kind::Role,
        Kind::EligibleRole,
        Kind::Ownership,
        Kind::Grant,
        Kind::ResourceRole,
    ] {
        let why = "service principals cannot be listed".to_owned();
        page.ended
            .extend(InventoryPage::not_read(family, result, why).ended);
    }
    (page, None)
}

/// A page of what hangs on the first object of a pass. An object that has gone meanwhile has nothing.
async fn inner(tenant: &Tenant, walk: &Walk, pass: Pass, mut nested: Nested) -> Turned {
    let Some(object) = nested.first().map(str::to_owned) else {
        return Ok(match nested.outer {
            Some(next) => {
                let next = Some(next);
                (InventoryPage::default(), Some(Place::Outer { pass, next }))
            }
            None => (end_of(pass), Some(pass.after())),
        });
    };
    let read = ask_for(tenant, &hanging_on(pass, &object), nested.next.as_deref()).await;
    let read = match read {
        Err(refused) if refused.meaning == Meaning::Gone => {
            nested.turn(None);
            return Ok((
                InventoryPage::default(),
                Some(Place::Inner { pass, nested }),
            ));
        }
        read => match page_or_end(pass.family(), read)? {
            Ok(read) => read,
            Err(page) => return Ok((page, Some(pass.skipped()))),
        },
    };
    let mut page = InventoryPage::default();
    for item in &read.items {
        take(&mut page, walk, pass, &object, item);
    }
    nested.turn(read.next);
    Ok((page, Some(Place::Inner { pass, nested })))
}

/// Takes in what one item says of the object that it hangs on.
fn take(page: &mut InventoryPage, walk: &Walk, pass: Pass, object: &str, item: &Value) {
    let edge = |key: String, privileged: bool| match objects::account_of(item) {
        Ok(Some(account)) => Ok(Some(SeenEntitlement {
            account_id: account.to_owned(),
            kind: pass.family(),
            provider_key: key,
            privileged,
        })),
        Ok(None) => Ok(None),
        Err(what) => Err(Unreadable::without(pass.family(), item, what)),
    };
    let assignable = walk.assignable.iter().any(|group| group == object);
    let held = match pass {
        Pass::Assigned => {
            page.entitlements
                .extend(objects::of_assignment(item, object));
            return;
        }
        // A server that ignores the filter shows everybody's with each role.
        Pass::Roles if text(item, "roleDefinitionId") != object => Ok(None),
        Pass::Roles => Ok(role(walk, Kind::Role, item)),
        Pass::Members => edge(object.to_owned(), assignable),
        Pass::GroupOwners => edge(format!("groups:{object}"), assignable),
        Pass::ApplicationOwners => edge(format!("applications:{object}"), true),
        Pass::PrincipalOwners => edge(format!("servicePrincipals:{object}"), true),
    };
    match held {
        Ok(held) => page.entitlements.extend(held),
        Err(record) => page.unreadable.push(record),
    }
}

/// A role that an account holds; what a group holds is none.
fn role(walk: &Walk, kind: Kind, item: &Value) -> Option<SeenEntitlement> {
    let held = objects::of_role(kind, item)?;
    (!walk.assignable.contains(&held.account_id)).then_some(held)
}

fn end_of(pass: Pass) -> InventoryPage {
    match pass {
        Pass::Assigned => InventoryPage::default()
            .ends(Kind::AppAssignment)
            .ends(Kind::Permission),
        pass if pass.ends_family() => InventoryPage::default().ends(pass.family()),
        _ => InventoryPage::default(),
    }
}

fn objects_of(pass: Pass) -> Ask {
    match pass {
        Pass::Assigned | Pass::PrincipalOwners => Ask::new(
            "listing the tenant's service principals",
            "service_principals",
            &["servicePrincipals"],
        )
        .with("$select", PRINCIPAL)
        .with("$top", OBJECTS),
        Pass::Members | Pass::GroupOwners => {
            Ask::new("listing the tenant's groups", "groups", &["groups"])
                .with("$select", "id,isAssignableToRole")
                .with("$top", OBJECTS)
        }
        Pass::ApplicationOwners => Ask::new(
            "listing the tenant's registrations",
            "applications",
            &["applications"],
        )
        .with("$select", "id")
        .with("$top", OBJECTS),
        Pass::Roles => Ask::new(
            "listing the directory's roles",
            "roles",
            &["roleManagement", "directory", "roleDefinitions"],
        )
        .with("$select", "id"),
    }
}

fn hanging_on(pass: Pass, object: &str) -> Ask {
    match pass {
        Pass::Assigned => {
            let path = ["servicePrincipals", object, "appRoleAssignedTo"];
            Ask::new("listing who may use an application", "app_roles", &path)
                .with("$top", ACCOUNTS)
        }
        Pass::Members => {
            let path = ["groups", object, "members"];
            Ask::new("listing a group's members", "members", &path)
                .with("$select", "id")
                .with("$top", ACCOUNTS)
        }
        Pass::Roles => {
            let literal = object.replace('\'', "''");
            let path = ["roleManagement", "directory", "roleAssignments"];
            Ask::new("listing who holds a role", "roles", &path)
                .with("$filter", format!("roleDefinitionId eq '{literal}'"))
        }
        Pass::GroupOwners => owners("groups", object),
        Pass::ApplicationOwners => owners("applications", object),
        Pass::PrincipalOwners => owners("servicePrincipals", object),
    }
}

fn owners(collection: &str, object: &str) -> Ask {
    let path = [collection, object, "owners"];
    Ask::new("listing an object's owners", "owners", &path).with("$select", "id")
}

async fn eligible(tenant: &Tenant, walk: &Walk, next: Option<String>) -> Turned {
    let path = ["roleManagement", "directory", "roleEligibilitySchedules"];
    let ask = Ask::new("listing roles that can be activated", "roles", &path);
    let after = Pass::GroupOwners.begin();
    let read = ask_for(tenant, &ask, next.as_deref()).await;
    let read = match page_or_end(Kind::EligibleRole, read)? {
        Ok(read) => read,
        Err(page) => return Ok((page, Some(after))),
    };
    let held = read.items.iter();
    let page = InventoryPage {
        entitlements: held
            .filter_map(|item| role(walk, Kind::EligibleRole, item))
            .collect(),
        ..Default::default()
    };
    Ok(match read.next {
        Some(next) => (page, Some(Place::Eligible { next: Some(next) })),
        None => (page.ends(Kind::EligibleRole), Some(after)),
    })
}

async fn grants(tenant: &Tenant, next: Option<String>) -> Turned {
    let ask = Ask::new(
        "listing delegated grants",
        "grants",
        &["oauth2PermissionGrants"],
    );
    let read = ask_for(tenant, &ask, next.as_deref()).await;
    let read = match page_or_end(Kind::Grant, read)? {
        Ok(read) => read,
        Err(page) => return Ok((page, Some(Place::Scopes))),
    };
    let page = InventoryPage {
        entitlements: read.items.iter().flat_map(objects::of_grant).collect(),
        ..Default::default()
    };
    Ok(match read.next {
        Some(next) => (page, Some(Place::Grants { next: Some(next) })),
        None => (page.ends(Kind::Grant), Some(Place::Scopes)),
    })
}
