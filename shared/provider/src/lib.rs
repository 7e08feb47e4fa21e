//! What every provider's worker shares: the [`Connector`] contract, the classes of answers, and the
//! policy under which a provider is called.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod call;
mod capability;
mod client_key;
mod connector;
pub mod family;
pub mod http;
mod inventory;
mod no_integrations;
mod provenance;
mod token_refusals;
mod undo;
pub mod wall_clock;

pub use call::{Answer, AnswerKind, CallError, Sent, inconsistent, unusable};
pub use capability::{Capability, Restores, Revokes, Sees};
pub use client_key::{ClientKey, UnusableKey};
pub use connector::{
    Account, Connected, ConnectionSettings, Connector, ConnectorFactory, Effect, FoundAccount,
    UnusableConnection,
};
pub use inventory::{
    Changes, FamilyEnd, InventoryPage, Nested, SeenAccount, SeenEntitlement, Unreadable,
    parse_records, resumed_at,
};
pub use no_integrations::NoIntegrations;
pub use provenance::{ENTRIES_MAX, LogEntry, LogQuestion, Provenance};
pub use token_refusals::TokenRefusals;
pub use undo::{BlastRadius, Undo};
