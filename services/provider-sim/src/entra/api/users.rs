//! Users, their sessions, and the organisation that they are in.

use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant, flag, record, text};
use crate::exchange::Reply;

/// Members of a user that a local directory is the master of.
const MASTERED: [&str; 9] = [
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "mail",
    "mobilePhone",
    "userPrincipalName",
    "employeeId",
    "officeLocation",
];
/// Members that no PATCH sets.
const READ_ONLY: [&str; 5] = [
    "id",
    "assignedLicenses",
    "licenseAssignmentStates",
    "signInSessionsValidFromDateTime",
    "deletedDateTime",
];

/// `GET /organization`.
pub fn organization(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let organization = json!({
        "id": tenant.id, "displayName": tenant.name, "tenantType": "AAD",
        "verifiedDomains": [{ "name": format!("{}.example", tenant.name), "isDefault": true }],
    });
    page::reply(&tenant.settings, call, "organization", vec![organization])
}

/// `GET /users`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let rows = tenant.store.all(Table::Users);
    let users = rows
        .iter()
        .map(|row| render::object(tenant, call, Kind::User, &row.id, &row.record));
    let users = users.collect();
    let default = Some(&render::USER_DEFAULT[..]);
    page::reply_with(&tenant.settings, call, "users", users, default)
}

/// `GET /users/{user}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, user) = tenant.object(Kind::User, call.argument(0))?;
    Ok(render::one(tenant, call, Kind::User, &id, &user))
}

/// `PATCH /users/{user}`.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, user) = tenant.object(Kind::User, call.argument(0))?;
    let changes = call.json()?;
    refuse_update(
        tenant,
        call,
        &id,
        flag(&user, "onPremisesSyncEnabled"),
        &changes,
    )?;
    let mut changed = false;
    if let Some(enabled) = changes.get("accountEnabled").and_then(Value::as_bool) {
        changed |= tenant.set_enabled(&id, enabled);
    }
    changed |= tenant.store.patch(Table::Users, "", &id, |record| {
        for (name, value) in &changes {
            record.insert(name.clone(), value.clone());
        }
    });
    if !changed {
        return Ok(Reply::empty(204).unchanged());
    }
    let activity = match changes.get("accountEnabled") {
        Some(Value::Bool(false)) => "Disable account",
        Some(Value::Bool(true)) => "Enable account",
        _ => "Update user",
    };
    tenant.audit(call, "UserManagement", activity, &[&id]);
    Ok(Reply::empty(204))
}

fn refuse_update(
    tenant: &Tenant,
    call: &Call,
    id: &str,
    synced: bool,
    changes: &Map<String, Value>,
) -> Result<(), ApiError> {
    let sensitive = [
        "accountEnabled",
        "userPrincipalName",
        "mobilePhone",
        "passwordProfile",
    ];
    if let Some(name) = READ_ONLY.iter().find(|name| changes.contains_key(**name)) {
        let message = format!("Property '{name}' is read-only and cannot be set.");
        return Err(ApiError::bad_request(&message));
    }
    if sensitive.iter().any(|name| changes.contains_key(*name)) {
        tenant.protect_administrator(&call.principal, id)?;
    }
    let disabling = changes.contains_key("accountEnabled");
    let refuses = disabling && tenant.settings.unconfirmed.disable_synced_user == 400;
    if synced && (refuses || MASTERED.iter().any(|name| changes.contains_key(*name))) {
        return Err(ApiError::on_premises());
    }
    Ok(())
}

/// `DELETE /users/{user}`: to the deleted items.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::User, call.argument(0))?;
    tenant.protect_administrator(&call.principal, &id)?;
    tenant.audit(call, "UserManagement", "Delete user", &[&id]);
    tenant.soft_delete(Kind::User, &id, call.now_ms);
    Ok(Reply::empty(204))
}

/// `POST /users/{user}/revokeSignInSessions`. Guests have their sessions at home.
pub fn revoke_sessions(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, user) = tenant.object(Kind::User, call.argument(0))?;
    if text(&user, "userType") != "Guest" {
        tenant.set_sessions(&id, 0);
    }
    tenant.store.patch(Table::Users, "", &id, |record| {
        record.insert(
            "signInSessionsValidFromDateTime".into(),
            json!(iso(call.now_ms)),
        );
    });
    tenant.audit(
        call,
        "UserManagement",
        "Update StsRefreshTokenValidFrom Timestamp",
        &[&id],
    );
    if tenant.settings.unconfirmed.revoke_sessions_status == 204 {
        return Ok(Reply::empty(204));
    }
    let value = record(json!({ "value": true }));
    Ok(render::plain(call, 200, "Edm.Boolean", &value))
}
