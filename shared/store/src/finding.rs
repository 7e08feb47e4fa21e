//! Findings, as people and the reconciler ask for them, and what is decided on them. [`crate::drift`] opens, renews and closes them.

mod acceptance;
mod decide;
mod list;
mod provenance;
mod repair;

pub(crate) use acceptance::end_acceptances;
pub use decide::{
    Look, Suspect, accept, ask_repair, connections_to_look_at, judge_looks, note_tried, suspects,
};
pub use list::{FindingFilter, FindingRow, LIST_MAX, find, list, open_counts, returned, unowned};
pub use provenance::{ASKS_MAX, Question, note_provenance, questions};
pub use repair::{ToRepair, refuse_repair, settle_repairs, start_repair, to_repair};
