//! The bus against a real RabbitMQ: one private server for all tests of this program.
#![allow(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

mod broker;
mod consume;
mod pass;
mod proxy;
mod publish;
mod resilience;
mod script;
mod tls;
