//! Integrations: systems that are connected to Vanta, and API applications that were let into it.
//!
//! A connected system is bound by its integration id, an API application by its client id (`vci_...`). No call of Vanta's
//! ends either: both are tasks for a person, and what a read can tell about them it tells. Of our own connector the rows
//! that it pushed are emptied, and its credentials are seen to be refused.

mod apply;
mod capabilities;
mod connector;
mod disposition;
mod families;
mod find;
mod inspect;
mod plan;
mod rules;

pub use connector::VantaIntegrations;
pub(crate) use find::Integration;
