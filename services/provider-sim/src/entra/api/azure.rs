//! Azure Resource Manager: subscriptions, management groups, role assignments (api-version 2022-04-01).
//!
//! The scope is the first argument of a call, the name of an assignment the second.

use serde_json::{Value, json};

use super::wanted;
use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, OWNER_ROLE, Record, Row, Table, Tenant, flag, record, text};
use crate::exchange::Reply;

const PROVIDER: &str = "providers/Microsoft.Authorization/roleAssignments";

/// Which assignments a list is of.
enum Wanted {
    /// Those of a principal, at, above or below the scope.
    Of(String),
    /// Those and the ones of the principal's groups.
    AssignedTo(String),
    /// Those at the scope or above.
    AtScope,
    /// Everything that concerns the scope.
    All,
}

/// `GET /subscriptions`.
pub fn subscriptions(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let items = render::rows(&tenant.store.all(Table::Subscriptions));
    page::reply_azure(&tenant.settings, call, items)
}

/// `GET /providers/Microsoft.Management/managementGroups`.
pub fn management_groups(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let items = render::rows(&tenant.store.all(Table::ManagementGroups));
    page::reply_azure(&tenant.settings, call, items)
}

/// `GET {scope}/providers/Microsoft.Authorization/roleAssignments`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    let scope = call.argument(0).to_owned();
    require_scope(tenant, &scope)?;
    let wanted = wanted_of(call)?;
    let rows = tenant.store.all(Table::Azure).into_iter().filter(|row| {
        let at = text(&row.record, "_scope");
        let (above, below) = (
            tenant.scope_holds(at, &scope),
            tenant.scope_holds(&scope, at),
        );
        if tenant.settings.ignore_filter {
            return above || below;
        }
        match &wanted {
            Wanted::Of(principal) => row.owner == *principal && (above || below),
            Wanted::AssignedTo(principal) => {
                let through = tenant
                    .store
                    .get(Table::Members, principal, &row.owner)
                    .is_some();
                (row.owner == *principal || through) && (above || below)
            }
            Wanted::AtScope => above,
            Wanted::All => above || below,
        }
    });
    let items: Vec<Value> = rows.map(|row| render::shown(&row.record)).collect();
    page::reply_azure(&tenant.settings, call, items)
}

/// `GET {assignment}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    let row = find(tenant, call).ok_or_else(|| not_found(call))?;
    Ok(Reply::json(200, &render::shown(&row.record)))
}

/// `DELETE {assignment}`: 200 with what was deleted, 204 where it is gone.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    require_scope(tenant, call.argument(0))?;
    let Some(row) = find(tenant, call) else {
        return Ok(Reply::empty(204).unchanged());
    };
    refuse_locked(tenant, call.argument(0))?;
    let status = tenant.settings.unconfirmed.azure_last_owner;
    if status != 0 && is_last_owner(tenant, &row) {
        let message = "The last owner of the subscription cannot be removed.";
        return Err(ApiError::new(
            status,
            "RoleAssignmentUpdateNotPermitted",
            message,
        ));
    }
    tenant.store.remove(Table::Azure, &row.owner, &row.id);
    Ok(Reply::json(200, &render::shown(&row.record)))
}

/// `PUT {assignment}`.
pub fn put(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    let (scope, name) = (call.argument(0), call.argument(1));
    require_scope(tenant, scope)?;
    refuse_locked(tenant, scope)?;
    let body = call.json()?;
    let empty = Record::new();
    let properties = body
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let principal = wanted(properties, "principalId")?;
    let role = wanted(properties, "roleDefinitionId")?;
    if let Some(row) = find(tenant, call) {
        return Ok(Reply::json(200, &render::shown(&row.record)).unchanged());
    }
    if tenant.kind_of(principal).is_none() {
        let message = format!("Principal {principal} does not exist in the directory.");
        return Err(ApiError::new(400, "PrincipalNotFound", &message));
    }
    let rows = tenant.store.of(Table::Azure, principal);
    let exists = rows.iter().any(|row| {
        text(&row.record, "_scope") == scope && text(&row.record, "_role") == role_name(role)
    });
    if exists {
        let message = "The role assignment already exists.";
        return Err(ApiError::new(409, "RoleAssignmentExists", message));
    }
    let by = Some(call.principal.object_id.as_str());
    let made = give(
        tenant,
        (principal, scope, role),
        Some(name),
        by,
        call.now_ms,
    );
    Ok(Reply::json(201, &render::shown(&made)))
}

