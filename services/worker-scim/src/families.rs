//! The families of entitlements that SCIM knows of: how each is read.

mod groups;
mod hidden;
mod reading;

pub use groups::{Memberships, is_indirect, read as read_groups};
pub use reading::{complete, outcome, seen, unsupported};

use sever_domain::EntitlementKind;

/// Every family, in the order in which they are shown.
pub const ALL: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Session,
    EntitlementKind::Role,
    EntitlementKind::Licence,
    EntitlementKind::Group,
];
