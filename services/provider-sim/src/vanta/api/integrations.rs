//! `/integrations`: read-only. No call connects, disconnects, disables or deletes one.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::state::{Integration, Kind, Tenant};

/// `GET /integrations`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    page(
        call,
        &tenant.settings,
        tenant.integrations.iter(),
        |found| to_json(found),
    )
}

/// `GET /integrations/{integration}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(find(tenant, call)?)))
}

/// `GET /integrations/{integration}/resource-kinds`: a bare array, or a list like any other.
pub fn kinds(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let integration = find(tenant, call)?;
    let kinds = integration.kinds.iter();
    if !tenant.settings.unconfirmed.bare_arrays {
        let kinds = kinds.map(|(name, kind)| (name, (name, kind)));
        return page(call, &tenant.settings, kinds, |(name, kind)| {
            kind_json(integration, name, kind)
        });
    }
    let kinds: Vec<Value> = kinds
        .map(|(name, kind)| kind_json(integration, name, kind))
        .collect();
    Ok(Reply::json(200, &kinds))
}

/// `GET /integrations/{integration}/resource-kinds/{kind}`.
pub fn kind(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let integration = find(tenant, call)?;
    let name = call.argument(1);
    let kind = integration.kinds.get(name);
    let kind = kind.ok_or_else(|| ApiError::not_found("Resource kind"))?;
    Ok(Reply::json(200, &kind_json(integration, name, kind)))
}

/// The integration of the path.
pub fn find<'a>(tenant: &'a Tenant, call: &Call) -> Result<&'a Integration, ApiError> {
    let found = tenant.integrations.get(call.argument(0));
    found.ok_or_else(|| ApiError::not_found("Integration"))
}

fn to_json(integration: &Integration) -> Value {
    let connections = integration.connections.iter();
    let connections: Vec<Value> = connections
        .map(|found| {
            json!({
                "connectionId": found.id, "isDisabled": found.disabled, "connectionErrorMessage": found.error,
            })
        })
        .collect();
    json!({
        "integrationId": integration.id,
        "displayName": integration.name,
        "resourceKinds": integration.kinds.keys().collect::<Vec<_>>(),
        "connections": connections,
    })
}

fn kind_json(integration: &Integration, name: &str, kind: &Kind) -> Value {
    let resources = kind.resources.values();
    let count = |wanted: fn(&crate::vanta::state::Resource) -> bool| {
        resources.clone().filter(|found| wanted(found)).count()
    };
    json!({
        "integrationId": integration.id,
        "resourceKind": name,
        "isScopable": kind.scopable,
        "canUpdateDescription": true,
        "canUpdateOwner": true,
        "numResources": kind.resources.len(),
        "numInScope": count(|found| found.in_scope),
        "numOwned": count(|found| found.owner.is_some()),
        "numWithDescription": count(|found| found.description.is_some()),
    })
}
