//! `POST /people/{person}/set-leave` and `clear-leave`.

use serde::Deserialize;

use crate::clock::parse_iso;
use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::state::{Leave, Tenant};

#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "startDate")]
    start: String,
    #[serde(rename = "endDate")]
    end: Option<String>,
}

/// Replaces the leave that is there.
pub fn set(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let asked: Asked = call.json()?;
    for (field, text) in [
        ("startDate", Some(&asked.start)),
        ("endDate", asked.end.as_ref()),
    ] {
        if text.is_some_and(|text| parse_iso(text).is_none()) {
            return Err(ApiError::invalid(field, "is not a date"));
        }
    }
    let leave = Leave {
        start: asked.start,
        end: asked.end,
    };
    replace(tenant, call, Some(leave))
}

/// Ends the leave, if there is one.
pub fn clear(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    replace(tenant, call, None)
}

fn replace(tenant: &mut Tenant, call: &Call, leave: Option<Leave>) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    tenant.person(id)?;
    if let Some(person) = tenant.people.get_mut(id) {
        person.leave = leave;
    }
    let person = tenant.person(id)?;
    let value = super::people::to_json(tenant, person, call.now_ms);
    Ok(Reply::json(200, &value))
}
