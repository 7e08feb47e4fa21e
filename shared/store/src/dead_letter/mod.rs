//! Dead letters: jobs that gave up, and dead messages that no job belongs to.
//!
//! PostgreSQL says what is dead. A dead letter is made by the settle that buries its job (`job::settle`) or by the claim
//! that finds a crash loop; here stand what people do with it, what they see of it, and what the janitor needs to keep
//! the broker's queues in step.

mod back;
mod decide;
mod gauges;
mod list;
mod queue;
mod raw;
mod returned;
mod show;

pub(crate) use back::go_back;
pub use back::{BackToWork, Order, Returned};
pub use decide::{DecisionError, ask_discard, confirm_discard, resolve};
pub use gauges::{DeadCounts, counts};
pub use list::{Cluster, DeadLetters, LetterRow, QueueLook, RawRow, clusters, of_fingerprint};
pub use queue::{
    About, DeadQueue, Expected, Look, about, acked, expected, gone_after_pass, kept, look, missing,
    needs_pass, publish_again, ring_innocent,
};
pub use raw::{
    BODY_KEPT_BYTES_MAX, NewRaw, RawDecision, RawFacts, StoredRaw, close_raw, find_raw, store_raw,
    whole_raws,
};
pub use returned::return_crash_loops;
pub use show::{AttemptFacts, CallFacts, Foreseen, LetterFacts, RequestFacts, find, find_by_job};
