//! The families of an integration.

use sever_domain::EntitlementKind;

/// Every family, in the order in which they are shown.
pub const ALL: &[EntitlementKind] = &[EntitlementKind::Account, EntitlementKind::Resource];

/// How the client ids of API applications begin (documentation, "Authentication").
const CLIENT_PREFIX: &str = "vci_";

/// Whether this id names an API application rather than a connected system.
#[must_use]
pub fn is_application(id: &str) -> bool {
    id.starts_with(CLIENT_PREFIX)
}
