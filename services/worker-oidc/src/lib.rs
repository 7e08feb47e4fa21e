//! The connectors for OpenID providers: by the standards alone, or with the administration API of Keycloak.
//!
//! The standards revoke tokens whose values are known (RFC 7009), prove it (RFC 7662), and know no accounts: what they
//! cannot do stands in the plan as a task for a person. With Keycloak's administration an account is disabled, its
//! sessions, offline tokens, consents, roles, groups, credentials and links are read and taken; a client is disabled,
//! its secret replaced and its tokens ended.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod admin;
mod capabilities;
mod client_auth;
mod clients;
mod credential;
mod errors;
mod factory;
mod inventory;
mod issuer;
mod lifetimes;
mod listing;
mod metadata;
mod people;
mod reading;
mod registered;
mod roles;
mod step;
mod tokens;

pub use clients::OidcClients;
pub use factory::OidcFactory;
pub use people::OidcPeople;
