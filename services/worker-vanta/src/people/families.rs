//! The families of a person, and the keys of the one that stands for the record.

use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

/// Every family, in the order in which they are shown.
pub const ALL: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Session,
    EntitlementKind::ApiToken,
    EntitlementKind::Group,
    EntitlementKind::Ownership,
    EntitlementKind::MonitoredAccount,
    EntitlementKind::Resource,
];

/// The record itself, until its offboarding is complete: it stands for every account that Vanta monitors of the person,
/// which no read lists.
pub const RECORD: &str = "record";
/// The record's employment, until it is former.
pub const EMPLOYMENT: &str = "employment";
/// A custom offboarding task that is open; its name follows.
pub const TASK_PREFIX: &str = "task:";

/// Whether the record's offboarding cannot be completed yet, as far as reads tell.
#[must_use]
pub fn waits_for_others(record: &Entitlement) -> bool {
    record.facts["waits_for"].as_u64().unwrap_or(0) > 0
}
