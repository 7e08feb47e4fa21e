//! One round: the same bounded work each time, read from the database alone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sever_accept::AcceptError;
use sever_dispatch::Waker;
use sever_domain::{ConnectionId, RunId};
use sever_store::drift::{self, Compared};
use sever_store::{Store, StoreError, finding, inventory, leader, reconcile};
use sever_telemetry::{catalogue, chain};
use uuid::Uuid;

use crate::{gauges, repair};

/// Who schedules, compares and repairs.
pub const ACTOR: &str = drift::RECONCILER;

/// The name of the work that one reconciler does at a time.
const LEASE: &str = "reconcile";
/// How long one process leads after its last round.
const LEASE_FOR: Duration = Duration::from_secs(10);
/// When a bell that no worker answered is rung again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a connection's suspected findings, and those without provenance, are rung for.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often open findings are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often Sever's own integrity is checked: it reads the newest inventories.
const CHECK_EVERY: Duration = Duration::from_secs(300);
/// A comparison that failed so often is given up; the schedule asks for another inventory.
const COMPARISONS_MAX: u32 = 5;
/// How often the rows of old runs are dropped.
const TIDY_EVERY: Duration = Duration::from_secs(30);

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Whether this process leads.
    pub leads: bool,
    /// Inventories asked for.
    pub asked: usize,
    /// Bells written.
    pub rung: usize,
    /// Runs compared.
    pub compared: usize,
    /// Repairs asked for.
    pub repairs: usize,
}

/// The reconciler's work. It keeps nothing that the database does not know, but when it last rang.
pub struct Reconciler {
    store: Store,
    waker: Waker,
    me: Uuid,
    looked: HashMap<ConnectionId, Instant>,
    /// Comparisons that failed, by run.
    failed: HashMap<RunId, u32>,
    tidied: Option<Instant>,
    counted: Option<Instant>,
    checked: Option<Instant>,
}

impl Reconciler {
    /// A reconciler that leads nothing yet.
    #[must_use]
    pub fn new(store: Store, waker: Waker) -> Self {
        Self {
            store,
            waker,
            me: Uuid::new_v4(),
            looked: HashMap::new(),
            failed: HashMap::new(),
            tidied: None,
            counted: None,
            checked: None,
        }
    }

    /// Goes one round, if this process leads. Dropping it loses nothing.
    ///
    /// # Errors
    /// As any statement; what was committed stays, and the next round goes on.
    pub async fn round(&mut self) -> Result<Round, StoreError> {
        if !leader::lead(&self.store, LEASE, self.me, LEASE_FOR).await? {
            if self.counted.take().is_some() {
                gauges::tell_nothing();
            }
            self.checked = None;
            return Ok(Round::default());
        }
        let mut round = Round {
            leads: true,
            ..Round::default()
        };
        round.asked = reconcile::schedule(&self.store, ACTOR).await?;
        round.rung = reconcile::ring_runs(&self.store, PATIENCE).await? + self.ring_looks().await?;
        round.compared = self.compare().await?;
        round.repairs = self.repair().await?;
        self.tidy().await;
        self.count().await;
        if round.rung > 0 || round.repairs > 0 {
            self.waker.wake();
        }
        Ok(round)
    }

    /// Lets another process lead at once.
    pub async fn resign(&self) {
        if let Err(error) = leader::resign(&self.store, LEASE, self.me).await {
            tracing::debug!(%error, "the lead could not be given up; it ends by itself");
        }
    }

    async fn ring_looks(&mut self) -> Result<usize, StoreError> {
        let client = self
            .store
            .client("finding connections with suspected findings")
            .await?;
        let mut due = finding::connections_to_look_at(&client).await?;
        drop(client);
        let looked = &mut self.looked;
        looked.retain(|_, at| at.elapsed() < LOOK_AGAIN);
        due.retain(|(connection, _)| !looked.contains_key(connection));
        reconcile::ring_looks(&self.store, &due).await?;
        looked.extend(
            due.iter()
                .map(|(connection, _)| (*connection, Instant::now())),
        );
        Ok(due.len())
    }

