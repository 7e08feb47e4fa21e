//! The state machines of the design as a model: interleavings of many workers, faults and people over an in-memory store, broker
//! and provider, decided by the pure functions of this crate, with the invariants checked after every step.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod model;
