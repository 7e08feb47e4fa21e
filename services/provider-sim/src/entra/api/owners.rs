//! Owners of groups, applications and service principals.

use serde_json::{Value, json};

use super::members::{absent, principals, referred};
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Ruled, Table, Tenant, flag, record, ruled_by};
use crate::exchange::Reply;

const LAST_OWNER: &str =
    "The group must have at least one owner, hence this owner cannot be removed.";
const ADDED_EXISTS: &str = "One or more added object references already exist for the following modified properties: 'owners'.";

/// `GET /users/{user}/ownedObjects`, with or without a cast.
pub fn of_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    owned(tenant, call, Kind::User)
}

/// `GET /servicePrincipals/{principal}/ownedObjects`.
pub fn of_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    owned(tenant, call, Kind::ServicePrincipal)
}

fn owned(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    let id = tenant.id_of(kind, call.argument(0))?;
    let cast = call.argument(1);
    let mut items: Vec<Value> = Vec::new();
    for row in tenant.store.of(Table::Owners, &id) {
        let Some(kind) = tenant.kind_of(&row.id) else {
            continue;
        };
        let found = tenant.store.object(kind.table(), &row.id);
        if let Some(record) = found.filter(|_| cast.is_empty() || cast == kind.cast()) {
            items.push(render::typed(tenant, call, kind, &row.id, &record));
        }
    }
    page::reply(&tenant.settings, call, "directoryObjects", items)
}

/// `GET /groups/{group}/owners`.
pub fn list_of_group(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    list(tenant, call, Kind::Group)
}

/// `GET /applications/{application}/owners`.
pub fn list_of_application(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    list(tenant, call, Kind::Application)
}

/// `GET /servicePrincipals/{principal}/owners`.
pub fn list_of_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    list(tenant, call, Kind::ServicePrincipal)
}

fn list(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    let id = tenant.id_of(kind, call.argument(0))?;
    let items = principals(tenant, call, Table::Owners, &id);
    page::reply(&tenant.settings, call, "directoryObjects", items)
}

/// `POST /groups/{group}/owners/$ref`.
pub fn add_to_group(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    add(tenant, call, Kind::Group)
}

/// `POST /applications/{application}/owners/$ref`.
pub fn add_to_application(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    add(tenant, call, Kind::Application)
}

/// `POST /servicePrincipals/{principal}/owners/$ref`.
pub fn add_to_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    add(tenant, call, Kind::ServicePrincipal)
}

fn add(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    let id = tenant.id_of(kind, call.argument(0))?;
    let owner = referred(tenant, call)?;
    if tenant.store.get(Table::Owners, &owner, &id).is_some() {
        return Err(ApiError::bad_request(ADDED_EXISTS));
    }
    tenant
        .store
        .put(Table::Owners, &owner, &id, record(json!({})));
    let (category, activity) = match kind {
        Kind::Application => ("ApplicationManagement", "Add owner to application"),
        Kind::ServicePrincipal => ("ApplicationManagement", "Add owner to service principal"),
        _ => ("GroupManagement", "Add owner to group"),
    };
    tenant.audit(call, category, activity, &[&owner, &id]);
    Ok(Reply::empty(204))
}

/// `DELETE /groups/{group}/owners/{owner}/$ref`. The last user among the owners stays; who owned a team leaves it.
pub fn remove_from_group(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let owner = call.argument(1);
    let (id, group) = tenant.object(Kind::Group, call.argument(0))?;
    if tenant.store.get(Table::Owners, owner, &id).is_none() {
        return Err(absent(tenant, &id, "owners"));
    }
    if ruled_by(&group) == Some(Ruled::Synced) {
        return Err(ApiError::on_premises());
    }
    if tenant.is_last_owner(&id, owner) {
        return Err(ApiError::bad_request(LAST_OWNER));
    }
    if flag(&group, "_team") {
        tenant.store.remove(Table::Members, owner, &id);
    }
    removed(tenant, call, &id, owner)
}

/// `DELETE /applications/{application}/owners/{owner}/$ref`.
pub fn remove_from_application(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, Kind::Application)
}

/// `DELETE /servicePrincipals/{principal}/owners/{owner}/$ref`.
pub fn remove_from_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, Kind::ServicePrincipal)
}

/// `DELETE .../owners/{owner}` without `/$ref`.
pub fn not_contained(_: &mut Tenant, _: &Call) -> Result<Reply, ApiError> {
    let message = "Write requests are only supported on contained entities";
    Err(ApiError::new(400, "BadRequest", message))
}

fn remove(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    let owner = call.argument(1);
    let id = tenant.id_of(kind, call.argument(0))?;
    if tenant.store.get(Table::Owners, owner, &id).is_none() {
        return Err(absent(tenant, &id, "owners"));
    }
    removed(tenant, call, &id, owner)
}

fn removed(tenant: &mut Tenant, call: &Call, id: &str, owner: &str) -> Result<Reply, ApiError> {
    let (category, activity) = match tenant.kind_of(id) {
        Some(Kind::Application) => ("ApplicationManagement", "Remove owner from application"),
        Some(Kind::ServicePrincipal) => (
            "ApplicationManagement",
            "Remove owner from service principal",
        ),
        _ => ("GroupManagement", "Remove owner from group"),
    };
    tenant.audit(call, category, activity, &[owner, id]);
    tenant.store.remove(Table::Owners, owner, id);
    Ok(Reply::empty(204))
}
