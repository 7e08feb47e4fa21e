//! `POST /people/offboard`: completes the offboarding of people whose preconditions all hold.

use crate::exchange::Reply;
use crate::vanta::api::bulk::{self, Update};
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::state::Tenant;

/// The guide speaks of batches of this size.
const ITEMS_MAX: usize = 1000;

/// Each item on its own: employment has ended, every monitored account is deactivated, every custom task is done. Who is
/// offboarded already succeeds without a change. Accounts that no integration reports count as deactivated afterwards.
pub fn offboard(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        offboard_one(tenant, update, call.now_ms)
    })
}

fn offboard_one(tenant: &mut Tenant, update: &Update, now_ms: i64) -> Result<bool, &'static str> {
    let acknowledger = update.text("acknowledgerId").unwrap_or_default();
    let acknowledges = tenant
        .people
        .get(acknowledger)
        .is_some_and(|person| !person.is_former() && person.not_a_person.is_none());
    let person = tenant.people.get(&update.id).ok_or("no such person")?;
    if person.not_a_person.is_some() {
        return Err("not a person");
    }
    if person.offboarded.is_some() {
        return Ok(false);
    }
    if !acknowledges || acknowledger == update.id {
        return Err("acknowledgerId must be a current person, and another one");
    }
    let pushed = tenant.pushed_accounts(&person.email).count();
    let refused = person.cannot_offboard(pushed, now_ms);
    super::people::look(tenant, &update.id);
    if let Some(why) = refused {
        return Err(why);
    }
    if let Some(person) = tenant.people.get_mut(&update.id) {
        person.offboarded = Some(now_ms);
        let unmonitored = person
            .accounts
            .iter_mut()
            .filter(|account| !account.monitored);
        unmonitored.for_each(|account| account.change(false, now_ms, 0, 0));
    }
    Ok(true)
}