    /// Compares what is loaded. One comparison that fails keeps no other from being made, and repairs from being asked for.
    async fn compare(&mut self) -> Result<usize, StoreError> {
        let client = self.store.client("finding loaded inventories").await?;
        let loaded = inventory::loaded(&client).await?;
        drop(client);
        for run in &loaded {
            let began = Instant::now();
            let compared = match self.leading(drift::compare(&self.store, *run, ACTOR)).await {
                Ok(compared) => compared,
                Err(error) => {
                    self.not_compared(*run, &error).await?;
                    continue;
                }
            };
            self.failed.remove(run);
            metrics::histogram!(catalogue::RECONCILE_SECONDS.name)
                .record(began.elapsed().as_secs_f64());
            metrics::counter!(catalogue::INVENTORIES.name, "result" => word(&compared))
                .increment(1);
            match &compared {
                Compared::Held { would_open, limit } => {
                    tracing::error!(%run, would_open, limit, "an inventory would open more findings than the guard allows; it is held for a person");
                }
                Compared::Promoted {
                    opened,
                    seen_again,
                    closed,
                } => {
                    tracing::info!(%run, ?opened, seen_again, closed, "an inventory was promoted");
                }
                Compared::NotLoaded | Compared::Refused | Compared::Incomplete => {
                    tracing::warn!(%run, result = word(&compared), "an inventory was not promoted");
                }
            }
        }
        Ok(loaded.len())
    }

    /// Does something that may take longer than the lead lasts, and keeps the lead meanwhile.
    async fn leading<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        loop {
            match tokio::time::timeout(LEASE_FOR / 4, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    if let Err(error) = leader::lead(&self.store, LEASE, self.me, LEASE_FOR).await {
                        tracing::warn!(%error, "the lead could not be renewed beside a comparison");
                    }
                }
            }
        }
    }

    async fn not_compared(&mut self, run: RunId, error: &StoreError) -> Result<(), StoreError> {
        let failures = self.failed.entry(run).or_default();
        *failures += 1;
        tracing::error!(%run, error = chain(error), failures, "an inventory could not be compared");
        if *failures >= COMPARISONS_MAX {
            self.failed.remove(&run);
            drift::give_up(&self.store, run, ACTOR).await?;
        }
        Ok(())
    }

    async fn repair(&self) -> Result<usize, StoreError> {
        match Box::pin(repair::repair(&self.store)).await {
            Ok(repairs) => Ok(repairs),
            Err(AcceptError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, "a repair was not accepted");
                Ok(0)
            }
        }
    }

    /// Tells the metrics what is open, and what needs somebody.
    async fn count(&mut self) {
        let counted = if is_due(&mut self.counted, COUNT_EVERY) {
            gauges::count_findings(&self.store).await
        } else {
            Ok(())
        };
        let checked = if is_due(&mut self.checked, CHECK_EVERY) {
            gauges::count_concerns(&self.store).await
        } else {
            Ok(())
        };
        for error in [counted, checked].into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "findings and concerns could not be counted");
        }
    }

    /// Drops what nothing refers to; a table that is being read stays until the next time.
    async fn tidy(&mut self) {
        if !is_due(&mut self.tidied, TIDY_EVERY) {
            return;
        }
        match inventory::refuse_lost(&self.store).await {
            Ok(0) => {}
            Ok(lost) => tracing::warn!(
                lost,
                "inventories were lost with the database's unlogged tables; others are asked for"
            ),
            Err(error) => {
                tracing::warn!(%error, "inventories that were lost could not be looked for")
            }
        }
        if let Err(error) = inventory::drop_unused(&self.store).await {
            tracing::warn!(%error, "the rows of old inventories could not be dropped");
        }
    }
}

/// Whether it was done so long ago; notes that it is done now.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|at| at.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// The word for what a comparison came to.
const fn word(compared: &Compared) -> &'static str {
    match compared {
        Compared::NotLoaded => "not_loaded",
        Compared::Refused => "refused",
        Compared::Incomplete => "incomplete",
        Compared::Held { .. } => "held",
        Compared::Promoted { .. } => "promoted",
    }
}
