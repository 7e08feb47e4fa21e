//! The dispatcher: what turns committed rows into bells.
//!
//! The relay publishes outbox rows; the sweeper finds due jobs that have no bell under way; the janitor keeps the
//! dead-letter queues in step with the tables; the ramp drives replays. All may run in several processes at once: rows are
//! claimed with SKIP LOCKED, a job has at most one waiting bell, and of the janitors one leads by a lease row. A bell is
//! only a hint; a worker's claim decides.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod dispatcher;
mod janitor;
mod ramp;
mod relay;
mod sweeper;

pub use dispatcher::{DispatchSettings, Dispatcher, Waker};
