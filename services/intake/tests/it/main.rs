//! Intake against a real PostgreSQL and a real RabbitMQ.

#![allow(clippy::unwrap_used)] // a failed step of a test is a failed test

mod amqp;
mod broker;
mod contract;
mod fixture;
mod http;
mod process;
mod unauthorised;
