//! The connector for any SCIM 2.0 application (RFC 7643, RFC 7644).
//!
//! Applications differ in what they take and in what they say: a write counts only when a second read proves it, and a
//! form of a write that was proven is used first from then on. A result of a filter is compared locally before it is
//! believed, because servers exist that ignore filters and answer with everybody.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod account;
mod activate;
mod app;
mod apply;
mod capabilities;
mod connector;
mod credential;
mod delete;
mod dialects;
mod disposition;
mod document;
mod errors;
mod factory;
mod families;
mod inspect;
mod inventory;
mod listing;
mod lookup;
mod members;
mod patch;
mod plan;
mod privilege;
mod rules;
mod step;
mod undo;
mod user;
mod values;

pub use connector::ScimConnector;
pub use factory::ScimFactory;
