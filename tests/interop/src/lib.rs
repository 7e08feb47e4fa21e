//! Programs that others wrote, installed from their ordinary packages and started for a test: what our connectors do with
//! them is no echo of our own simulator.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod oidc_provider;
mod process;
mod scim2_server;

pub use oidc_provider::OidcProvider;
pub use process::Unavailable;
pub use scim2_server::Scim2Server;
