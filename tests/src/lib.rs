//! A fleet of real binaries on one machine: private PostgreSQL and RabbitMQ, the simulator, intake and
//! workers, for the tests that cross a process boundary (`it/`).

mod double_events;
mod fleet;
mod operators;
mod program;
mod simulator;
mod wait;

pub use double_events::DOUBLE_EVENTS;
pub use fleet::{Fleet, FleetOptions, Leaver, OKTA_TOKEN};
pub use operators::Operators;
pub use program::{Program, binary};
pub use simulator::Simulator;
pub use wait::until;
