//! Admin roles of users and groups.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::whole;
use crate::okta::state::{Org, Role};

#[derive(Deserialize)]
struct Assignment {
    #[serde(rename = "type")]
    kind: String,
    role: Option<String>,
    #[serde(rename = "resource-set")]
    resource_set: Option<String>,
}

/// `GET /users/{user}/roles`: own assignments, and those that groups pass on.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let own = user.roles.values().map(|role| to_json(call, role, "USER"));
    let inherited = org
        .inherited_roles(user)
        .into_iter()
        .map(|(_, role)| to_json(call, role, "GROUP"));
    let items: Vec<Value> = own.chain(inherited).collect();
    Ok(whole(call, &items))
}

/// `GET /users/{user}/roles/{role}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let role = user
        .roles
        .get(call.argument(1))
        .ok_or_else(|| ApiError::not_found(call.argument(1), "RoleAssignment"))?;
    Ok(Reply::json(200, &to_json(call, role, "USER")))
}

/// `GET /groups/{group}/roles`.
pub fn list_of_group(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let group = org.group(call.argument(0))?;
    let items: Vec<Value> = group
        .roles
        .values()
        .map(|role| to_json(call, role, "GROUP"))
        .collect();
    Ok(whole(call, &items))
}

/// `POST /users/{user}/roles`: 409 E0000090 for a role the user has.
pub fn assign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let asked: Assignment = call.json()?;
    let same = |role: &Role| {
        role.kind == asked.kind
            && role.custom_role == asked.role
            && role.resource_set == asked.resource_set
    };
    if org.user(&user)?.roles.values().any(same) {
        return Err(Code::RoleAlreadyAssigned.into());
    }
    let custom = asked.kind == "CUSTOM";
    if custom && (asked.role.is_none() || asked.resource_set.is_none()) {
        return Err(ApiError::validation(
            "role",
            "role and resource-set are required for type CUSTOM",
        ));
    }
    let role = Role {
        id: org.new_id(if custom { "irb" } else { "ra1" }),
        label: label_of(&asked.kind),
        kind: asked.kind,
        custom_role: asked.role,
        resource_set: asked.resource_set,
        target_groups: Vec::new(),
        target_apps: Vec::new(),
    };
    let body = to_json(call, &role, "USER");
    org.user_mut(&user)?.roles.insert(role.id.clone(), role);
    org.log(
        call,
        "user.account.privilege.grant",
        vec![org.user_target(&user)],
    );
    Ok(Reply::json(201, &body))
}

/// `DELETE /users/{user}/roles/{role}`: 404 for what is not assigned to the user directly.
pub fn unassign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let id = call.argument(1);
    let removed = org.user_mut(&user)?.roles.remove(id);
    removed.ok_or_else(|| ApiError::not_found(id, "RoleAssignment"))?;
    org.log(
        call,
        "user.account.privilege.revoke",
        vec![org.user_target(&user)],
    );
    Ok(Reply::empty(204))
}

/// `APP_ADMIN` as people read it.
pub fn label_of(kind: &str) -> String {
    match kind {
        "SUPER_ADMIN" => "Super Organization Administrator".into(),
        "ORG_ADMIN" => "Organizational Administrator".into(),
        "APP_ADMIN" => "Application Administrator".into(),
        "USER_ADMIN" => "Group Administrator".into(),
        "HELP_DESK_ADMIN" => "Help Desk Administrator".into(),
        "READ_ONLY_ADMIN" => "Read-only Administrator".into(),
        "API_ACCESS_MANAGEMENT_ADMIN" => "API Access Management Administrator".into(),
        other => other.to_owned(),
    }
}

/// `GET /users/{user}/roles/{role}/targets/catalog/apps`.
pub fn list_target_apps(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let role = user.roles.get(call.argument(1));
    target_apps(call, role)
}

/// The applications that a role is limited to; a role of groups has none to list.
pub fn target_apps(call: &Call, role: Option<&Role>) -> Result<Reply, ApiError> {
    let role = role.ok_or_else(|| ApiError::not_found(call.argument(1), "RoleAssignment"))?;
    if role.kind != "APP_ADMIN" {
        return Err(ApiError::validation(
            "role",
            "it has no application targets",
        ));
    }
    let apps = role.target_apps.iter();
    let items: Vec<Value> = apps
        .map(|name| json!({ "name": name, "displayName": name, "status": "ACTIVE" }))
        .collect();
    Ok(whole(call, &items))
}

/// `?expand=targets/groups` shows the groups that a standard role is limited to.
pub fn with_targets(call: &Call, role: &Role, mut value: Value) -> Value {
    if call.parameter("expand") == Some("targets/groups") && role.custom_role.is_none() {
        let groups = role.target_groups.iter();
        let groups: Vec<Value> = groups.map(|id| json!({ "id": id })).collect();
        value["_embedded"] = json!({ "targets": { "groups": groups } });
    }
    value
}

fn to_json(call: &Call, role: &Role, assignment: &str) -> Value {
    let mut value = json!({
        "id": role.id,
        "label": role.label,
        "type": role.kind,
        "status": "ACTIVE",
        "assignmentType": assignment,
        "_links": { "assignee": { "href": call.url(call.path.trim_end_matches("/roles")) } },
    });
    if let Some(custom) = &role.custom_role {
        value["role"] = json!(custom);
        value["resource-set"] = json!(role.resource_set);
    }
    with_targets(call, role, value)
}
