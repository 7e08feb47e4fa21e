//! Devices: of a user, and by themselves.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{Device, Org};
use crate::okta::system_log::Target;

const ACTIVE: &str = "ACTIVE";
const DEACTIVATED: &str = "DEACTIVATED";

/// `GET /users/{user}/devices`.
pub fn list_of_user(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let devices = user.devices.iter().filter_map(|id| org.devices.get(id));
    let items: Vec<Value> = devices
        .map(|device| {
            json!({
                "created": iso(device.created),
                "deviceUserId": format!("dur{}", &device.id[3..]),
                "device": to_json(call, device),
            })
        })
        .collect();
    Ok(whole(call, &items))
}

/// `GET /devices/{device}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(
        200,
        &to_json(call, org.device(call.argument(0))?),
    ))
}

/// `GET /devices/{device}/users`: who shares it.
pub fn users(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let device = org.device(call.argument(0))?;
    let users = device.users.iter().filter_map(|id| org.users.get(id));
    let items: Vec<Value> = users
        .map(|user| {
            json!({
                "created": iso(device.created),
                "managementStatus": "NOT_MANAGED",
                "user": super::users::to_json(call, user),
            })
        })
        .collect();
    Ok(whole(call, &items))
}

/// `POST /devices/{device}/lifecycle/deactivate`: for all of its users.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let already = org.device(id)?.status == DEACTIVATED;
    if already {
        return Ok(Reply::empty(204).unchanged());
    }
    if let Some(device) = org.devices.get_mut(id) {
        DEACTIVATED.clone_into(&mut device.status);
        device.last_updated = call.now_ms;
    }
    log(org, call, "device.lifecycle.deactivate", id);
    Ok(Reply::empty(204))
}

/// `POST /devices/{device}/lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let already = org.device(id)?.status == ACTIVE;
    if already {
        return Ok(Reply::empty(204).unchanged());
    }
    if let Some(device) = org.devices.get_mut(id) {
        ACTIVE.clone_into(&mut device.status);
        device.last_updated = call.now_ms;
    }
    log(org, call, "device.lifecycle.activate", id);
    Ok(Reply::empty(204))
}

/// `DELETE /devices/{device}`: only once it is deactivated.
pub fn delete(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    if org.device(id)?.status != DEACTIVATED {
        return Err(ApiError::validation(
            "device",
            "The device must be deactivated before it is deleted",
        ));
    }
    log(org, call, "device.lifecycle.delete", id);
    org.devices.remove(id);
    for user in org.users.values_mut() {
        user.devices.remove(id);
    }
    Ok(Reply::empty(204))
}

fn log(org: &mut Org, call: &Call, kind: &'static str, id: &str) {
    let name = org
        .devices
        .get(id)
        .map(|device| device.name.clone())
        .unwrap_or_default();
    org.log(call, kind, vec![Target::new("Device", id, &name)]);
}

fn to_json(call: &Call, device: &Device) -> Value {
    json!({
        "id": device.id,
        "status": device.status,
        "created": iso(device.created),
        "lastUpdated": iso(device.last_updated),
        "profile": { "displayName": device.name, "platform": device.platform, "registered": true },
        "resourceType": "UDDevice",
        "resourceId": device.id,
        "_links": { "users": { "href": call.url(&format!("/api/v1/devices/{}/users", device.id)) } },
    })
}
