//! Private PostgreSQL and RabbitMQ servers for `sever dev` and for tests, and the owned processes and directories that they
//! are made of, for other programs that must not outlive their starter.
//!
//! A private server has its own directory, its own ports on loopback and no system service. It never outlives the
//! program that started it: dropping it kills it, and the kernel kills it when the program is killed.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a failed step of a test is a failed test"
    )
)]

mod choice;
mod directory;
mod error;
mod install;
mod port;
mod postgres;
mod process;
mod process_table;
mod rabbit;
mod tool;

pub use choice::{BrokerServer, DatabaseServer, GivenUrl};
pub use directory::Directory;
pub use error::ServerError;
pub use port::{are_free, free_ports};
pub use postgres::{Durability, PostgresOptions, PrivatePostgres};
pub use process::OwnedProcess;
pub use rabbit::{PrivateCluster, PrivateRabbit, QueueDepth, RabbitOptions};
