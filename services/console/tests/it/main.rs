//! The operator API against a real PostgreSQL.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod access;
mod api;
mod capabilities;
mod configuration;
mod dead_letters;
mod import;
mod integrations;
mod observation;
mod work;
