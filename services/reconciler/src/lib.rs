//! The reconciler as a library: the process, and the round that it goes while it leads.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod gauges;
mod repair;
mod round;
mod service;
mod settings;

pub use round::{ACTOR, Reconciler, Round};
pub use service::run;
pub use settings::Settings;
