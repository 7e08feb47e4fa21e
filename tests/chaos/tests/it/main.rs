//! A short form of the chaos run, and each degraded mode by itself, with the binaries of this build.
//!
//! The tests break servers that they share, so each of them waits for its turn.

#![allow(clippy::unwrap_used, missing_docs)] // a failed unwrap is a failed test; tests need no page

mod broker;
mod chaos;
mod database;
mod provider;
mod services;
mod turn;
