//! RabbitMQ: the topology, one supervised connection, publishing with confirms, and consuming.
//!
//! This is the only crate that knows the AMQP client. Everything that waits for the broker has a deadline
//! ([`deadline`]). Any error on a connection drops that whole connection; the supervisor backs off, connects again,
//! declares the topology again, and consumers resume. A program has one [`Bus`] for each role (consume, publish),
//! because the broker blocks publishing connections as a whole.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a failed step of a test is a failed test"
    )
)]

mod bus;
mod consume;
pub mod deadline;
mod declare;
mod delivery;
mod error;
mod handler;
mod inspect;
mod link;
mod meter;
mod pass;
mod publish;
mod supervisor;
pub mod topology;

pub use bus::{Bus, BusConfig, BusState};
pub use consume::{ConsumeOptions, Consumer, Drained};
pub use delivery::Delivery;
pub use error::{BusError, PublishError};
pub use handler::{Disposition, Handler};
pub use inspect::{MarkerState, QueueDepth};
pub use pass::{Pass, Taken};
pub use publish::{Outgoing, PublishOutcome, Publisher};
pub use topology::Topology;
