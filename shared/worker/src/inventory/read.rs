//! Reading one run: page after page into batches, each committed with the place behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sever_domain::{EntitlementKind, OutcomeClass, RunId, RunKind};
use sever_provider::{CallError, Connector, ConnectorFactory, InventoryPage};
use sever_store::inventory::{
    self, Batch, Claim, ClaimedRun, Finish, MatchKeys, ObservedAccount, ObservedEntitlement,
    SetAside,
};
use sever_store::{StoreError, worker_connection};
use sever_telemetry::catalogue;
use sha2::{Digest as _, Sha256};

use super::progress::Progress;
use super::subjects::Subjects;
use crate::clock::DatabaseClock;
use crate::epoch::Context;
use crate::registry::{NoConnector, Registry};

/// A batch is written once it has so many rows; a page more still fits.
const ROWS: usize = inventory::BATCH_MAX / 2;
/// Or once it is so old, so that little is read twice after a crash.
const AGE: Duration = Duration::from_secs(5);
/// How long a run stays this worker's after each batch: far longer than one page may take.
const LEASE: Duration = Duration::from_secs(180);
/// Attempts in a row that may fail; then the run is given up, and the schedule asks for another one.
const FAILURES_MAX: u32 = 10;
/// How long one bell is read for. The broker takes a delivery that stays unanswered for half an hour as lost, and reads by id wait
/// for the slot.
const SLICE: Duration = Duration::from_secs(10 * 60);
/// How long an inventory waits where the provider names no time; opt-outs have the connection meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);

/// Claims a run and reads it as far as it goes.
pub(super) async fn read<F: ConnectorFactory>(
    context: &Context,
    registry: &Arc<Registry<F>>,
    run: RunId,
) -> Result<(), StoreError> {
    let claimed = match inventory::claim(&context.store, run, context.heart.instance, LEASE).await?
    {
        Claim::Taken(claimed) => claimed,
        Claim::NotNow => return Ok(()),
        Claim::Refused => {
            tracing::warn!(%run, "the rows of an inventory are lost; it is refused");
            return Ok(());
        }
    };
    // Taken after the answer, so that what is carried is never too late: a sight must not seem newer than it is.
    let clock = DatabaseClock::new(claimed.now, Instant::now());
    let connection = claimed.connection;
    let version = worker_connection::find(&context.store, connection)
        .await?
        .map_or(0, |row| row.version);
    let connectors = match registry.get(&context.store, connection, version).await {
        Ok(connectors) => connectors,
        Err(NoConnector::Store(error)) => return Err(error),
        Err(NoConnector::Unusable(what)) => {
            return inventory::fail(&context.store, &claimed.lease, &what).await;
        }
    };
    let mut reading = Reading {
        context,
        claimed: &claimed,
        clock,
        batch: Batch::default(),
        begun: Instant::now(),
        took: Instant::now(),
        rows: 0,
        kind: claimed.kind,
    };
    reading.run(&connectors.people.connector).await
}

/// One attempt at a run.
pub(super) struct Reading<'a> {
    pub(super) context: &'a Context,
    pub(super) claimed: &'a ClaimedRun,
    pub(super) clock: DatabaseClock,
    pub(super) batch: Batch,
    /// When the batch was begun.
    begun: Instant,
    /// When this attempt began.
    took: Instant,
    rows: u64,
    /// How much is read: an incremental run becomes a full one where what changed cannot be told.
    pub(super) kind: RunKind,
}

