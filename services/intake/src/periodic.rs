//! What is done every few seconds and every minute, by every intake process; all of it is harmless twice.

use std::time::Duration;

use sever_accept::retry_unmatched;
use sever_bus::Bus;
use sever_dispatch::Waker;
use sever_store::{Store, StoreError, census, reject};
use sever_telemetry::chain;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::gauges;

/// How often the gauges are refreshed.
const GAUGES_EVERY: Duration = Duration::from_secs(5);

/// How often unmatched requests are tried again, people are counted, and old rejects are deleted.
const CHORES_EVERY: Duration = Duration::from_secs(60);

/// The longest wait for the broker's answer about its dead letters.
const BROKER_ANSWER: Duration = Duration::from_secs(4);

/// When the invariants are first checked, and how often after that; each check reads whole tables.
const INVARIANTS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));

/// Who places a request that had waited.
const ACTOR: &str = "system:intake";

/// Keeps the gauges in step until `stop`.
pub(crate) async fn keep_gauges(store: Store, bus: Bus, stop: CancellationToken) {
    let mut ticks = interval(GAUGES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = gauges::refresh(&store).await {
            tracing::warn!(error = chain(&error), "the gauges could not be refreshed");
        }
        let look = timeout(BROKER_ANSWER, gauges::refresh_dead_letters(&bus));
        if let Some(Err(_) | Ok(Err(_))) = stop.run_until_cancelled(look).await {
            tracing::debug!("the broker could not be asked for its dead letters");
        }
    }
}

/// Checks the invariants until `stop`, with a store of its own, so that a long check takes no client from intake.
pub(crate) async fn check_invariants(store: Store, stop: CancellationToken) {
    let (first, every) = INVARIANTS;
    let mut ticks = interval_at(Instant::now() + first, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let check = async {
        loop {
            ticks.tick().await;
            if let Err(error) = gauges::refresh_invariants(&store).await {
                tracing::warn!(error = chain(&error), "the invariants could not be checked");
            }
        }
    };
    let _: Option<()> = stop.run_until_cancelled(check).await;
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
