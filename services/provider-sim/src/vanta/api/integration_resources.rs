//! Resources that an integration reports: their scope, owner and description can be set, one by one or in bulk.

use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::vanta::api::bulk;
use crate::vanta::api::integrations::find;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::state::{Kind, Resource, Tenant};

const ITEMS_MAX: usize = 100;

/// `GET .../resources`, filtered by connection, scope and owner.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let kind = kind(tenant, call)?;
    let everything = tenant.settings.ignore_filter;
    let flag = |name: &str| call.parameter(name).map(|text| text == "true");
    let wanted = |found: &Resource| {
        let connection = call.parameter("connectionId");
        connection.is_none_or(|id| found.connection.as_deref() == Some(id))
            && flag("isInScope").is_none_or(|wanted| wanted == found.in_scope)
            && flag("hasOwner").is_none_or(|wanted| wanted == found.owner.is_some())
            && flag("hasDescription").is_none_or(|wanted| wanted == found.description.is_some())
    };
    let resources = kind.resources.iter();
    let resources = resources.filter(|(_, found)| everything || wanted(found));
    page(call, &tenant.settings, resources, |found| {
        to_json(call, found)
    })
}

/// `GET .../resources/{resource}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let found = kind(tenant, call)?.resources.get(call.argument(2));
    let found = found.ok_or_else(|| ApiError::not_found("Resource"))?;
    Ok(Reply::json(200, &to_json(call, found)))
}

/// `PATCH .../resources/{resource}`.
pub fn update(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let asked: Map<String, Value> = call.json()?;
    let id = call.argument(2);
    change(tenant, call, id, &asked).map_err(|why| ApiError::new(400, why))?;
    get(tenant, call)
}

/// `PATCH .../resources` with `{"updates": [...]}`.
pub fn update_all(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    kind(tenant, call)?;
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        change(tenant, call, &update.id, &update.rest)
    })
}

fn change(
    tenant: &mut Tenant,
    call: &Call,
    id: &str,
    asked: &Map<String, Value>,
) -> Result<bool, &'static str> {
    let owner = asked.get("ownerId").and_then(Value::as_str);
    if owner.is_some_and(|id| !tenant.users.get(id).is_some_and(|user| user.active)) {
        return Err("ownerId must be an active user");
    }
    let integration = tenant.integrations.get_mut(call.argument(0));
    let kind = integration.and_then(|found| found.kinds.get_mut(call.argument(1)));
    let kind = kind.ok_or("no such resource kind")?;
    let scopable = kind.scopable;
    let found = kind.resources.get_mut(id).ok_or("no such resource")?;
    let mut changed = false;
    if let Some(in_scope) = asked.get("inScope").and_then(Value::as_bool) {
        if !scopable {
            return Err("resources of this kind cannot be scoped");
        }
        changed |= std::mem::replace(&mut found.in_scope, in_scope) != in_scope;
    }
    if let Some(owner) = asked.get("ownerId") {
        let owner = owner.as_str().map(str::to_owned);
        changed |= found.owner != owner;
        found.owner = owner;
    }
    if let Some(description) = asked.get("description") {
        found.description = description.as_str().map(str::to_owned);
        changed = true;
    }
    Ok(changed)
}

fn kind<'a>(tenant: &'a Tenant, call: &Call) -> Result<&'a Kind, ApiError> {
    let kind = find(tenant, call)?.kinds.get(call.argument(1));
    kind.ok_or_else(|| ApiError::not_found("Resource kind"))
}

fn to_json(call: &Call, found: &Resource) -> Value {
    json!({
        "responseType": "Found",
        "resourceKind": call.argument(1),
        "resourceId": found.id,
        "connectionId": found.connection,
        "displayName": found.name,
        "owner": found.owner,
        "inScope": found.in_scope,
        "description": found.description,
        "creationDate": iso(found.created),
    })
}