impl Reading<'_> {
    async fn run<C: Connector>(&mut self, connector: &C) -> Result<(), StoreError> {
        let Ok(mut progress) = Progress::of(self.claimed.cursor.as_ref()) else {
            return self
                .fail("the stored cursor is not one of this version")
                .await;
        };
        if self.kind == RunKind::Incremental && !self.incremental(connector, &mut progress).await? {
            return Ok(());
        }
        if progress.subjects.is_some() {
            return self.closely(connector, progress).await;
        }
        if progress.is_listed() {
            return self.sample(connector, progress).await;
        }
        if progress.is_new() {
            progress.mark = match connector.changes_mark().await {
                Ok(mark) => mark,
                Err(error) => return self.stop(&error).await,
            };
        }
        loop {
            if self.must_stop() {
                return self.drain(&progress).await;
            }
            if self.is_long() {
                return self.pause(&progress).await;
            }
            let seen_at = self.clock.now();
            let page = match connector.inventory_page(progress.at()).await {
                Ok(page) => page,
                Err(error) => {
                    self.write(&progress).await?;
                    return self.stop(&error).await;
                }
            };
            if page.accounts.len() + page.entitlements.len() > ROWS {
                return self.fail("a page has more rows than a batch takes").await;
            }
            let goes_on = progress.turn(&page);
            self.add(page, seen_at);
            if !goes_on {
                return self.sample(connector, progress).await;
            }
            if self.is_full() {
                self.write(&progress).await?;
            }
        }
    }

    /// Chooses whom a full run reads one by one, where there are families that no list shows.
    async fn sample<C: Connector>(
        &mut self,
        connector: &C,
        mut progress: Progress,
    ) -> Result<(), StoreError> {
        self.write(&progress).await?;
        let chosen = match connector.read_closely() {
            [] => Vec::new(),
            _ => {
                let (store, lease) = (&self.context.store, &self.claimed.lease);
                inventory::sample(store, self.claimed.connection, lease).await?
            }
        };
        progress.subjects = Some(Subjects::of(chosen));
        Box::pin(self.closely(connector, progress)).await
    }

    pub(super) fn must_stop(&self) -> bool {
        self.context.soft.is_cancelled() || !self.context.heart.is_fresh()
    }

    /// Whether this bell was read for long enough.
    pub(super) fn is_long(&self) -> bool {
        self.took.elapsed() >= SLICE
    }

    /// Whether the batch in hand is to be written.
    pub(super) fn is_full(&self) -> bool {
        self.batch.rows() >= ROWS || self.begun.elapsed() >= AGE
    }

    pub(super) async fn drain(&mut self, progress: &Progress) -> Result<(), StoreError> {
        self.write(progress).await?;
        self.give_back("drain", Duration::ZERO, false).await
    }

    pub(super) async fn pause(&mut self, progress: &Progress) -> Result<(), StoreError> {
        self.write(progress).await?;
        self.give_back("slice", Duration::ZERO, false).await
    }

    /// Adds a page to the batch in hand.
    pub(super) fn add(&mut self, page: InventoryPage, seen_at: jiff::Timestamp) {
        self.batch
            .accounts
            .extend(page.accounts.into_iter().map(|account| ObservedAccount {
                kind: account.kind,
                keys: MatchKeys::of(&account.attributes),
                provider_id: account.provider_id,
                state: account.state,
                seen_at,
            }));
        self.batch
            .entitlements
            .extend(
                page.entitlements
                    .into_iter()
                    .map(|entitlement| ObservedEntitlement {
                        account_id: entitlement.account_id,
                        kind: entitlement.kind,
                        provider_key: entitlement.provider_key,
                        privileged: entitlement.privileged,
                        seen_at,
                    }),
            );
        self.batch
            .set_aside
            .extend(page.unreadable.into_iter().map(|record| SetAside {
                family: record.family,
                digest: Sha256::digest(record.record.as_bytes()).into(),
                reason: record.reason,
            }));
    }

    /// Commits the batch with the place behind it. A page larger than a batch is cut; its place goes with the last part.
    pub(super) async fn write(&mut self, progress: &Progress) -> Result<(), StoreError> {
        let mut client = self.context.store.client("staging an inventory").await?;
        let cursor = serde_json::to_value(progress).unwrap_or_default();
        let mut batch = std::mem::take(&mut self.batch);
        self.rows += batch.rows() as u64;
        metrics::counter!(catalogue::INVENTORY_ROWS.name).increment(batch.rows() as u64);
        batch.cursor = cursor;
        inventory::append(&mut client, &self.claimed.lease, &batch, LEASE).await?;
        // The room of the written rows serves the next ones.
        batch.accounts.clear();
        batch.entitlements.clear();
        batch.set_aside.clear();
        batch.readings.clear();
        self.batch = batch;
        self.begun = Instant::now();
        Ok(())
    }

    pub(super) async fn finish(
        &self,
        progress: Progress,
        unlisted: &[EntitlementKind],
    ) -> Result<(), StoreError> {
        let mut mark = progress.mark.clone();
        let families = match (self.kind, &progress.subjects) {
            (RunKind::Incremental, Some(subjects)) => {
                // What changed of an account that could not be read is asked for again.
                mark = mark.filter(|_| !subjects.any_left_out());
                subjects.records(unlisted)
            }
            _ => progress.families(&self.claimed.before),
        };
        let finish = Finish {
            families,
            mark,
            unlisted: unlisted.to_vec(),
        };
        inventory::finish(&self.context.store, &self.claimed.lease, &finish).await?;
        tracing::info!(run = %self.claimed.lease.run, connection = %self.claimed.connection, rows = self.rows, "an inventory was read");
        Ok(())
    }

    /// What a failed read means for the run: another try later, or its end.
    pub(super) async fn stop(&self, error: &CallError) -> Result<(), StoreError> {
        let failed = match error.class {
            OutcomeClass::Wait | OutcomeClass::RetryAt | OutcomeClass::ShuttingDown => false,
            OutcomeClass::Done | OutcomeClass::Retry | OutcomeClass::Credentials => true,
            OutcomeClass::Permanent | OutcomeClass::NeedsPerson => {
                return self.fail(&error.to_string()).await;
            }
        };
        if failed && self.claimed.failures >= FAILURES_MAX {
            return self.fail(&error.to_string()).await;
        }
        tracing::info!(run = %self.claimed.lease.run, class = %error.class, error = %error, "an inventory waits");
        let wait = error.retry_after.unwrap_or(PATIENCE);
        self.give_back(&error.to_string(), wait, failed).await
    }

    async fn fail(&self, why: &str) -> Result<(), StoreError> {
        tracing::warn!(run = %self.claimed.lease.run, why, "an inventory was given up");
        inventory::fail(&self.context.store, &self.claimed.lease, why).await
    }

    async fn give_back(&self, why: &str, wait: Duration, failed: bool) -> Result<(), StoreError> {
        inventory::give_back(&self.context.store, &self.claimed.lease, why, wait, failed).await
    }
}
