//! The intake service.
//!
//! - [`LeaverEvents`]: takes employment events from RabbitMQ, as `asyncapi.yaml` describes them.
//! - [`router`], [`description`]: the same events and requests for opt-outs over HTTP, as `openapi.json`
//!   describes them.
//! - [`run`]: the process, with the dispatcher and what is done every few seconds.
//!
//! A sender is told that something is taken in only after its transaction is committed.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod amqp;
mod gauges;
mod http;
mod periodic;
mod readiness;
mod service;
mod settings;

pub use amqp::LeaverEvents;
pub use http::{Intake, description, router};
pub use service::run;
pub use settings::Settings;
