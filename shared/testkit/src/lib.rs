//! What tests of several crates share: databases of their own, and (beside it) whatever else needs a server.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod database;

pub use database::Database;
