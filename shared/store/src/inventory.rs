//! Inventories: readings of whole connections, staged row by row and believed only when the rows are those of the record.
//!
//! A worker claims a run, copies what it sees in batches with its cursor, and says how well it read each family. The
//! reconciler compares it ([`crate::drift`]) and promotes it.

mod run;
mod stage;

pub use run::{
    Claim, ClaimedRun, RunLease, ask, claim, drop_unused, due, fail, finish, give_back, loaded,
    mark_rung,
};
pub(crate) use run::{record, unsigned};
pub use stage::{
    BATCH_MAX, Batch, MatchKeys, ObservedAccount, ObservedEntitlement, SetAside, append, match_key,
};
