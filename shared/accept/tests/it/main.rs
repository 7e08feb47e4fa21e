//! Accept against a real PostgreSQL: what is committed for each way in which requests come and meet.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod attach;
mod audit;
mod directory;
mod effective;
mod employment;
mod fixture;
mod idempotency;
mod integration;
mod repair;
mod unmatched;
