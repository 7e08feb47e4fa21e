//! Simulated Microsoft Entra tenants: Microsoft Graph v1.0, the token endpoint, and role assignments of Azure Resource
//! Manager.

mod api;
pub mod audit_log;
mod auth;
mod batch;
mod call;
mod error;
mod oauth;
mod ordered;
mod page;
mod pipeline;
mod query;
mod rate;
mod render;
mod routes;
pub mod settings;
mod site;
pub mod state;
mod target;

pub use api::{app_roles, azure, azure_pim, deleted, grants, methods, pim, pim_groups, roles};
pub use pipeline::serve;
pub use settings::Settings;
pub use site::Site;
pub use state::Tenant;
