//! The connectors for Microsoft Entra ID: what can be seen, planned, done and proven in one tenant and its Azure
//! subscriptions, for people and for enterprise applications.
//!
//! Facts are those of Microsoft Graph v1.0 and Azure Resource Manager (role assignments 2022-04-01); where they leave
//! something open, the connectors survive both outcomes. A status code of a write is never believed, one reading of an
//! eventually consistent directory neither, and an address that ends a membership always ends in `$ref`.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod account;
mod agree;
mod apply;
mod batch;
mod capabilities;
mod connector;
mod contain;
mod disposition;
mod edge;
mod errors;
mod factory;
mod families;
mod inspect;
mod integration;
mod inventory;
mod options;
mod paging;
mod place;
mod places;
mod plan;
mod provenance;
mod rules;
mod service;
mod steps;
mod tenant;
mod token;
mod undo;
mod user;
mod writes;

pub use connector::EntraPeople;
pub use factory::EntraFactory;
pub use integration::EntraIntegrations;
