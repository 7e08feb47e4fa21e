//! The program `sever` against a real console and a real PostgreSQL: what it prints, and how it ends.
//!
//! Snapshots lie beside the tests; `INSTA_UPDATE=always cargo test -p sever-cli` writes them anew.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod cli;
mod dev;
mod direct;
mod refusals;
mod tour;
