//! The connector for Vanta: what can be seen, planned, done and proven in one Vanta tenant.
//!
//! Vanta watches access rather than giving it: of a person it holds a login to itself and a workforce record, whose
//! offboarding is the last step, after every other system. Much of it no API does; that becomes a task for a person.
//! Facts are those of Vanta's API documentation; where it leaves something open, the connector survives every outcome.
//! It never believes a status of a write, nor an item of a bulk answer, nor a filter.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod bulk;
mod credential;
mod errors;
mod factory;
mod integrations;
mod inventory;
mod pace;
mod paging;
mod patience;
mod people;
mod pushed;
mod reading;
mod tasks;
mod tenant;
mod token;

pub use factory::VantaFactory;
pub use integrations::VantaIntegrations;
pub use people::VantaPeople;
