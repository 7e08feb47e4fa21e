//! The connector for Okta: what can be seen, planned, done and proven in one Okta org.
//!
//! Facts are those of the Okta Management API (release 2026.06) and its documentation; where they leave
//! something open, the connector survives both outcomes. It never believes a status code of a write, and
//! never acts on a result that it has not matched locally with the account asked for.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod account;
mod apply;
mod auth;
mod capabilities;
mod connector;
mod contain;
mod disposition;
mod errors;
mod factory;
mod families;
mod inspect;
mod integrations;
mod inventory;
mod org;
mod paging;
mod plan;
mod provenance;
mod rules;
mod service_app;
mod undo;
mod user;
mod writes;

pub use connector::OktaConnector;
pub use factory::OktaFactory;
pub use integrations::OktaIntegrations;
