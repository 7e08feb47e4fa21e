//! The dispatcher: what turns committed rows into bells.
//!
//! The relay publishes outbox rows; the sweeper finds due jobs that have no bell
//! under way. Both may run in several processes at once: rows are claimed with SKIP LOCKED, and a
//! job has at most one waiting bell. A bell is only a hint; a worker's claim decides.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod dispatcher;
mod relay;
mod sweeper;

pub use dispatcher::{DispatchSettings, Dispatcher, Waker};
