//! The connectors against the simulator's real binary, over real TCP.
//!
//! The simulator's own state and journal judge: what is left of a person or an application, and whom each call concerned.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod administrators;
mod changes;
mod credentials;
mod drive;
mod faults;
mod integrations;
mod inventory;
mod lags;
mod lookup;
mod people;
mod provenance;
mod removal;
mod restore;
mod sim;
mod unconfirmed;
