//! Devices, by those who own and those who registered them.

use serde_json::Value;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant};
use crate::exchange::Reply;

/// `GET /users/{user}/registeredDevices`.
pub fn registered(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    of_user(tenant, call, Table::DeviceUsers)
}

/// `GET /users/{user}/ownedDevices`.
pub fn owned(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    of_user(tenant, call, Table::DeviceOwners)
}

/// `GET /devices/{device}/registeredUsers`.
pub fn users(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    people(tenant, call, Table::DeviceUsers)
}

/// `GET /devices/{device}/registeredOwners`.
pub fn owners(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    people(tenant, call, Table::DeviceOwners)
}

fn people(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::Device, call.argument(0))?;
    let items = super::members::principals(tenant, call, table, &id);
    page::reply(&tenant.settings, call, "directoryObjects", items)
}

/// `GET /devices/{device}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, device) = tenant.object(Kind::Device, call.argument(0))?;
    Ok(render::one(tenant, call, Kind::Device, &id, &device))
}

/// `PATCH /devices/{device}`.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::Device, call.argument(0))?;
    let changes = call.json()?;
    let changed = tenant.store.patch(Table::Devices, "", &id, |record| {
        if let Some(enabled) = changes.get("accountEnabled") {
            record.insert("accountEnabled".into(), enabled.clone());
        }
    });
    tenant.audit(call, "Device", "Update device", &[&id]);
    let reply = Reply::empty(204);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// `DELETE /devices/{device}`.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::Device, call.argument(0))?;
    tenant.audit(call, "Device", "Delete device", &[&id]);
    tenant.store.remove(Table::Devices, "", &id);
    for table in [Table::DeviceOwners, Table::DeviceUsers] {
        for user in tenant.store.owners(table, &id) {
            tenant.store.remove(table, &user, &id);
        }
    }
    Ok(Reply::empty(204))
}

fn of_user(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    let user = tenant.id_of(Kind::User, call.argument(0))?;
    let rows = tenant.store.of(table, &user);
    let devices: Vec<Value> = rows
        .iter()
        .filter_map(|row| {
            let device = tenant.store.object(Table::Devices, &row.id)?;
            Some(render::typed(tenant, call, Kind::Device, &row.id, &device))
        })
        .collect();
    page::reply(&tenant.settings, call, "directoryObjects", devices)
}
