//! Integrations: applications, and the hooks and API tokens that belong to them.
//!
//! The *account* is the object that is bound: an application (`0oa...`), a hook (`who...`, `cal...`) or an API token
//! (`00T...`). No list says which hook or token belongs to which application; what looks as if it did is a person's to
//! look at, and acts once it is bound by its own id.

mod app;
mod apply;
mod candidates;
mod capabilities;
mod client_roles;
mod connector;
mod consumers;
mod disposition;
mod families;
mod inspect;
mod object;
mod permissions;
mod plan;
mod rules;
mod secrets;
mod tokens;
mod undo;
mod writes;

pub use connector::OktaIntegrations;
