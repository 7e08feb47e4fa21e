//! Privileged Identity Management of Azure (api-version 2020-10-01): who may activate a role at a scope, and requests.
//!
//! The scope is the first argument of a call, the name of a request the second.

use serde_json::{Value, json};

use super::azure::{asked_of, principal_kind, require_scope, require_version, role_name};
use super::pim::{Term, absent, require};
use super::wanted;
use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Record, Row, Table, Tenant, record, text};
use crate::exchange::Reply;

/// `GET {scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances`: at, above and below the scope; what a group
/// gives is shown with the member type `Group`.
pub fn instances(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    require(tenant)?;
    let scope = call.argument(0).to_owned();
    require_scope(tenant, &scope)?;
    let asked = asked_of(call).filter(|_| !tenant.settings.ignore_filter);
    let mut items: Vec<Value> = Vec::new();
    for row in tenant.store.all(Table::AzureEligible) {
        let at = text(&row.record, "_scope");
        if !tenant.scope_holds(at, &scope) && !tenant.scope_holds(&scope, at) {
            continue;
        }
        let mut own = render::shown(&row.record);
        for member in tenant.store.owners(Table::Members, &row.owner) {
            if asked.as_deref().is_none_or(|asked| asked == member) {
                let mut through = own.clone();
                through["properties"]["memberType"] = json!("Group");
                items.push(through);
            }
        }
        if asked.as_deref().is_none_or(|asked| asked == row.owner) {
            own["properties"]["memberType"] = json!("Direct");
            items.push(own);
        }
    }
    page::reply_azure(&tenant.settings, call, items)
}

/// `PUT {scope}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{name}`.
pub fn request(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    require_version(call)?;
    require(tenant)?;
    let scope = call.argument(0).to_owned();
    require_scope(tenant, &scope)?;
    let body = call.json()?;
    let empty = Record::new();
    let properties = body
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let principal = wanted(properties, "principalId")?.to_owned();
    let role = wanted(properties, "roleDefinitionId")?.to_owned();
    let kind = wanted(properties, "requestType")?;
    let existing = find(tenant, &principal, &scope, &role);
    let status = match kind {
        "AdminRemove" => {
            let row = existing.ok_or_else(absent)?;
            tenant
                .store
                .remove(Table::AzureEligible, &principal, &row.id);
            if tenant.settings.unconfirmed.pim_gone_on_success {
                return Err(absent());
            }
            "Revoked"
        }
        "AdminAssign" => {
            if existing.is_some() {
                let message = "The Role assignment already exists.";
                return Err(ApiError::new(400, "RoleAssignmentExists", message));
            }
            let until = Term::of_request(properties).until;
            give(
                tenant,
                &principal,
                &scope,
                &role,
                until.as_deref(),
                call.now_ms,
            );
            "Provisioned"
        }
        _ => {
            return Err(ApiError::bad_request(
                "The request type is not supported here.",
            ));
        }
    };
    let name = call.argument(1);
    let made = json!({
        "name": name, "type": "Microsoft.Authorization/RoleEligibilityScheduleRequests",
        "id": format!("{}/providers/Microsoft.Authorization/RoleEligibilityScheduleRequests/{name}", scope.trim_end_matches('/')),
        "properties": { "scope": scope, "roleDefinitionId": role, "principalId": principal, "requestType": kind, "status": status },
    });
    Ok(Reply::json(201, &made))
}

/// Makes a principal eligible. `role` is the id of a definition, with or without its path.
pub fn give(
    tenant: &mut Tenant,
    principal: &str,
    scope: &str,
    role: &str,
    until: Option<&str>,
    now_ms: i64,
) {
    let name = tenant.new_id();
    let base = scope.trim_end_matches('/');
    let role = role_name(role);
    let id =
        format!("{base}/providers/Microsoft.Authorization/RoleEligibilityScheduleInstances/{name}");
    let made = record(json!({
        "id": id, "name": name, "type": "Microsoft.Authorization/RoleEligibilityScheduleInstances", "_scope": scope, "_role": role,
        "properties": {
            "scope": scope, "principalId": principal, "principalType": principal_kind(tenant, principal),
            "roleDefinitionId": format!("{base}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "status": "Provisioned", "memberType": "Direct", "startDateTime": iso(now_ms), "endDateTime": until,
            "createdOn": iso(now_ms), "condition": null, "conditionVersion": null,
        },
    }));
    tenant.store.put(Table::AzureEligible, principal, &id, made);
}

fn find(tenant: &Tenant, principal: &str, scope: &str, role: &str) -> Option<Row> {
    let rows = tenant.store.of(Table::AzureEligible, principal);
    rows.into_iter().find(|row| {
        text(&row.record, "_scope").eq_ignore_ascii_case(scope)
            && text(&row.record, "_role") == role_name(role)
    })
}
