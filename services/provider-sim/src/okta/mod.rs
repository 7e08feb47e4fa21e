//! Simulated Okta orgs: wire protocol of the management API and of the org's authorization server.

mod api;
mod auth;
mod call;
mod error;
mod filter;
mod oauth;
mod ordered;
mod page;
mod pipeline;
mod rate;
mod routes;
pub mod settings;
mod site;
pub mod state;
pub mod system_log;
mod target;

pub use api::roles::label_of as label_of_role;
pub use pipeline::serve;
pub use settings::Settings;
pub use site::Site;
pub use state::Org;
