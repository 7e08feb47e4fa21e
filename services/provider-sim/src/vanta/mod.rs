//! Simulated Vanta tenants: the wire protocol of Manage Vanta and of Build Integrations.

mod api;
mod auth;
mod call;
mod error;
mod follow;
mod oauth;
mod ordered;
mod page;
mod pipeline;
mod rate;
mod routes;
pub mod settings;
pub mod state;
mod target;
mod tenants;

pub use follow::refresh;
pub use pipeline::serve;
pub use settings::Settings;
pub use state::Tenant;
pub use tenants::Tenants;
