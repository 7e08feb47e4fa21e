//! Integrations: enterprise applications, each a service principal of the tenant and, where it is registered here, an
//! application.

mod affected;
mod connector;
mod disposition;
mod inspect;
mod plan;
mod principal;

pub use connector::EntraIntegrations;
pub use principal::Principal;
