//! Keeping readiness in step with what the service relies on.

use std::time::Duration;

use sever_bus::{Bus, BusState};
use sever_store::Store;
use sever_telemetry::CheckHandle;
use tokio_util::sync::CancellationToken;

/// How often the database is asked whether it answers.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Watches the database until `stop`.
pub(crate) async fn watch_database(store: Store, check: CheckHandle, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.ping().await {
            Ok(()) => check.set_ready(),
            Err(error) => check.set_not_ready(error.to_string()),
        }
        // Either end of the wait is looked at by the loop.
        let _ = stop
            .run_until_cancelled(tokio::time::sleep(PING_EVERY))
            .await;
    }
}

/// Watches a broker connection until `stop`. Once it has been up, its loss only degrades the service: what
/// comes by HTTP is accepted still, and its bells wait in the outbox.
pub(crate) async fn watch_broker(bus: Bus, check: CheckHandle, stop: CancellationToken) {
    let mut state = bus.state();
    let mut was_up = false;
    loop {
        match *state.borrow_and_update() {
            BusState::Up => {
                was_up = true;
                check.set_ready();
            }
            BusState::Blocked { .. } => {
                check.set_degraded("the broker takes no messages: an alarm is on")
            }
            BusState::Connecting if was_up => {
                check.set_degraded("the broker is away; requests are accepted and work waits")
            }
            BusState::Connecting => check.set_not_ready("the broker has not been reached yet"),
            BusState::Closed => check.set_not_ready("the broker connection was closed"),
        }
        match stop.run_until_cancelled(state.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return,
        }
    }
}
