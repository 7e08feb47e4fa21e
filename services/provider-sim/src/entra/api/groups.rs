//! Groups, and what a principal is in.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant, text};
use crate::exchange::Reply;

/// `GET /groups`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let rows = tenant.store.all(Table::Groups);
    let groups = rows
        .iter()
        .map(|row| render::object(tenant, call, Kind::Group, &row.id, &row.record));
    let groups = groups.collect();
    page::reply(&tenant.settings, call, "groups", groups)
}

/// `GET /groups/{group}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, group) = tenant.object(Kind::Group, call.argument(0))?;
    Ok(render::one(tenant, call, Kind::Group, &id, &group))
}

/// `GET /users/{user}/memberOf`: groups and active directory roles.
pub fn of_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    member_of(tenant, call, Kind::User, false)
}

/// `GET /users/{user}/transitiveMemberOf`.
pub fn transitive_of_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    member_of(tenant, call, Kind::User, true)
}

/// `GET /servicePrincipals/{principal}/memberOf`.
pub fn of_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    member_of(tenant, call, Kind::ServicePrincipal, false)
}

fn member_of(
    tenant: &mut Tenant,
    call: &Call,
    kind: Kind,
    transitive: bool,
) -> Result<Reply, ApiError> {
    let id = tenant.id_of(kind, call.argument(0))?;
    let cast = call.argument(1);
    let mut items = Vec::new();
    if cast.is_empty() || cast == Kind::Group.cast() {
        for group in groups_of(tenant, &id, transitive) {
            if let Some(record) = tenant.store.object(Table::Groups, &group) {
                items.push(render::typed(tenant, call, Kind::Group, &group, &record));
            }
        }
    }
    if cast.is_empty() || cast == "microsoft.graph.directoryRole" {
        items.extend(directory_roles(tenant, &id));
    }
    page::reply(&tenant.settings, call, "directoryObjects", items)
}

/// The groups that `principal` is in, directly or also through groups.
fn groups_of(tenant: &Tenant, principal: &str, transitive: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![principal.to_owned()];
    while let Some(member) = next.pop() {
        for row in tenant.store.of(Table::Members, &member) {
            if found.insert(row.id.clone()) && transitive {
                next.push(row.id);
            }
        }
    }
    found
}

/// Active roles over the whole directory appear as memberships of their role.
fn directory_roles(tenant: &Tenant, principal: &str) -> Vec<Value> {
    let rows = tenant.store.of(Table::Roles, principal);
    let whole = rows
        .iter()
        .filter(|row| text(&row.record, "directoryScopeId") == "/");
    whole
        .map(|row| {
            let role = text(&row.record, "roleDefinitionId");
            json!({
                "@odata.type": "#microsoft.graph.directoryRole", "id": role, "roleTemplateId": role,
                "displayName": super::roles::name_of(role),
            })
        })
        .collect()
}
