//! The loop that every worker runs: claim, resolve, contain, inspect, plan, apply, close, settle, drain.
//!
//! It knows nothing of any provider; a provider plugs in through [`sever_provider::Connector`]. One bell
//! is one claim; one claim is one epoch; waiting is a settle, so it costs no slot.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod affected;
mod bells;
mod breakers;
mod by_hand;
mod canary;
mod clock;
mod close;
mod contain;
mod declare;
mod epoch;
mod foretell;
mod heart;
mod inventory;
mod latecomers;
mod ledger;
mod process;
mod registry;
mod resolve;
mod restore;
mod running;
mod serve;
mod settings;
mod steps;
mod trouble;
mod wave;

pub use serve::serve;
