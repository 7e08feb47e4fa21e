//! PostgreSQL: migrations, named statements and transactions. The only crate that imports
//! tokio-postgres.
//!
//! Each module owns the statements of one concern as named constants beside the functions that run
//! them. A function that needs a transaction takes a [`Tx`]; nothing here decides, it stores what
//! the domain decided and repeats the expected state as a guard.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod error;
mod migrate;
mod patience;
mod pool;
pub mod restore;
mod row;
mod task_lock;

pub mod access;
pub mod api_token;
pub mod audit;
pub mod blast_radius;
pub mod breaker;
pub mod capability;
pub mod census;
pub mod connection;
pub mod dead_letter;
pub mod drift;
pub mod effect_log;
pub mod employment;
pub mod exception;
pub mod finding;
pub mod gauges;
pub mod hold;
pub mod hold_decision;
pub mod hold_reject;
pub mod hold_release;
pub mod hold_request;
pub mod incarnation;
pub mod integration;
pub mod integration_view;
pub mod integrity;
pub mod invariants;
pub mod inventory;
pub mod job;
pub mod job_view;
pub mod leader;
pub mod opt_out;
pub mod opt_out_job;
pub mod opt_out_view;
pub mod outbox;
pub mod overview;
pub mod person;
pub mod person_import;
pub mod person_view;
pub mod protected;
pub mod provision;
pub mod rate;
pub mod reconcile;
pub mod reconcile_policy;
pub mod reject;
pub mod replay;
pub mod request;
pub mod request_unmatched;
pub mod source;
pub mod standing;
pub mod subject;
pub mod task;
pub mod task_decision;
pub mod unmatched;
pub mod worker_connection;

pub use error::{Refused, StoreError};
pub use migrate::{MigrationReport, SCHEMA_VERSION, migrate};
pub use pool::{Client, DatabaseSettings, Store, Tx};
