//! The chaos run: a real fleet under a load of opt-outs, a seeded driver that kills, wipes, cuts and stalls everything
//! that the fleet consists of or relies on, and one checker that compares what the clients were promised with the
//! database and with the provider's own journal.
//!
//! What is random comes from one seed: who is asked for in which way, which fault comes when and how long it lasts. The
//! operating system's scheduling is not in the seed, so a run again meets the same faults, not the same interleaving.

mod checker;
mod clients;
mod cluster;
mod crowd;
mod driver;
mod fault;
mod fleet;
mod ground;
mod journal;
mod plan;
mod process;
mod promises;
mod recovery;
mod report;
mod run;
mod world;

pub use cluster::{ClusterReport, cluster};
pub use fleet::{Fleet, REPLICAS};
pub use ground::{Ground, Halves, Links, Servers};
pub use plan::Plan;
pub use process::{Kind, Process};
pub use report::Report;
pub use run::{run, run_on};
pub use world::World;
