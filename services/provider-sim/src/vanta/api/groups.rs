//! `/groups`.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::state::{Group, Tenant};

/// `GET /groups`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    page(call, &tenant.settings, tenant.groups.iter(), |group| {
        to_json(group)
    })
}

/// `GET /groups/{group}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(tenant.group(call.argument(0))?)))
}

fn to_json(group: &Group) -> Value {
    json!({ "id": group.id, "name": group.name, "creationDate": iso(group.created) })
}
