//! Application registrations, which exist only in their home tenant.

use serde_json::Value;

use super::service_principals::refuse_unknown;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Record, Table, Tenant, list as items_of};
use crate::exchange::Reply;

/// What a PATCH may set; secrets are not among it.
const WRITABLE: [&str; 5] = [
    "displayName",
    "keyCredentials",
    "notes",
    "signInAudience",
    "tags",
];

/// `GET /applications`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let rows = tenant.store.all(Table::Applications);
    let items = rows
        .iter()
        .map(|row| render::object(tenant, call, Kind::Application, &row.id, &row.record));
    let items = items.collect();
    page::reply(&tenant.settings, call, "applications", items)
}

/// `GET /applications/{application}`, also as `/applications(appId='...')`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, application) = tenant.object(Kind::Application, call.argument(0))?;
    Ok(render::one(
        tenant,
        call,
        Kind::Application,
        &id,
        &application,
    ))
}

/// `PATCH /applications/{application}`; `keyCredentials` replaces all keys at once.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, application) = tenant.object(Kind::Application, call.argument(0))?;
    let mut changes = call.json()?;
    refuse_unknown(&changes, &WRITABLE)?;
    if let Some(keys) = changes.get_mut("keyCredentials") {
        *keys = merged(tenant, &application, keys)?;
    }
    let changed = tenant.store.patch(Table::Applications, "", &id, |record| {
        for (name, value) in &changes {
            record.insert(name.clone(), value.clone());
        }
    });
    let activity = "Update application – Certificates and secrets management";
    tenant.audit(call, "ApplicationManagement", activity, &[&id]);
    let reply = Reply::empty(204);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// `DELETE /applications/{application}`: its service principal goes with it.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::Application, call.argument(0))?;
    tenant.audit(call, "ApplicationManagement", "Delete application", &[&id]);
    tenant.soft_delete(Kind::Application, &id, call.now_ms);
    Ok(Reply::empty(204))
}

/// The keys as they will be: one without content is the one that was there, by its `keyId`.
fn merged(tenant: &Tenant, application: &Record, keys: &Value) -> Result<Value, ApiError> {
    let held = items_of(application, "keyCredentials");
    let keys = keys
        .as_array()
        .ok_or_else(|| ApiError::bad_request("keyCredentials must be a collection."))?;
    let mut kept = Vec::new();
    for key in keys {
        if key["key"].is_string() {
            kept.push(key.clone());
            continue;
        }
        let same = held.iter().find(|held| held["keyId"] == key["keyId"]);
        match same.filter(|_| tenant.settings.unconfirmed.null_key_kept) {
            Some(held) => kept.push(held.clone()),
            None => {
                return Err(ApiError::bad_request(
                    "New password or key credentials must have a value.",
                ));
            }
        }
    }
    Ok(Value::Array(kept))
}
