//! What tests of several crates share: databases of their own, and a proxy that breaks links on command.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

pub mod conformance;
mod database;
mod proxy;

pub use database::{Database, psql};
pub use proxy::{Passage, Proxy};