/// Makes an assignment of a role at a scope to a principal, by whom, and returns it. `role` is the id of a definition, with or
/// without its path.
pub fn give(
    tenant: &mut Tenant,
    (principal, scope, role): (&str, &str, &str),
    name: Option<&str>,
    by: Option<&str>,
    now_ms: i64,
) -> Record {
    let name = name.map_or_else(|| tenant.new_id(), str::to_owned);
    let base = scope.trim_end_matches('/');
    let id = format!("{base}/{PROVIDER}/{name}");
    let kind = principal_kind(tenant, principal);
    let role = role_name(role);
    let definition = format!("{base}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let made = record(json!({
        "id": id, "name": name, "type": "Microsoft.Authorization/roleAssignments",
        "_scope": scope, "_role": role,
        "properties": {
            "scope": scope, "roleDefinitionId": definition, "principalId": principal, "principalType": kind,
            "description": null, "condition": null, "conditionVersion": null, "createdOn": iso(now_ms),
            "updatedOn": iso(now_ms), "createdBy": by, "updatedBy": by,
        },
    }));
    tenant.store.put(Table::Azure, principal, &id, made.clone());
    made
}

/// The principal that an assignment is of, for the journal.
pub fn principal_of(tenant: &Tenant, call: &Call) -> Option<String> {
    find(tenant, call).map(|row| row.owner)
}

/// The principal that a list is about, for the journal.
pub fn asked_of(call: &Call) -> Option<String> {
    match wanted_of(call).ok()? {
        Wanted::Of(principal) | Wanted::AssignedTo(principal) => Some(principal),
        Wanted::AtScope | Wanted::All => None,
    }
}

fn find(tenant: &Tenant, call: &Call) -> Option<Row> {
    let base = call.argument(0).trim_end_matches('/');
    let id = format!("{base}/{PROVIDER}/{}", call.argument(1));
    tenant.store.find(Table::Azure, &id).or_else(|| {
        let rows = tenant.store.all(Table::Azure);
        rows.into_iter()
            .find(|row| row.id.eq_ignore_ascii_case(&id))
    })
}

fn wanted_of(call: &Call) -> Result<Wanted, ApiError> {
    let Some(filter) = call.parameter("$filter") else {
        return Ok(Wanted::All);
    };
    let plain = filter.replace(['\'', ' '], "");
    if plain == "atScope()" {
        return Ok(Wanted::AtScope);
    }
    if let Some(principal) = plain.strip_prefix("principalIdeq") {
        return Ok(Wanted::Of(principal.to_owned()));
    }
    let assigned = plain.strip_prefix("assignedTo(");
    match assigned.and_then(|rest| rest.strip_suffix(')')) {
        Some(principal) => Ok(Wanted::AssignedTo(principal.to_owned())),
        None => Err(ApiError::new(
            400,
            "UnsupportedQuery",
            "The filter is not supported.",
        )),
    }
}

/// Every call names a version.
pub fn require_version(call: &Call) -> Result<(), ApiError> {
    match call.parameter("api-version") {
        Some(_) => Ok(()),
        None => {
            let message =
                "The api-version query parameter (?api-version=) is required for all requests.";
            Err(ApiError::new(400, "MissingApiVersionParameter", message))
        }
    }
}

/// A subscription or management group must exist.
pub fn require_scope(tenant: &Tenant, scope: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = scope.split('/').filter(|part| !part.is_empty()).collect();
    let known = match parts[..] {
        ["subscriptions", id, ..] => tenant.store.object(Table::Subscriptions, id).is_some(),
        ["providers", _, "managementGroups", name] => {
            tenant.store.object(Table::ManagementGroups, name).is_some()
        }
        _ => parts.is_empty(),
    };
    match known {
        true => Ok(()),
        false => Err(ApiError::new(
            404,
            "SubscriptionNotFound",
            "The scope could not be found.",
        )),
    }
}

fn refuse_locked(tenant: &Tenant, scope: &str) -> Result<(), ApiError> {
    let id = scope.split('/').nth(2).unwrap_or_default();
    let subscription = tenant.store.object(Table::Subscriptions, id);
    match subscription.is_some_and(|row| flag(&row, "_locked")) {
        false => Ok(()),
        true => Err(ApiError::new(
            409,
            "ScopeLocked",
            "The scope cannot perform delete operation because it is locked.",
        )),
    }
}

fn is_last_owner(tenant: &Tenant, row: &Row) -> bool {
    let scope = text(&row.record, "_scope");
    let owns = |row: &Row| {
        text(&row.record, "_scope") == scope && text(&row.record, "_role") == OWNER_ROLE
    };
    scope.matches('/').count() == 2
        && owns(row)
        && tenant
            .store
            .all(Table::Azure)
            .iter()
            .filter(|row| owns(row))
            .count()
            == 1
}

/// The word for the kind of a principal.
pub fn principal_kind(tenant: &Tenant, principal: &str) -> &'static str {
    tenant.kind_of(principal).map_or("User", Kind::word)
}

/// The last segment of a definition's id.
pub fn role_name(role: &str) -> &str {
    role.rsplit('/').next().unwrap_or(role)
}

fn not_found(call: &Call) -> ApiError {
    let message = format!("The role assignment '{}' is not found.", call.argument(1));
    ApiError::new(404, "RoleAssignmentNotFound", &message)
}
