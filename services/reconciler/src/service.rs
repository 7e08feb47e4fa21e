//! The process: start, lead, drain.

use std::time::Duration;

use anyhow::Context as _;
use sever_bus::{Bus, BusState};
use sever_config::ports;
use sever_dispatch::{Dispatcher, Waker};
use sever_store::Store;
use sever_telemetry::{CheckHandle, Health, Metrics, Shutdown, chain, init_logs, serve_ops};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::round::Reconciler;
use crate::settings::{SERVICE, Settings};

/// How often a round is gone: a changed subject is seen and compared within a second.
const ROUND_EVERY: Duration = Duration::from_millis(500);

/// How often the database is asked whether it answers.
const PING_EVERY: Duration = Duration::from_secs(2);

/// Runs the service until it is told to stop: SIGTERM ends after the statement in hand, which loses nothing.
///
/// # Errors
/// What keeps it from starting: database, schema version, a listen address; each names what to change.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    init_logs(SERVICE, &settings.ops.log)?;
    if !settings.ops.crash_at.is_empty() {
        sever_crash_point::arm(&settings.ops.crash_at).context("reading SEVER_CRASH_AT")?;
    }
    let (health, end) = (Health::new(), CancellationToken::new());
    let shutdown = Shutdown::install(settings.ops.shutdown_grace, health.clone())
        .context("listening for signals")?;
    let [postgres, broker] = ["postgres", "broker.publish"].map(|name| health.register(name));
    let address = settings.ops.listen_or(ports::RECONCILER_OPS);
    let (address, ops) = serve_ops(address, health, Metrics::install(), end.clone()).await?;
    let store = Store::new(&settings.database()).context("reading SEVER_DATABASE_URL")?;
    store.check_version().await?;
    let bus = Bus::start(settings.bus(), &end).context("reading SEVER_AMQP_URL")?;
    let (waker, dispatch_stop) = (Waker::default(), CancellationToken::new());
    let dispatcher = Dispatcher::start(
        store.clone(),
        bus.clone(),
        settings.dispatch(),
        waker.clone(),
        dispatch_stop.clone(),
    );
    let watches = [
        tokio::spawn(watch_database(store.clone(), postgres, end.clone())),
        tokio::spawn(watch_broker(bus.clone(), broker, end.clone())),
    ];
    tracing::info!(ops = %address, "the reconciler runs");

    let soft = shutdown.soft();
    Box::pin(reconcile(Reconciler::new(store, waker), &soft)).await;
    dispatch_stop.cancel();
    dispatcher.ended().await;
    end.cancel();
    bus.closed().await;
    for task in watches {
        task.await.context("waiting for a task of the reconciler")?;
    }
    ops.await.context("waiting for health and metrics")?;
    shutdown.drained().await;
    Ok(())
}

/// Goes rounds until `stop`. A round that fails is gone again; a comparison that is cut off has changed nothing.
async fn reconcile(mut reconciler: Reconciler, stop: &CancellationToken) {
    let mut ticks = interval(ROUND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match stop.run_until_cancelled(Box::pin(reconciler.round())).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => tracing::warn!(
                error = chain(&error),
                "a round of the reconciler failed; it is gone again"
            ),
            None => break,
        }
    }
    reconciler.resign().await;
}

async fn watch_database(store: Store, check: CheckHandle, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.ping().await {
            Ok(()) => check.set_ready(),
            Err(error) => check.set_not_ready(error.to_string()),
        }
        let _ = stop
            .run_until_cancelled(tokio::time::sleep(PING_EVERY))
            .await;
    }
}

/// Without the broker rounds are gone still, and bells wait in the outbox.
async fn watch_broker(bus: Bus, check: CheckHandle, stop: CancellationToken) {
    let mut state = bus.state();
    loop {
        match *state.borrow_and_update() {
            BusState::Up => check.set_ready(),
            BusState::Blocked { .. } => {
                check.set_degraded("the broker takes no messages: an alarm is on")
            }
            BusState::Connecting => {
                check.set_degraded("the broker is away; bells wait in the outbox")
            }
            BusState::Closed => check.set_not_ready("the broker connection was closed"),
        }
        match stop.run_until_cancelled(state.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return,
        }
    }
}
