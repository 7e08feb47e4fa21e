//! Service principals: an application as it is present in the tenant.

use serde_json::json;

use crate::entra::audit_log::Change;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Record, Table, Tenant, text};
use crate::exchange::Reply;

/// What a PATCH may set.
const WRITABLE: [&str; 6] = [
    "accountEnabled",
    "appRoleAssignmentRequired",
    "keyCredentials",
    "notes",
    "displayName",
    "tags",
];

/// `GET /servicePrincipals`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let rows = tenant.store.all(Table::ServicePrincipals);
    let items = rows
        .iter()
        .map(|row| render::object(tenant, call, Kind::ServicePrincipal, &row.id, &row.record));
    let items = items.collect();
    page::reply(&tenant.settings, call, "servicePrincipals", items)
}

/// `GET /servicePrincipals/{principal}`, also as `/servicePrincipals(appId='...')`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, principal) = tenant.object(Kind::ServicePrincipal, call.argument(0))?;
    Ok(render::one(
        tenant,
        call,
        Kind::ServicePrincipal,
        &id,
        &principal,
    ))
}

/// `PATCH /servicePrincipals/{principal}`.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, principal) = tenant.object(Kind::ServicePrincipal, call.argument(0))?;
    refuse_managed(&principal)?;
    let changes = call.json()?;
    refuse_unknown(&changes, &WRITABLE)?;
    let changed = tenant
        .store
        .patch(Table::ServicePrincipals, "", &id, |record| {
            for (name, value) in &changes {
                record.insert(name.clone(), value.clone());
            }
        });
    let enabled = |record: &Record| record.get("accountEnabled").cloned();
    let before = enabled(&principal).unwrap_or_default();
    let change = Change {
        category: "ApplicationManagement",
        activity: "Update service principal",
        targets: vec![&id],
        modified: enabled(&changes)
            .map(|now| ("AccountEnabled", json!([before]), json!([now])))
            .into_iter()
            .collect(),
        service: None,
    };
    tenant.audit_change(call, &change);
    let reply = Reply::empty(204);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// `DELETE /servicePrincipals/{principal}`.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, principal) = tenant.object(Kind::ServicePrincipal, call.argument(0))?;
    refuse_managed(&principal)?;
    tenant.audit(
        call,
        "ApplicationManagement",
        "Remove service principal",
        &[&id],
    );
    tenant.soft_delete(Kind::ServicePrincipal, &id, call.now_ms);
    Ok(Reply::empty(204))
}

/// Managed identities go with their Azure resource, Microsoft's own applications with nothing.
///
/// # Errors
/// 403.
fn refuse_managed(principal: &Record) -> Result<(), ApiError> {
    let managed = text(principal, "servicePrincipalType") == "ManagedIdentity";
    if managed || principal.contains_key("_first_party") {
        return Err(ApiError::denied());
    }
    Ok(())
}

/// # Errors
/// 400 for a member that is not in `writable`.
pub fn refuse_unknown(changes: &Record, writable: &[&str]) -> Result<(), ApiError> {
    match changes
        .keys()
        .find(|name| !writable.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) => Err(ApiError::bad_request(&format!(
            "Property '{name}' is read-only or does not exist and cannot be set."
        ))),
    }
}
