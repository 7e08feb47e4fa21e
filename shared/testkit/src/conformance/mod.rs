//! The conformance suite of connectors: the same matrix for each provider.
//!
//! A provider supplies an [`Adaptor`]: its factory, what to plant in the simulator, who must not be touched, and how the
//! world changes behind its back. The suite runs every [`Row`] of the matrix over it, where a row says at which call what goes
//! wrong, and judges each cell by the simulator's own truth and journal:
//!
//! - the end state of the subject and of every bystander is that of one clean run;
//! - no write names anything but the subject's account or an object of the plan, and no call a bystander;
//! - whenever the run says that nothing is live, nothing is;
//! - what was taken and has a way back comes back, is seen by a fresh read, and nothing more than there was.
//!
//! The way of an opt-out is that of the worker's runtime, with the pure functions that it decides by (`sever_domain`:
//! [`plan`](sever_domain::plan), [`seen`](sever_domain::seen), [`closing`](sever_domain::closing), the step states), and with
//! a [`record`] in memory in the place of the database: what is not committed there is lost with a crash.

mod adaptor;
mod cell;
mod epoch;
mod give_back;
mod judge;
mod lane;
mod matrix;
mod record;
mod report;
mod resolve;
mod row;
mod send;
mod settled;
mod simulator;

pub use adaptor::{Adaptor, Bystander, Changes, Kind, Subject, Twist};
pub use matrix::{CellName, Conformance, Ran, Selection, run};
pub use report::{json_line, table};
pub use row::Row;
pub use simulator::{Instance, Simulator};
