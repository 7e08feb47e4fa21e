//! Typed configuration, read once at start: the only crate that reads the environment.
//!
//! Each concern is one struct in one file. Its variables are declared as [`Variable`]s, and both the parser and
//! `sever.env.example` are driven by that declaration, so the reference page cannot say something else than the program does.
//! A wrong value never falls back to a default: the program exits and every problem is named at once ([`ConfigErrors`]).
//!
//! ```
//! use sever_config::{BrokerConfig, DatabaseConfig, MapEnvironment, read_all};
//! let environment = MapEnvironment::from([
//!     ("SEVER_DATABASE_URL", "postgres://sever_app:secret@127.0.0.1:5432/sever"),
//!     ("SEVER_AMQP_URL", "amqp://sever:secret@127.0.0.1:5672/%2f"),
//! ]);
//! let (database, broker): (DatabaseConfig, BrokerConfig) = read_all(&environment)?;
//! assert_eq!(database.pool_max, 16);
//! assert_eq!(broker.heartbeat.as_secs(), 20);
//! # Ok::<(), sever_config::ConfigErrors>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a test that cannot go on should stop where it stands"
    )
)]

mod broker;
mod console_client;
mod credential;
mod database;
mod dev;
mod dispatch;
mod environment;
mod error;
mod example;
mod guard;
mod http;
mod ops;
pub mod ports;
mod reader;
mod secret_file;
mod sections;
mod unknown;
mod variable;
mod worker;

pub use broker::BrokerConfig;
pub use console_client::ConsoleClientConfig;
pub use credential::{CredentialError, CredentialReference};
pub use database::{DatabaseConfig, OwnerDatabaseConfig};
pub use dev::DevConfig;
pub use dispatch::DispatchConfig;
pub use environment::{Environment, MapEnvironment, ProcessEnvironment};
pub use error::{ConfigError, ConfigErrors, Wrong};
pub use example::render_example;
pub use guard::GuardConfig;
pub use http::HttpConfig;
pub use ops::OpsConfig;
pub use reader::Reader;
pub use secrecy::{ExposeSecret, SecretString};
pub use sections::{FromEnvironment, ReadAll, read_all};
pub use unknown::{UnknownVariable, unknown_variables};
pub use variable::{Kind, TimeUnit, Variable};
pub use worker::WorkerConfig;
