//! Licences: assigned directly, or inherited from a group.

use serde_json::{Value, json};

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant, list};
use crate::exchange::Reply;

const INHERITED: &str = "User license is inherited from a group membership and it cannot be removed directly from the user.";
const ABSENT: &str = "User does not have a corresponding license.";

/// `POST /users/{user}/assignLicense`. One licence that cannot be changed fails the whole call.
pub fn assign(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, user) = tenant.object(Kind::User, call.argument(0))?;
    let body = call.json()?;
    let (Some(add), Some(remove)) = (
        body.get("addLicenses").and_then(Value::as_array),
        body.get("removeLicenses").and_then(Value::as_array),
    ) else {
        return Err(ApiError::bad_request(
            "A value is required for addLicenses and removeLicenses.",
        ));
    };
    let mut direct: Vec<Value> = list(&user, "_licences").to_vec();
    let states = tenant.licences(&id, &user);
    for sku in remove {
        if direct.contains(sku) {
            direct.retain(|held| held != sku);
        } else if states.iter().any(|state| state["skuId"] == *sku) {
            return Err(ApiError::bad_request(INHERITED));
        } else if tenant.settings.unconfirmed.remove_absent_licence == 400 {
            return Err(ApiError::bad_request(ABSENT));
        }
    }
    for licence in add {
        let sku = &licence["skuId"];
        if !sku.is_string() {
            return Err(ApiError::bad_request("License SKU is not valid."));
        }
        if !direct.contains(sku) {
            direct.push(sku.clone());
        }
    }
    let changed = tenant.store.patch(Table::Users, "", &id, |record| {
        record.insert("_licences".into(), Value::Array(direct));
    });
    tenant.audit(call, "UserManagement", "Change user license", &[&id]);
    let (id, user) = tenant.object(Kind::User, &id)?;
    let reply = render::one(tenant, call, Kind::User, &id, &user);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// `GET /users/{user}/licenseDetails`.
pub fn details(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (id, user) = tenant.object(Kind::User, call.argument(0))?;
    let states = tenant.licences(&id, &user);
    let mut details: Vec<Value> = states
        .iter()
        .map(|state| {
            let sku = &state["skuId"];
            json!({ "id": sku, "skuId": sku, "skuPartNumber": "SKU", "servicePlans": [] })
        })
        .collect();
    details.dedup();
    page::reply(&tenant.settings, call, "licenseDetails", details)
}
