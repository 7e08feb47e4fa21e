//! Telling the breakers of connections how this process's calls ended.
//!
//! Nothing is told while every call is answered and the breaker is closed, so a healthy connection costs nothing.

use std::sync::Arc;
use std::time::Duration;

use sever_backoff::Backoff;
use sever_domain::ConnectionId;
use sever_domain::breaker::{BreakerState, Heard};
use sever_provider::ConnectorFactory;
use sever_provider::http::SharedConnection;
use sever_store::breaker;
use sever_telemetry::chain;
use tokio_util::sync::CancellationToken;

use crate::epoch::Context;
use crate::registry::Registry;

/// How often a process tells.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a breaker is open at first, and at most: the longest time for which a provider that is back is not noticed.
const OPEN_MIN: Duration = Duration::from_secs(10);
const OPEN_MAX: Duration = Duration::from_secs(300);

/// Runs until `stop`, and tells once more then.
pub(crate) async fn run<F: ConnectorFactory>(
    context: Arc<Context>,
    registry: Arc<Registry<F>>,
    stop: CancellationToken,
) {
    let waits = Backoff::new(OPEN_MIN, OPEN_MAX, 0.2).expect("ten seconds are less than 300");
    loop {
        let stopping = stop.is_cancelled();
        for (connection, shared) in registry.all_shared() {
            if let Some((answered, failed)) = shared.take_heard() {
                let heard = Heard {
                    answered: i64::try_from(answered).unwrap_or(i64::MAX),
                    failed: i64::try_from(failed).unwrap_or(i64::MAX),
                };
                tell(&context, connection, &shared, heard, &waits).await;
            }
        }
        if stopping {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn tell(
    context: &Context,
    connection: ConnectionId,
    shared: &SharedConnection,
    heard: Heard,
    waits: &Backoff,
) {
    let actor = format!("worker:{}", context.heart.instance);
    let random: f64 = rand::random();
    let wait = |nth| waits.delay(nth, random);
    match breaker::hear(&context.store, connection, heard, &actor, wait).await {
        Ok((breaker, state)) => {
            shared.listen(breaker.listens());
            if state != BreakerState::Closed {
                tracing::warn!(%connection, %state, failed = heard.failed, answered = heard.answered, "the breaker of a connection is not closed: its jobs wait and spend no attempt");
            }
        }
        Err(error) => {
            // What was heard is lost; the next failures open it as well.
            tracing::warn!(%connection, error = %chain(&error), "a breaker could not be told how calls ended");
        }
    }
}
