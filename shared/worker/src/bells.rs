//! Bells: a message is an id; the claim decides what it means.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use sever_bus::{Delivery, Disposition, Handler};
use sever_domain::{JobId, JobState, SubjectKind, Urgency};
use sever_provider::http::{JobScope, Priority, in_scope};
use sever_provider::{Connector, ConnectorFactory};
use sever_store::StoreError;
use sever_store::job::{self, Claimed, ClaimedJob, DeadLetter, Settled, Settlement};
use sever_telemetry::{catalogue, chain};

use crate::epoch::{Context, End, Epoch, ONE_OWNER, owned_by_another};
use crate::registry::{Known, NoConnector, Registry};

/// The body of a bell.
#[derive(Deserialize)]
struct Bell {
    job: JobId,
}

/// Answers the bells of one provider.
pub(crate) struct Bells<F: ConnectorFactory> {
    pub(crate) context: Arc<Context>,
    pub(crate) registry: Arc<Registry<F>>,
}

impl<F: ConnectorFactory> Handler for Bells<F> {
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition> {
        async move {
            let Ok(bell) = serde_json::from_slice::<Bell>(&delivery.body) else {
                tracing::error!(
                    bytes = delivery.body.len(),
                    "a bell cannot be read; it goes to the dead-letter queue"
                );
                return Disposition::DeadLetter;
            };
            self.answer(bell.job).await
        }
        .boxed()
    }
}

impl<F: ConnectorFactory> Bells<F> {
    /// Claims and works. While the database is away the bell is kept; the slot has nothing better to do.
    async fn answer(&self, job: JobId) -> Disposition {
        let mut failures = 0;
        let began = Instant::now();
        loop {
            if self.context.soft.is_cancelled() || self.context.heart.disowned.is_cancelled() {
                return Disposition::ReturnAtShutdown;
            }
            let asked = Instant::now();
            let heart = &self.context.heart;
            match job::claim(
                &self.context.store,
                job,
                heart.instance,
                heart.incarnation,
                self.context.settings.lease,
            )
            .await
            {
                Ok(Claimed::Taken(claimed)) => {
                    self.work(*claimed, asked).await;
                    return Disposition::Ack;
                }
                Ok(Claimed::NotNow(why)) => {
                    tracing::debug!(%job, why, "a bell had nothing to do");
                    return Disposition::Ack;
                }
                Ok(Claimed::StaleWorker) => {
                    heart.disowned.cancel();
                    return Disposition::ReturnAtShutdown;
                }
                Err(error) if !error.is_transient() => {
                    tracing::error!(%job, error = %chain(&error), "a job cannot be claimed by this version; the sweeper rings it again");
                    return Disposition::Ack;
                }
                Err(error) => {
                    failures += 1;
                    if began.elapsed() > CLAIM_PATIENCE {
                        tracing::error!(%job, error = %chain(&error), "the database has been away for too long; the bell is given up and the sweeper rings again");
                        return Disposition::Ack;
                    }
                    tracing::warn!(%job, error = %chain(&error), "a claim failed; it is tried again");
                    let wait = self
                        .context
                        .settings
                        .retry
                        .delay(failures, rand::random())
                        .min(CLAIM_WAIT_MAX);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.context.soft.cancelled() => {}
                    }
                }
            }
        }
    }

    /// One epoch. Whatever happens in it, the bell is done with: an unsettled job is found by the sweeper.
    async fn work(&self, claimed: ClaimedJob, asked: Instant) {
        let provider = claimed.provider.as_str();
        let busy = metrics::gauge!(catalogue::WORKER_SLOTS_BUSY.name, "provider" => provider);
        let leases = metrics::gauge!(catalogue::WORKER_LEASES.name, "provider" => provider);
        busy.increment(1.0);
        leases.increment(1.0);
        let (job, opt_out) = (claimed.lease.job, claimed.opt_out);
        if AssertUnwindSafe(self.epoch(claimed, asked))
            .catch_unwind()
            .await
            .is_err()
        {
            tracing::error!(%job, %opt_out, "an epoch panicked; its lease ends with the next claim, and three in a row dead-letter the job");
        }
        leases.decrement(1.0);
        busy.decrement(1.0);
    }

    /// Finds the connector for the job's kind of subject and works with it.
    async fn epoch(&self, claimed: ClaimedJob, asked: Instant) {
        let (job, connection) = (claimed.lease.job, claimed.connection);
        if claimed.breaker_listens {
            self.registry.shared(connection).listen(true);
        }
        let connectors = match self
            .registry
            .get(&self.context.store, connection, claimed.connection_version)
            .await
        {
            Ok(connectors) => connectors,
            Err(NoConnector::Store(error)) => {
                return tracing::warn!(%job, error = %chain(&error), "a connection could not be read; the sweeper rings the job again");
            }
            Err(NoConnector::Unusable(what)) => {
                return self
                    .settle_unworked(&claimed, &Settlement::Credentials { what })
                    .await;
            }
        };
        match (claimed.subject_kind, &connectors.integrations) {
            (SubjectKind::Person, _) => {
                self.with_connector(Arc::clone(&connectors.people), claimed, asked)
                    .await;
            }
            (SubjectKind::Integration, Some(integrations)) => {
                self.with_connector(Arc::clone(integrations), claimed, asked)
                    .await;
            }
            (SubjectKind::Integration, None) => {
                let letter = DeadLetter {
                    fingerprint: format!("{}:connect:permanent:no_integrations", claimed.provider),
                    reason: format!(
                        "the worker of {} knows no integrations: take the connection out of the integration's bindings",
                        claimed.provider
                    ),
                };
                self.settle_unworked(&claimed, &Settlement::Dead(letter))
                    .await;
            }
        }
    }

    /// Settles a job for which nothing could be done.
    async fn settle_unworked(&self, claimed: &ClaimedJob, settlement: &Settlement) {
        let settled = job::settle(
            &self.context.store,
            claimed,
            &std::collections::HashMap::new(),
            job::Record::default(),
            None,
            settlement,
        )
        .await;
        report(&settled, settlement, claimed);
    }

    async fn with_connector<C: Connector>(
        &self,
        known: Arc<Known<C>>,
        claimed: ClaimedJob,
        asked: Instant,
    ) {
        let (job, opt_out, connection) = (claimed.lease.job, claimed.opt_out, claimed.connection);
        let accepted_at = claimed.accepted_at;
        let mut epoch = Epoch::new(&self.context, known, claimed, asked);
        let first_before = epoch.claimed.first_revocation_at;
        let progress = Arc::new(AtomicU64::new(0));
        let _running = self
            .context
            .running
            .begin(epoch.claimed.lease, Arc::clone(&progress));
        let scope = JobScope {
            priority: match epoch.claimed.urgency {
                Urgency::Urgent => Priority::Containing,
                Urgency::Ordinary => Priority::Ordinary,
            },
            progress,
        };
        let settlement = match in_scope(scope, epoch.work()).await {
            Ok(settlement) | Err(End::Settle(settlement)) => settlement,
            Err(End::Abandon(why)) => {
                return tracing::warn!(%job, %opt_out, why, "an epoch stopped without a settle; the next one reads what it left");
            }
            Err(End::Store(error)) if !error.is_transient() => {
                // Not settled: three such epochs in a row dead-letter the job, with a person to look.
                return tracing::error!(%job, %opt_out, error = %chain(&error), "the database refused what an epoch wrote");
            }
            Err(End::Store(error)) => {
                tracing::warn!(%job, %opt_out, error = %chain(&error), "an epoch lost the database; the next one reads what it left");
                return self.give_back(&epoch).await;
            }
        };
        if matches!(settlement, Settlement::Credentials { .. }) {
            self.registry.forget(connection).await;
        }
        let mut settled = epoch.settle(&settlement).await;
        if let Err(error) = &settled
            && error.constraint() == Some(ONE_OWNER)
        {
            settled = epoch.settle(&owned_by_another()).await;
        }
        if let (None, Some(first)) = (first_before, epoch.claimed.first_revocation_at) {
            let waited = first
                .duration_since(accepted_at.max(epoch.claimed.effective_at))
                .as_secs_f64();
            metrics::histogram!(catalogue::FIRST_REVOCATION_SECONDS.name, "provider" => epoch.claimed.provider.as_str()).record(waited.max(0.0));
        }
        report(&settled, &settlement, &epoch.claimed);
    }

    /// The last transaction's outcome is not known, so nothing that rests on it is written: only the lease
    /// goes back, and steps left `applying` are unknown to the next epoch.
    async fn give_back<C>(&self, epoch: &Epoch<'_, C>) {
        let settlement = Settlement::Wait {
            why: "database",
            after: Duration::from_secs(1),
        };
        for failures in 1..=GIVE_BACK_TRIES {
            let settled = job::settle(
                &self.context.store,
                &epoch.claimed,
                &epoch.steps.names,
                job::Record::default(),
                None,
                &settlement,
            )
            .await;
            match settled {
                Ok(_) | Err(StoreError::Conflict { .. }) => {
                    return report(&settled, &settlement, &epoch.claimed);
                }
                Err(_) => {
                    tokio::time::sleep(
                        self.context
                            .settings
                            .retry
                            .delay(failures, rand::random())
                            .min(CLAIM_WAIT_MAX),
                    )
                    .await
                }
            }
        }
    }
}

