//! Simulated OpenID providers: the standard endpoints, and the administration API of Keycloak.
//!
//! The standard endpoints are served at the root of a realm and where Keycloak has them, below `/realms/{realm}`; the
//! administration API below `/admin/realms/{realm}`.

mod admin;
mod error;
mod instance;
mod protocol;
mod routes;
pub mod settings;
pub mod state;

pub use settings::Settings;
pub use state::Realm;
