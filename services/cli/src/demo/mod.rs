//! `sever demo`: a whole company on one machine, 48 people who leave it, and the proof that their access is gone.

mod audience;
mod cast;
mod check;
mod events;
mod follow;
mod journal;
mod outcome;
mod report;
mod run;
mod stage;
mod truth;

pub(crate) use run::{DemoArguments, run};