/// How long a bell waits for the database: well within the broker's acknowledgement timeout.
const CLAIM_PATIENCE: Duration = Duration::from_secs(600);

/// How often a job is given back after the database refused a transaction.
const GIVE_BACK_TRIES: u32 = 5;

/// The longest wait between two tries of a claim.
const CLAIM_WAIT_MAX: Duration = Duration::from_secs(5);

fn report(settled: &Result<Settled, StoreError>, settlement: &Settlement, claimed: &ClaimedJob) {
    let (job, opt_out, provider) = (
        claimed.lease.job,
        claimed.opt_out,
        claimed.provider.as_str(),
    );
    match settled {
        Ok(settled) => {
            metrics::counter!(catalogue::ATTEMPTS.name, "provider" => provider, "class" => settlement.class().as_str()).increment(1);
            if settled.state == JobState::Done {
                let waited = settled
                    .now
                    .duration_since(claimed.accepted_at.max(claimed.effective_at))
                    .as_secs_f64();
                metrics::histogram!(catalogue::VERIFIED_SECONDS.name, "provider" => provider)
                    .record(waited.max(0.0));
            }
            tracing::info!(%job, %opt_out, provider, state = %settled.state, class = %settlement.class(), opt_out_closed = settled.opt_out_closed, "a job was settled");
        }
        Err(StoreError::Conflict { .. }) => {
            tracing::warn!(%job, %opt_out, "a settle was refused: the lease is somebody else's now")
        }
        Err(error) => {
            tracing::warn!(%job, %opt_out, error = %chain(&error), "a settle failed; the sweeper rings the job again")
        }
    }
}
