//! The sweeper: every due job without a bell gets one, and a broker that lost its data is noticed.

use sever_bus::{Bus, BusState, MarkerState};
use sever_store::{Store, job};
use sever_telemetry::{catalogue, chain};
use tokio_util::sync::CancellationToken;

use crate::dispatcher::{DispatchSettings, Waker};

/// The most bells of one sweep: more than a broker takes in the interval, and a bound on the statement.
const SWEEP_LIMIT: i64 = 2_000;

/// Runs until `stop`.
pub(crate) async fn run(
    store: Store,
    bus: Bus,
    settings: DispatchSettings,
    waker: Waker,
    stop: CancellationToken,
) {
    let mut state = bus.state();
    let mut marker_checked = false;
    while !stop.is_cancelled() {
        if state.has_changed().unwrap_or(false) {
            // Up again may be another broker, also where the loss itself was too short to be seen.
            state.mark_unchanged();
            marker_checked = false;
        }
        if !marker_checked && matches!(*state.borrow(), BusState::Up) {
            marker_checked = check_marker(&store, &bus).await;
        }
        sweep(&store, settings, &waker).await;
        tokio::select! {
            () = tokio::time::sleep(settings.sweep_interval) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn sweep(store: &Store, settings: DispatchSettings, waker: &Waker) {
    sever_crash_point::hit("sweep.before_ring");
    match job::sweep(store, settings.rung_too_long, SWEEP_LIMIT).await {
        Ok(rings) if rings.is_empty() => {}
        Ok(rings) => {
            sever_crash_point::hit("sweep.after_ring");
            for (why, count) in rings {
                metrics::counter!(catalogue::SWEEPER_RINGS.name, "why" => why)
                    .increment(count.unsigned_abs());
            }
            waker.wake();
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), "the sweep could not use the database; it tries again")
        }
    }
}

/// Looks for the marker queue. The loss is a row before the marker is declared again, so that a crash in
/// between finds it missing once more. Returns whether the look succeeded.
async fn check_marker(store: &Store, bus: &Bus) -> bool {
    match bus.check_marker().await {
        Ok(MarkerState::Present) => true,
        Ok(MarkerState::Missing) => {
            if let Err(error) = job::broker_data_lost(store).await {
                tracing::warn!(error = %chain(&error), "could not note that the broker's data is gone; it is looked for again");
                return false;
            }
            sever_crash_point::hit("broker_lost.after_note");
            tracing::warn!(
                "the broker's data is new or gone: every bell rung before now is rung again"
            );
            let declared = bus.declare_marker().await;
            sever_crash_point::hit("broker_lost.after_marker");
            declared
                .inspect_err(|error| tracing::warn!(%error, "could not declare the marker queue"))
                .is_ok()
        }
        Err(error) => {
            tracing::debug!(%error, "could not look for the marker queue");
            false
        }
    }
}
