//! The statements that operators' work rests on, against a real PostgreSQL.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod breaker;
mod capability;
mod closed_lists;
mod comments;
mod connection;
mod dead_letter;
mod drift;
mod finding;
mod hold;
mod incremental;
mod integration;
mod invariants;
mod lease;
mod mass_guard;
mod outbox;
mod protected;
mod standing;
mod statements;
mod sweep;
mod task;
mod view;
mod world;
