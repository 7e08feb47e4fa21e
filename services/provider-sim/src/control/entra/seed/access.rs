//! Hangs access on what was planted.

use serde_json::json;

use super::document::{
    SeedApplication, SeedAzure, SeedGrant, SeedGroup, SeedPim, SeedRole, SeedUser,
};
use super::names::{azure_role, object, ownable, principal, role};
use super::objects;
use crate::control::Refusal;
use crate::entra::state::{Kind, Record, Table, Tenant, list, record};
use crate::entra::{app_roles, azure, azure_pim, grants, methods, pim, pim_groups, roles};

/// The app role that stands for access without a role.
const DEFAULT_ACCESS: &str = "00000000-0000-0000-0000-000000000000";

type Planted = Result<(), Refusal>;

pub fn of_group(tenant: &mut Tenant, id: &str, seed: &SeedGroup, now_ms: i64) -> Planted {
    member_of(tenant, id, &seed.groups)?;
    owned_by(tenant, id, &seed.owners)?;
    active_roles(tenant, id, &seed.roles, now_ms);
    assigned_to(tenant, id, &seed.app_roles, now_ms)?;
    azure_roles(tenant, id, &seed.azure, now_ms);
    Ok(())
}

pub fn of_application(
    tenant: &mut Tenant,
    (id, registration): (&str, Option<&str>),
    seed: &SeedApplication,
    now_ms: i64,
) -> Planted {
    for name in &seed.assigned {
        let user = principal(tenant, name)?;
        assigned_to(tenant, &user, &[id.to_owned()], now_ms)?;
    }
    for permission in &seed.permissions {
        let resource = object(tenant, &[Kind::ServicePrincipal], &permission.resource)?;
        let role = permission.role.as_deref().unwrap_or(DEFAULT_ACCESS);
        app_roles::give(tenant, id, &resource, role, now_ms);
    }
    for grant in &seed.grants {
        let user = grant.user.as_deref();
        let user = user
            .map(|name| object(tenant, &[Kind::User], name))
            .transpose()?;
        granted(tenant, id, user.as_deref(), grant)?;
    }
    member_of(tenant, id, &seed.groups)?;
    owned_by(tenant, id, &seed.owners)?;
    if let Some(registration) = registration {
        owned_by(tenant, registration, &seed.owners)?;
    }
    active_roles(tenant, id, &seed.roles, now_ms);
    eligible_roles(tenant, id, &seed.eligible_roles, now_ms);
    azure_roles(tenant, id, &seed.azure, now_ms);
    Ok(())
}

pub fn of_user(tenant: &mut Tenant, id: &str, seed: &SeedUser, now_ms: i64) -> Planted {
    member_of(tenant, id, &seed.groups)?;
    active_roles(tenant, id, &seed.roles, now_ms);
    eligible_roles(tenant, id, &seed.eligible_roles, now_ms);
    for (table, pims) in [
        (Table::EligibleGroups, &seed.eligible_groups),
        (Table::ActiveGroups, &seed.active_groups),
    ] {
        pims.iter()
            .try_for_each(|seed| group_pim(tenant, id, table, seed, now_ms))?;
    }
    assigned_to(tenant, id, &seed.app_roles, now_ms)?;
    for grant in &seed.grants {
        let client = object(tenant, &[Kind::ServicePrincipal], &grant.client)?;
        granted(tenant, &client, Some(id), grant)?;
    }
    for collection in &seed.methods {
        methods::give(tenant, id, collection)?;
    }
    for device in &seed.devices {
        objects::device(tenant, device, id, now_ms)?;
    }
    for name in &seed.owns {
        let (table, owned) = ownable(tenant, name)?;
        tenant.store.put(table, id, &owned, Record::new());
    }
    azure_roles(tenant, id, &seed.azure, now_ms);
    Ok(())
}

fn member_of(tenant: &mut Tenant, id: &str, groups: &[String]) -> Planted {
    for name in groups {
        let group = object(tenant, &[Kind::Group], name)?;
        tenant
            .store
            .put(Table::Members, id, &group, record(json!({})));
    }
    Ok(())
}

fn owned_by(tenant: &mut Tenant, id: &str, owners: &[String]) -> Planted {
    for name in owners {
        let owner = principal(tenant, name)?;
        tenant.store.put(Table::Owners, &owner, id, Record::new());
    }
    Ok(())
}

fn active_roles(tenant: &mut Tenant, id: &str, seeds: &[SeedRole], now_ms: i64) {
    for seed in seeds {
        let (role, scope) = (role(&seed.role), seed.scope.as_deref().unwrap_or("/"));
        roles::give(tenant, id, role, scope);
        if seed.pim {
            let term = term(seed.activated, seed.until.as_deref());
            pim::schedule(tenant, Table::ActiveRoles, id, role, scope, &term, now_ms);
        }
    }
}

fn eligible_roles(tenant: &mut Tenant, id: &str, seeds: &[SeedRole], now_ms: i64) {
    for seed in seeds {
        let (role, scope) = (role(&seed.role), seed.scope.as_deref().unwrap_or("/"));
        let term = term(false, seed.until.as_deref());
        pim::schedule(tenant, Table::EligibleRoles, id, role, scope, &term, now_ms);
    }
}

fn term(activated: bool, until: Option<&str>) -> pim::Term {
    pim::Term {
        activated,
        until: until.map(str::to_owned),
    }
}

fn group_pim(tenant: &mut Tenant, id: &str, table: Table, seed: &SeedPim, now_ms: i64) -> Planted {
    let group = object(tenant, &[Kind::Group], &seed.group)?;
    let access = if seed.owner { "owner" } else { "member" };
    let term = term(seed.activated, seed.until.as_deref());
    pim_groups::schedule(tenant, table, id, (&group, access), &term, now_ms);
    if table == Table::ActiveGroups {
        let edge = if seed.owner {
            Table::Owners
        } else {
            Table::Members
        };
        tenant.store.put(edge, id, &group, Record::new());
    }
    Ok(())
}

fn assigned_to(tenant: &mut Tenant, id: &str, applications: &[String], now_ms: i64) -> Planted {
    for name in applications {
        let resource = object(tenant, &[Kind::ServicePrincipal], name)?;
        let found = tenant.store.object(Table::ServicePrincipals, &resource);
        let role = found.and_then(|found| {
            let role = list(&found, "appRoles").first()?;
            role["id"].as_str().map(str::to_owned)
        });
        let role = role.unwrap_or_else(|| DEFAULT_ACCESS.to_owned());
        app_roles::give(tenant, id, &resource, &role, now_ms);
    }
    Ok(())
}

fn granted(tenant: &mut Tenant, client: &str, user: Option<&str>, seed: &SeedGrant) -> Planted {
    let resource = match &seed.resource {
        Some(name) => object(tenant, &[Kind::ServicePrincipal], name)?,
        None => client.to_owned(),
    };
    let scope = if seed.scope.is_empty() {
        "User.Read"
    } else {
        &seed.scope
    };
    grants::give(tenant, client, user, &resource, scope);
    Ok(())
}

fn azure_roles(tenant: &mut Tenant, id: &str, seeds: &[SeedAzure], now_ms: i64) {
    for seed in seeds {
        let role = azure_role(&seed.role);
        if seed.eligible {
            let until = seed.until.as_deref();
            azure_pim::give(tenant, id, &seed.scope, role, until, now_ms);
        } else {
            azure::give(tenant, (id, &seed.scope, role), None, None, now_ms);
        }
    }
}
