//! The operator API: what the command line talks to. Its description is `openapi.json`, made from the routes and held by a test.
//!
//! Every route but `/v1/openapi.json` needs a bearer token with the scope that the description names for it. Handlers are thin:
//! authenticate, parse, one call into the store or into accept, and a view of the result.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod console;
mod endpoint;
mod integration_faults;
mod page_limit;
mod parameters;
mod people_csv;
mod plain_text;
mod routes;

pub use console::Console;
pub use routes::{description, router};
