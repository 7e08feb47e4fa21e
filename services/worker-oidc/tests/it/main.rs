//! The connectors against the simulator's real binary, over real HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod clients;
mod credentials;
mod drive;
mod faults;
mod inventory;
mod lookup;
mod people;
mod removal;
mod sim;
mod standard;
mod undo;
