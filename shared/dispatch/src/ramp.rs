//! The ramp: running replays go on, step by step.

use sever_store::{Store, replay};
use sever_telemetry::chain;
use tokio_util::sync::CancellationToken;

use crate::dispatcher::{DispatchSettings, Waker};

/// Runs until `stop`. The state is rows, so a look that is cut short is made again by any dispatcher.
pub(crate) async fn run(
    store: Store,
    settings: DispatchSettings,
    waker: Waker,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        match replay::drive(&store).await {
            Ok(round) => {
                for (replay, error) in &round.failed {
                    tracing::warn!(%replay, error = %chain(error), "a replay could not be driven; it is tried again");
                }
                for driven in round.moved {
                    report(&driven);
                    if driven.released > 0 {
                        waker.wake();
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "replays could not be read; they are read again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(settings.sweep_interval) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn report(driven: &replay::Driven) {
    let replay = driven.id;
    if let Some(why) = &driven.stopped {
        tracing::warn!(%replay, why, "a replay stopped by itself: 'sever dlq progress' shows what failed");
    } else if driven.done {
        tracing::info!(%replay, "a replay came to its end");
    } else {
        tracing::info!(%replay, jobs = driven.released, "a replay released its next step");
    }
}
