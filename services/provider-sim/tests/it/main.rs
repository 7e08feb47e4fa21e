//! Drives the real binary over real TCP, with a client that knows nothing but HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod access;
mod auth;
mod directory;
mod entra_audits;
mod entra_groups;
mod entra_integrations;
mod entra_privileges;
mod entra_sim;
mod entra_tokens;
mod entra_users;
mod entra_wire;
mod faults;
mod http;
mod journal;
mod lags;
mod lifecycle;
mod limits;
mod oidc_admin;
mod oidc_protocol;
mod okta_apps;
mod paging;
mod place;
mod process;
mod scim_groups;
mod scim_lists;
mod scim_users;
mod sim;
mod system_log;
mod tokens;
mod vanta_auth;
mod vanta_lists;
mod vanta_people;
mod vanta_tenant;
mod vanta_users;
