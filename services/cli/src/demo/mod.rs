//! `sever demo`: a whole company on one machine, 50 people who leave it, two integrations that are disconnected, and the proof that
//! their access is gone in five systems.
//!
//! The order of events is in `run`; each event has its file (`events`, `disconnect`, `task`, `restore`).

mod audience;
mod bystander;
mod cast;
mod check;
mod disconnect;
mod drift;
mod events;
mod follow;
mod integrations;
mod journal;
mod matrix;
mod operator;
mod outcome;
mod report;
mod restore;
mod run;
mod stage;
mod task;
mod truth;

pub(crate) use run::{DemoArguments, run};
