//! `POST /people/mark-as-not-people` and its way back, for service and shared accounts.

use crate::exchange::Reply;
use crate::vanta::api::bulk;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::settings::Repeat;
use crate::vanta::state::Tenant;

const ITEMS_MAX: usize = 100;

/// Marks each with its reason.
pub fn mark(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        let reason = update.text("reason").ok_or("reason is missing")?;
        set(tenant, &update.id, Some(reason.to_owned()))
    })
}

/// Takes the marks away.
pub fn unmark(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        set(tenant, &update.id, None)
    })
}

fn set(tenant: &mut Tenant, id: &str, reason: Option<String>) -> Result<bool, &'static str> {
    let repeat = tenant.settings.unconfirmed.repeat_mark;
    let person = tenant.people.get_mut(id).ok_or("no such person")?;
    if person.not_a_person.is_some() == reason.is_some() {
        return match repeat {
            Repeat::Success => Ok(false),
            Repeat::Error => Err("marked so already"),
        };
    }
    person.not_a_person = reason;
    Ok(true)
}
