//! Real servers: started, stopped, killed, and never left behind.
#![allow(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

mod orphan;
mod postgres;
mod rabbit;
