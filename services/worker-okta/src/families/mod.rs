//! The families of entitlements, one file each: how it is read and what is kept of it.
//!
//! A family is read whole or says why not. What a list returned is compared with the account asked for
//! before it is believed, because servers exist that ignore a filter and answer with everybody.

mod api_tokens;
mod apps;
mod clients;
mod devices;
mod factors;
mod grants;
mod groups;
mod identity_links;
mod reading;
mod roles;

pub use api_tokens::read as read_api_tokens;
pub use apps::{read as read_apps, scope_is_group};
pub use clients::read as read_tokens;
pub use devices::{
    is_active as device_is_active, is_shared as device_is_shared, read as read_devices,
};
pub use factors::read as read_factors;
pub use grants::read as read_grants;
pub use groups::{GroupSource, read as read_groups, source as group_source};
pub use identity_links::read as read_identity_links;
pub use reading::{complete, outcome, unsupported};
pub use roles::{
    assigned as assigned_roles, entitlement as role_entitlement, is_inherited as role_is_inherited,
    read as read_roles,
};

pub use api_tokens::belongs_to_agent;

use sever_domain::EntitlementKind;

/// Every family, in the order in which they are shown.
pub const ALL: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Session,
    EntitlementKind::Token,
    EntitlementKind::Grant,
    EntitlementKind::ApiToken,
    EntitlementKind::Role,
    EntitlementKind::Group,
    EntitlementKind::AppAssignment,
    EntitlementKind::Factor,
    EntitlementKind::Device,
    EntitlementKind::IdentityLink,
    EntitlementKind::Ownership,
];
