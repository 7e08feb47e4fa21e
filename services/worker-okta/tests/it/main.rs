//! The connector against the simulator's real binary, over real TCP.
//!
//! The simulator's own state and journal judge: what is left of a person, and whom each call concerned.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod credentials;
mod drive;
mod faults;
mod integrations;
mod integrations_broken;
mod inventory;
mod lookup;
mod people;
mod removal;
mod sim;
mod unconfirmed;
mod way_back;
