//! What is to become of what an integration left in Vanta.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

use super::rules::ROWS_ARE_REPORTS;

/// Pushed rows are emptied on purpose only: with `remove`. With `disable` they stay as the reports that they are.
#[must_use]
pub fn disposition(
    intent: Intent,
    _account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    match (entitlement.kind, intent) {
        (EntitlementKind::Resource, Intent::Disable) => Disposition::Inert {
            rule: ROWS_ARE_REPORTS.to_owned(),
        },
        _ => Disposition::MustGo,
    }
}
