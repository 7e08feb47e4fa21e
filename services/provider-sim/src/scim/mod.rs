//! Simulated SCIM 2.0 applications: a service provider (RFC 7643, RFC 7644) with the dialects that real ones speak.

mod api;
mod attribute;
mod error;
mod filter;
mod instance;
mod patch;
mod routes;
mod schemas;
pub mod settings;
mod shape;
pub mod state;

pub use settings::Settings;
pub use state::App;
