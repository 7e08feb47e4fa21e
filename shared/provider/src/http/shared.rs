//! What all processes know together of one connection, as one client sees it.
//!
//! The client tells how its calls ended ([`Tally`]), for the connection's breaker, and leases its tokens from a
//! [`RateLedger`]. Without a ledger (a tool, a test) it goes by what it heard itself.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use sever_domain::rate::Priority;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A window of an endpoint bucket, as one process knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardWindow {
    /// Calls in one window.
    pub limit: u32,
    /// What the provider last counted as left.
    pub remaining: u32,
    /// How long until it ends.
    pub ends_in: Duration,
    /// Whether the provider's documents say so and not its headers: such a window begins where none is under way.
    pub declared: bool,
}

/// What a ledger grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leased {
    /// Nobody knows of a window.
    Unbounded,
    /// So many calls, to be made within this time.
    Block {
        /// At least 1.
        tokens: u32,
        /// How long the block is good.
        ends_in: Duration,
    },
    /// None; ask again after this time.
    Later(Duration),
}

/// Where processes lease tokens of a connection's rate budget from.
pub trait RateLedger: Debug + Send + Sync {
    /// Leases a block of tokens of a bucket. `None` where the ledger cannot be asked: the caller goes by what it knows.
    fn lease<'a>(
        &'a self,
        bucket: &'static str,
        heard: Option<HeardWindow>,
        priority: Priority,
    ) -> BoxFuture<'a, Option<Leased>>;

    /// Notes that the provider refused a call and wants none of this bucket for this long.
    fn refused<'a>(&'a self, bucket: &'static str, wait: Duration) -> BoxFuture<'a, ()>;

    /// Takes the connection's lane for this process, or keeps it; `false` where another process has it, or nobody can be
    /// asked.
    fn take_lane<'a>(&'a self, lease: Duration) -> BoxFuture<'a, bool>;

    /// Gives the lane back, where this process has it.
    fn leave_lane<'a>(&'a self) -> BoxFuture<'a, ()>;
}

/// How long the lane stays a process's after its last call: as long as another one waits for it after a crash.
const LANE_LEASE: Duration = Duration::from_secs(30);
/// A lane that ends sooner than this is taken again before a call, so that none is under way when it ends.
const LANE_MARGIN: Duration = Duration::from_secs(15);

/// Calls of this process since they were last taken.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicU64,
    failed: AtomicU64,
    listens: AtomicBool,
}

/// The part of one connection that outlives its clients. Cheap to clone. The default is shared with nobody.
#[derive(Debug, Clone, Default)]
pub struct SharedConnection {
    tally: Arc<Tally>,
    ledger: Option<Arc<dyn RateLedger>>,
    lane_until: Arc<Mutex<Option<Instant>>>,
}

impl SharedConnection {
    /// A connection whose rate budget is leased from this ledger.
    #[must_use]
    pub fn new(ledger: Arc<dyn RateLedger>) -> Self {
        Self {
            tally: Arc::default(),
            ledger: Some(ledger),
            lane_until: Arc::default(),
        }
    }

    /// Whether this process has the connection's lane from now on, for one call: of a provider that lets one process at a
    /// time have a token. Where nothing is shared it always has.
    pub async fn has_lane(&self) -> bool {
        let Some(ledger) = &self.ledger else {
            return true;
        };
        // Held across the question on purpose: calls side by side ask once. A dropped future frees it.
        let mut until = self.lane_until.lock().await;
        let asked = Instant::now();
        if until.is_some_and(|until| until > asked + LANE_MARGIN) {
            return true;
        }
        let taken = ledger.take_lane(LANE_LEASE).await;
        *until = taken.then_some(asked + LANE_LEASE);
        taken
    }

    /// Gives the lane to whoever wants it next, because this process ends.
    pub async fn leave_lane(&self) {
        let mut until = self.lane_until.lock().await;
        if let (Some(_), Some(ledger)) = (until.take(), &self.ledger) {
            ledger.leave_lane().await;
        }
    }

    /// Says whether answers matter to the breaker: it is not closed, or shaken.
    pub fn listen(&self, listens: bool) {
        self.tally.listens.store(listens, Ordering::Relaxed);
    }

    /// Takes the counts of answered and failed calls, where the breaker has to hear of them: some failed, or it
    /// listens to answers too. Counts that nobody needs are dropped.
    #[must_use]
    pub fn take_heard(&self) -> Option<(u64, u64)> {
        let failed = self.tally.failed.swap(0, Ordering::Relaxed);
        let answered = self.tally.answered.swap(0, Ordering::Relaxed);
        let listens = self.tally.listens.load(Ordering::Relaxed);
        (failed > 0 || (listens && answered > 0)).then_some((answered, failed))
    }

    pub(super) fn ended(&self, answered: bool) {
        let counter = if answered {
            &self.tally.answered
        } else {
            &self.tally.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ledger(&self) -> Option<&dyn RateLedger> {
        self.ledger.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_breaker_is_told_of_failures_only() {
        let shared = SharedConnection::default();
        shared.ended(true);
        assert_eq!(shared.take_heard(), None);
        shared.ended(true);
        shared.ended(false);
        assert_eq!(shared.take_heard(), Some((1, 1)));
        shared.listen(true);
        assert_eq!(shared.take_heard(), None);
        shared.ended(true);
        assert_eq!(shared.take_heard(), Some((1, 0)));
    }
}
