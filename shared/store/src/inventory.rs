//! Inventories: readings of connections, staged row by row and believed only when the rows are those of the record.
//!
//! A worker claims a run, copies what it sees in batches with its cursor, and says how well it read each family. The
//! reconciler compares it ([`crate::drift`]); a full one becomes the connection's newest inventory, an incremental one a part of it.

mod finish;
mod merge;
mod run;
mod stage;
mod subject;

pub use finish::{Finish, become_full, finish};
pub(crate) use merge::merge;
pub use merge::refuse_lost;
pub use run::{
    Claim, ClaimedRun, RunLease, ask, claim, drop_unused, due, fail, give_back, loaded, mark_rung,
};
pub(crate) use run::{record, unsigned};
pub use stage::{
    BATCH_MAX, Batch, MatchKeys, ObservedAccount, ObservedEntitlement, SetAside, append, match_key,
};
pub(crate) use subject::forget;
pub use subject::{SubjectReading, UnlistedFamily, sample};
