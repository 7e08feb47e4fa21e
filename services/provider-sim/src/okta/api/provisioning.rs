//! The connection through which an app provisions users: `/apps/{app}/connections/default`.

use serde_json::json;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::state::Org;

/// `GET /apps/{app}/connections/default`: 404 where the app has none.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let on = state(org, call)?;
    let status = if on { "ENABLED" } else { "DISABLED" };
    let body =
        json!({ "authScheme": "TOKEN", "status": status, "profile": { "authScheme": "TOKEN" } });
    Ok(Reply::json(200, &body))
}

/// `POST .../lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, true)
}

/// `POST .../lifecycle/deactivate`.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, false)
}

fn switch(org: &mut Org, call: &Call, on: bool) -> Result<Reply, ApiError> {
    let changed = state(org, call)? != on;
    org.app_mut(call.argument(0))?.client.provisioning = Some(on);
    Ok(if changed {
        Reply::empty(204)
    } else {
        Reply::empty(204).unchanged()
    })
}

fn state(org: &Org, call: &Call) -> Result<bool, ApiError> {
    let id = call.argument(0);
    let state = org.app(id)?.client.provisioning;
    state.ok_or_else(|| ApiError::not_found(id, "ProvisioningConnection"))
}
