//! Accounts and employments that follow an account in another simulated system, as an integration's sync does.

use crate::okta::state::Status;
use crate::simulation::Simulation;
use crate::vanta::state::{Followed, Tenant};

/// Brings what follows something up to date, as of `now_ms`.
pub fn refresh(simulation: &Simulation, tenant: &mut Tenant, now_ms: i64) {
    let (delay_ms, looks) = (
        tenant.settings.sync_delay_ms,
        tenant.settings.sync_delay_reads,
    );
    for person in tenant.people.values_mut() {
        for account in &mut person.accounts {
            let state = account
                .follows
                .as_ref()
                .and_then(|followed| is_active(simulation, followed));
            if let Some(active) = state {
                account.change(active, now_ms, delay_ms, looks);
            }
        }
        let left = person
            .follows
            .as_ref()
            .is_some_and(|followed| is_active(simulation, followed) == Some(false));
        if left && !person.is_former() {
            "FORMER".clone_into(&mut person.employment);
            person.end_date = Some(crate::clock::iso(now_ms));
        }
    }
}

/// Whether the account is active there; `None`: nobody knows the instance. One that is gone is not active.
fn is_active(simulation: &Simulation, followed: &Followed) -> Option<bool> {
    if followed.provider != "okta" {
        return None;
    }
    let site = simulation.okta_org(&followed.org)?;
    let org = site.lock();
    let user = org.find_user(&followed.user);
    let status = user
        .and_then(|id| org.users.get(&id))
        .map(|user| user.status());
    Some(status.is_some_and(|status| !matches!(status, Status::Deprovisioned | Status::Suspended)))
}
