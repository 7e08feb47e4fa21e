//! Findings, as people and the reconciler ask for them, and what is decided on them. [`crate::drift`] opens, renews and closes them.

mod acceptance;
mod decide;
mod list;
mod repair;

pub(crate) use acceptance::end_acceptances;
pub use decide::{
    Look, Suspect, accept, ask_repair, judge_looks, note_tried, suspected_connections, suspects,
};
pub use list::{FindingFilter, FindingRow, LIST_MAX, find, list, open_counts, unowned};
pub use repair::{ToRepair, refuse_repair, settle_repairs, start_repair, to_repair};
