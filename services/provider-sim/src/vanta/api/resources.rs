//! `/resources/{type}` of Build Integrations: the whole state of a connector's world, pushed and read back.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::settings::Afterwards;
use crate::vanta::state::{Row, Tenant};

const TYPES: [&str; 12] = [
    "user_account",
    "custom_resource",
    "background_check_connector",
    "security_task",
    "secret",
    "user_security_training_status",
    "macos_user_computer",
    "windows_user_computer",
    "vulnerable_component",
    "package_vulnerability_connectors",
    "api_endpoint_vulnerability_connectors",
    "static_analysis_code_vulnerability_connectors",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sync {
    resource_id: String,
    resources: Vec<Value>,
}

/// `GET /resources/{type}?resourceId=`: everything at once.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let kind = kind(call)?;
    let resource_id = call
        .parameter("resourceId")
        .ok_or_else(|| ApiError::invalid("resourceId", "is required"))?;
    permitted(tenant, call, resource_id)?;
    let shown = tenant.settings.unconfirmed.omitted_accounts == Afterwards::Shown;
    let set = tenant
        .pushed
        .get(&(kind.to_owned(), resource_id.to_owned()));
    let rows = set.into_iter().flat_map(|set| &set.rows);
    let rows: Vec<Value> = rows
        .filter(|row| shown || row.deleted_at.is_none())
        .map(to_json)
        .collect();
    Ok(Reply::json(200, &json!({ "resources": rows })))
}

/// `PUT /resources/{type}`: everything that the body leaves out is gone; an empty list empties the set.
pub fn sync(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let kind = kind(call)?;
    let asked: Sync = call.json()?;
    permitted(tenant, call, &asked.resource_id)?;
    let mut rows = Vec::with_capacity(asked.resources.len());
    for row in asked.resources {
        let unique_id = row["uniqueId"]
            .as_str()
            .ok_or_else(|| ApiError::invalid("uniqueId", "is required"))?;
        rows.push((unique_id.to_owned(), row));
    }
    // Accounts that are left out stay, marked; rows of other types are deleted.
    let keep = kind == "user_account";
    let key = (kind.to_owned(), asked.resource_id);
    let set = tenant.pushed.entry(key).or_default();
    let changed = set.replace(rows, keep, call.now_ms);
    let reply = match tenant.settings.unconfirmed.put_resources_body {
        true => Reply::json(200, &json!({ "success": true })),
        false => Reply::empty(200),
    };
    Ok(if changed { reply } else { reply.unchanged() })
}

fn kind(call: &Call) -> Result<&str, ApiError> {
    let kind = call.argument(0);
    let known = TYPES.contains(&kind);
    known
        .then_some(kind)
        .ok_or_else(|| ApiError::not_found("Resource type"))
}

/// An application pushes only what the Developer Console ties to it.
fn permitted(tenant: &Tenant, call: &Call, resource_id: &str) -> Result<(), ApiError> {
    let caller = call.client_id.as_deref().unwrap_or_default();
    let application = tenant.application(caller);
    let ids = application.map_or(&[][..], |found| &found.resource_ids);
    match ids.is_empty() || ids.iter().any(|id| id == resource_id) {
        true => Ok(()),
        false => Err(ApiError::not_found("Resource")),
    }
}

fn to_json(row: &Row) -> Value {
    let mut value = row.value.clone();
    if let Some(deleted) = row.deleted_at {
        value["deletedAt"] = json!(iso(deleted));
    }
    value
}
