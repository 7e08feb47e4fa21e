//! People: a login to Vanta, and a workforce record whose offboarding comes last.
//!
//! The *account* is the login: it is live while Vanta lists the person among its active users, deactivated when it does
//! not, and absent when Vanta has no record of the person. The record, and what its offboarding waits for, are read as
//! one family.

mod apply;
mod capabilities;
mod connector;
mod disposition;
mod families;
mod find;
mod inspect;
mod person;
mod plan;
mod rules;
mod undo;
mod users;

pub use connector::VantaPeople;
pub(crate) use find::canary;
pub(crate) use inspect::record;
pub(crate) use person::Person;
pub(crate) use users::{User, active as active_logins};
