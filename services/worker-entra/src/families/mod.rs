//! The families of entitlements, one file each: how it is read and what is kept of it.
//!
//! A family is read whole or says why not. What a list returned is compared with the account asked for before it is
//! believed, because servers exist that ignore a filter and answer with everybody.

pub mod app_roles;
pub mod azure;
pub mod azure_eligible;
pub mod devices;
pub mod grants;
pub mod groups;
pub mod licences;
pub mod methods;
pub mod ownerships;
pub mod roles;
pub mod secrets;
pub mod term;

mod reading;

pub use reading::{complete, outcome, text, unsupported, with_schedules};

use sever_domain::EntitlementKind as Kind;

/// Every family of a person, in the order in which they are shown.
pub const PEOPLE: &[Kind] = &[
    Kind::Account,
    Kind::Session,
    Kind::Role,
    Kind::EligibleRole,
    Kind::ResourceRole,
    Kind::Group,
    Kind::Ownership,
    Kind::AppAssignment,
    Kind::Grant,
    Kind::Licence,
    Kind::Factor,
    Kind::Device,
];

/// Every family of an integration.
pub const INTEGRATIONS: &[Kind] = &[
    Kind::Account,
    Kind::Secret,
    Kind::Permission,
    Kind::Grant,
    Kind::Role,
    Kind::EligibleRole,
    Kind::ResourceRole,
    Kind::Group,
    Kind::Ownership,
    Kind::Consumer,
];
