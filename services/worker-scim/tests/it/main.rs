//! The connector against the simulator's real binary, over real HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod dialects;
mod drive;
mod faults;
mod inventory;
mod lookup;
mod peer;
mod peers;
mod people;
mod removal;
mod sim;
mod undo;
