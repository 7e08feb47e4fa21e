//! Active directory roles.

use serde_json::{Value, json};

use super::wanted;
use crate::entra::audit_log::Change;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Record, Row, Table, Tenant, record, text};
use crate::exchange::Reply;

/// Role definitions that are the same in every tenant.
pub const DEFINITIONS: [(&str, &str); 11] = [
    (
        "62e90394-69f5-4237-9190-012177145e10",
        "Global Administrator",
    ),
    (
        "e8611ab8-c189-46e8-94e1-60213ab1f814",
        "Privileged Role Administrator",
    ),
    (
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "Privileged Authentication Administrator",
    ),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    (
        "729827e3-9c14-49f7-bb1b-9608f156bbb8",
        "Helpdesk Administrator",
    ),
    (
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "Application Administrator",
    ),
    (
        "29232cdf-9323-42fd-ade2-1d097af3e4de",
        "Exchange Administrator",
    ),
    (
        "fdd7a751-b60b-444a-984c-02652fe8fa1c",
        "Groups Administrator",
    ),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
];

/// The name of the role definition `id`; the id where it is none of those above.
pub fn name_of(id: &str) -> &str {
    let found = DEFINITIONS.iter().find(|(known, _)| *known == id);
    found.map_or(id, |(_, name)| name)
}

/// `GET /roleManagement/directory/roleDefinitions`.
pub fn definitions(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let items = DEFINITIONS.iter().map(definition).collect();
    page::reply(
        &tenant.settings,
        call,
        "roleManagement/directory/roleDefinitions",
        items,
    )
}

/// `GET /roleManagement/directory/roleDefinitions/{definition}`.
pub fn get_definition(_: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let known = DEFINITIONS.iter().find(|(known, _)| *known == id);
    let known = known.ok_or_else(|| ApiError::not_found(id))?;
    let context = "roleManagement/directory/roleDefinitions/$entity";
    Ok(render::plain(
        call,
        200,
        context,
        &record(definition(known)),
    ))
}

/// `GET /roleManagement/directory/roleAssignments`; without a filter it is refused, as it needs a principal or a role.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let rows = listed(tenant, tenant.store.all(Table::Roles));
    let context = "roleManagement/directory/roleAssignments";
    page::reply(&tenant.settings, call, context, render::rows(&rows))
}

/// `GET /roleManagement/directory/roleAssignments/{assignment}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let row = tenant.store.find(Table::Roles, id);
    let row = row.ok_or_else(|| ApiError::not_found(id))?;
    let context = "roleManagement/directory/roleAssignments/$entity";
    Ok(render::plain(call, 200, context, &row.record))
}

/// `POST /roleManagement/directory/roleAssignments`.
pub fn assign(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let principal = wanted(&body, "principalId")?;
    let role = wanted(&body, "roleDefinitionId")?;
    let scope = wanted(&body, "directoryScopeId")?;
    if tenant.kind_of(principal).is_none() {
        return Err(ApiError::not_found(principal));
    }
    if same(&tenant.store.of(Table::Roles, principal), role, scope).is_some() {
        let message = "A conflicting object with one or more of the specified property values is present in the directory.";
        return Err(ApiError::bad_request(message));
    }
    let assignment = give(tenant, principal, role, scope);
    let change = Change {
        category: "RoleManagement",
        activity: "Add member to role",
        targets: vec![principal],
        modified: modified(role),
        service: None,
    };
    tenant.audit_change(call, &change);
    let context = "roleManagement/directory/roleAssignments/$entity";
    Ok(render::plain(call, 201, context, &assignment))
}

/// `DELETE /roleManagement/directory/roleAssignments/{assignment}`.
pub fn remove(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let row = tenant.store.find(Table::Roles, id);
    let row = row.ok_or_else(|| ApiError::not_found(id))?;
    if tenant.is_last_global_administrator(&row.record) {
        let message = "Removing the last Global Administrator of the tenant is not allowed.";
        return Err(ApiError::bad_request(message));
    }
    tenant.store.remove(Table::Roles, &row.owner, id);
    if !tenant.settings.unconfirmed.pim_schedule_lingers {
        let schedules = tenant.store.of(Table::ActiveRoles, &row.owner);
        let (role, scope) = (
            text(&row.record, "roleDefinitionId"),
            text(&row.record, "directoryScopeId"),
        );
        if let Some(schedule) = same(&schedules, role, scope) {
            tenant
                .store
                .remove(Table::ActiveRoles, &row.owner, &schedule.id);
        }
    }
    tenant.audit(
        call,
        "RoleManagement",
        "Remove member from role",
        &[&row.owner],
    );
    Ok(Reply::empty(204))
}

/// What the audit log says that a role changed of its holder.
pub fn modified(role: &str) -> Vec<(&'static str, Value, Value)> {
    let name = DEFINITIONS.iter().find(|(id, _)| *id == role);
    let name = name.map_or("", |(_, name)| *name);
    let now = |value: &str| json!(value);
    vec![
        ("Role.ObjectID", Value::Null, now(role)),
        ("Role.DisplayName", Value::Null, now(name)),
        ("Role.TemplateId", Value::Null, now(role)),
    ]
}

/// Makes an assignment and returns it.
pub fn give(tenant: &mut Tenant, principal: &str, role: &str, scope: &str) -> Record {
    let id = format!("{}-1", tenant.dice.text(43));
    let assignment = record(json!({
        "id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope,
        "appScopeId": null, "condition": null, "principalOrganizationId": tenant.id,
    }));
    tenant
        .store
        .put(Table::Roles, principal, &id, assignment.clone());
    assignment
}

/// The row with this role and scope.
pub fn same<'a>(rows: &'a [Row], role: &str, scope: &str) -> Option<&'a Row> {
    rows.iter().find(|row| {
        text(&row.record, "roleDefinitionId") == role
            && text(&row.record, "directoryScopeId") == scope
    })
}

/// The rows whose principal is not deleted, unless the settings say that those stay listed.
fn listed(tenant: &Tenant, mut rows: Vec<Row>) -> Vec<Row> {
    if !tenant.settings.unconfirmed.roles_of_deleted_listed {
        rows.retain(|row| tenant.store.object(Table::Deleted, &row.owner).is_none());
    }
    rows
}

fn definition((id, name): &(&str, &str)) -> Value {
    json!({ "id": id, "templateId": id, "displayName": name, "isBuiltIn": true, "isEnabled": true })
}
