//! Admin roles of apps: `/oauth2/v1/clients/{client}/roles`.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::api::roles::{label_of, target_apps, with_targets};
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::whole;
use crate::okta::state::{Client, Org, Role};

/// `GET /oauth2/v1/clients/{client}/roles`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let roles = find(org, call)?.roles.values();
    let items: Vec<Value> = roles
        .map(|role| with_targets(call, role, to_json(role)))
        .collect();
    Ok(whole(call, &items))
}

/// `POST /oauth2/v1/clients/{client}/roles` with `{"type"}`: 409 E0000090 for a role it has.
pub fn assign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let body: Value = call.json()?;
    let kind = body["type"].as_str().unwrap_or_default().to_owned();
    let id = org.new_id("irb");
    let client = find(org, call)?;
    if client.roles.values().any(|role| role.kind == kind) {
        return Err(Code::RoleAlreadyAssigned.into());
    }
    let role = Role {
        id,
        label: label_of(&kind),
        kind,
        custom_role: body["role"].as_str().map(str::to_owned),
        resource_set: body["resource-set"].as_str().map(str::to_owned),
        target_groups: Vec::new(),
        target_apps: Vec::new(),
    };
    let reply = Reply::json(201, &to_json(&role));
    client.roles.insert(role.id.clone(), role);
    log(org, call, "app.oauth2.client.privilege.grant");
    Ok(reply)
}

/// `DELETE /oauth2/v1/clients/{client}/roles/{role}`.
pub fn unassign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(1);
    let removed = find(org, call)?.roles.remove(id);
    removed.ok_or_else(|| ApiError::not_found(id, "RoleAssignment"))?;
    log(org, call, "app.oauth2.client.privilege.revoke");
    Ok(Reply::empty(204))
}

/// `GET /oauth2/v1/clients/{client}/roles/{role}/targets/catalog/apps`.
pub fn list_target_apps(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    target_apps(call, find(org, call)?.roles.get(call.argument(1)))
}

fn find<'a>(org: &'a mut Org, call: &Call) -> Result<&'a mut Client, ApiError> {
    let id = call.argument(0);
    let mut apps = org.apps.values_mut();
    let found = apps.find(|app| app.client.client_id == id);
    found
        .map(|app| &mut app.client)
        .ok_or_else(|| ApiError::not_found(id, "PublicClientApp"))
}

fn log(org: &mut Org, call: &Call, kind: &'static str) {
    let client = call.argument(0);
    let app = org.app_of_client(client).map(|app| app.id.clone());
    let target = org.app_target(&app.unwrap_or_default());
    org.log(call, kind, vec![target]);
}

fn to_json(role: &Role) -> Value {
    json!({
        "id": role.id, "label": role.label, "type": role.kind, "status": "ACTIVE", "assignmentType": "CLIENT",
        "role": role.custom_role, "resource-set": role.resource_set,
    })
}
