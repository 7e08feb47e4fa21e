//! What is done every few seconds and every minute, by every intake process; all of it is harmless twice.

use std::time::Duration;

use sever_accept::retry_unmatched;
use sever_dispatch::Waker;
use sever_store::{Store, StoreError, census, reject};
use sever_telemetry::chain;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::gauges;

/// How often the gauges are refreshed.
const GAUGES_EVERY: Duration = Duration::from_secs(5);

/// How often unmatched requests are tried again, people are counted, and old rejects are deleted.
const CHORES_EVERY: Duration = Duration::from_secs(60);

/// Who places a request that had waited.
const ACTOR: &str = "system:intake";

/// Keeps the gauges in step until `stop`.
pub(crate) async fn keep_gauges(store: Store, stop: CancellationToken) {
    let mut ticks = interval(GAUGES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = gauges::refresh(&store).await {
            tracing::warn!(error = chain(&error), "the gauges could not be refreshed");
        }
    }
}

/// Does the chores of each minute until `stop`.
pub(crate) async fn do_chores(store: Store, waker: Waker, stop: CancellationToken) {
    let mut ticks = interval(CHORES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = chores(&store, &waker).await {
            tracing::warn!(
                error = chain(&error),
                "a chore of this minute could not be done"
            );
        }
    }
}

async fn chores(store: &Store, waker: &Waker) -> Result<(), StoreError> {
    if retry_unmatched(store, ACTOR).await?.matched > 0 {
        waker.wake();
    }
    census::refresh(store).await?;
    reject::expire(store).await.map(drop)
}
