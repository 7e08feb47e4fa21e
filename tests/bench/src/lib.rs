//! What the three programs of the benchmark share.
//!
//! `sever-bench` drives: it starts private servers, the stub, and in turn Sever's own programs and
//! `sever-bench-bare`, which does for each opt-out only the irreducible work. Both call
//! `sever-bench-stub`, which answers the calls of one fixed person for any user id.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

pub mod broker;
pub mod calls;
pub mod database;
pub mod http_client;
pub mod person;
pub mod processes;
pub mod programs;
