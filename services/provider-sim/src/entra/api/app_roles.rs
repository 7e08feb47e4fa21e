//! App role assignments, from both ends.

use serde_json::{Value, json};

use super::wanted;
use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Record, Table, Tenant, record, text};
use crate::exchange::Reply;

/// `GET /users/{user}/appRoleAssignments`: the user's own and those of the groups that they are directly in.
pub fn of_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let user = tenant.id_of(Kind::User, call.argument(0))?;
    let mut items = render::rows(&tenant.store.of(Table::AppRoles, &user));
    for group in tenant.store.of(Table::Members, &user) {
        items.extend(render::rows(&tenant.store.of(Table::AppRoles, &group.id)));
    }
    page::reply(&tenant.settings, call, "appRoleAssignments", items)
}

/// `GET /servicePrincipals/{principal}/appRoleAssignments`: what it may do elsewhere.
pub fn of_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::ServicePrincipal, call.argument(0))?;
    let items = render::rows(&tenant.store.of(Table::AppRoles, &id));
    page::reply(&tenant.settings, call, "appRoleAssignments", items)
}

/// `GET /servicePrincipals/{principal}/appRoleAssignedTo`: who may use it.
pub fn assigned_to(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::ServicePrincipal, call.argument(0))?;
    let mut rows = tenant.store.all(Table::AppRoles);
    rows.retain(|row| {
        text(&row.record, "resourceId") == id && tenant.kind_of(&row.owner).is_some()
    });
    page::reply(
        &tenant.settings,
        call,
        "appRoleAssignments",
        render::rows(&rows),
    )
}

/// `POST /servicePrincipals/{principal}/appRoleAssignedTo`.
pub fn assign(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let resource = tenant.id_of(Kind::ServicePrincipal, call.argument(0))?;
    let body = call.json()?;
    let principal = wanted(&body, "principalId")?;
    let role = wanted(&body, "appRoleId")?;
    if wanted(&body, "resourceId")? != resource {
        return Err(ApiError::bad_request(
            "The resourceId must be the service principal in the address.",
        ));
    }
    if tenant.kind_of(principal).is_none() {
        return Err(ApiError::not_found(principal));
    }
    let held = tenant.store.of(Table::AppRoles, principal);
    let exists = held.iter().any(|row| {
        text(&row.record, "resourceId") == resource && text(&row.record, "appRoleId") == role
    });
    if exists {
        return Err(ApiError::bad_request(
            "Permission being assigned already exists on the object",
        ));
    }
    let made = give(tenant, principal, &resource, role, call.now_ms);
    let (category, activity) = added(tenant, principal);
    tenant.audit(call, category, activity, &[&resource, principal]);
    Ok(render::plain(
        call,
        201,
        "appRoleAssignments/$entity",
        &made,
    ))
}

/// `DELETE /servicePrincipals/{principal}/appRoleAssignedTo/{assignment}`: by the resource.
pub fn remove_assigned_to(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, "resourceId")
}

/// `DELETE /users/{user}/appRoleAssignments/{assignment}` and that of service principals: by the principal.
pub fn remove_of_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, "principalId")
}

fn remove(tenant: &mut Tenant, call: &Call, end: &str) -> Result<Reply, ApiError> {
    let (holder, id) = (call.argument(0), call.argument(1));
    let row = tenant.store.find(Table::AppRoles, id);
    let row = row
        .filter(|row| text(&row.record, end) == holder)
        .ok_or_else(|| ApiError::not_found(id))?;
    tenant.store.remove(Table::AppRoles, &row.owner, id);
    let resource = text(&row.record, "resourceId");
    let (category, activity) = match tenant.kind_of(&row.owner) {
        Some(Kind::Group) => ("GroupManagement", "Remove app role assignment from group"),
        Some(Kind::User) => ("UserManagement", "Remove app role assignment from user"),
        _ => (
            "ApplicationManagement",
            "Remove app role assignment from service principal",
        ),
    };
    tenant.audit(call, category, activity, &[resource, &row.owner]);
    Ok(Reply::empty(204))
}

/// How the audit log calls an assignment to this principal: area and activity.
pub fn added(tenant: &Tenant, principal: &str) -> (&'static str, &'static str) {
    match tenant.kind_of(principal) {
        Some(Kind::Group) => ("GroupManagement", "Add app role assignment to group"),
        Some(Kind::User) => ("UserManagement", "Add app role assignment grant to user"),
        _ => (
            "ApplicationManagement",
            "Add app role assignment to service principal",
        ),
    }
}

/// Makes an assignment and returns it.
pub fn give(
    tenant: &mut Tenant,
    principal: &str,
    resource: &str,
    role: &str,
    now_ms: i64,
) -> Record {
    let id = tenant.dice.text(43);
    let kind = tenant.kind_of(principal).map_or("User", Kind::word);
    let made = record(json!({
        "id": id, "appRoleId": role, "createdDateTime": iso(now_ms), "deletedDateTime": null,
        "principalDisplayName": tenant.name_of(principal), "principalId": principal, "principalType": kind,
        "resourceDisplayName": tenant.name_of(resource), "resourceId": resource,
    }));
    tenant
        .store
        .put(Table::AppRoles, principal, &id, made.clone());
    made
}

/// The assignments whose resource is `resource`, for the truth.
pub fn at(tenant: &Tenant, resource: &str) -> Vec<Value> {
    let mut rows = tenant.store.all(Table::AppRoles);
    rows.retain(|row| text(&row.record, "resourceId") == resource);
    render::rows(&rows)
}
