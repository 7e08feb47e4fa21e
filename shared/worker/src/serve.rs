//! The worker at work: consumers, watches, drain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sever_bus::{Bus, BusState, ConsumeOptions, Consumer, topology};
use sever_config::WorkerConfig;
use sever_domain::Provider;
use sever_provider::ConnectorFactory;
use sever_store::Store;
use sever_store::job::instance;
use sever_telemetry::{CheckHandle, chain};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bells::Bells;
use crate::breakers;
use crate::canary;
use crate::epoch::Context;
use crate::inventory::InventoryBells;
use crate::process::{Configured, Process, connect, enlist};
use crate::registry::Registry;
use crate::running;

/// How often readiness looks at the database.
const READINESS_INTERVAL: Duration = Duration::from_secs(2);

/// Inventories that one process reads at the same time: each of its own connection, one call at a time.
const INVENTORIES_AT_ONCE: u16 = 2;

/// Runs a worker of one provider until it is told to stop: SIGTERM drains within the grace, a second
/// signal or the end of the grace drops what is left.
///
/// # Errors
/// What keeps it from starting: configuration (every variable at fault is named), database, schema
/// version, listen address.
pub async fn serve<F: ConnectorFactory>(
    service: &'static str,
    ops_port: u16,
    factory: F,
) -> anyhow::Result<()> {
    let config = Configured::read(service)?;
    let process = Process::start(ops_port, &config.ops).await?;
    let provider = factory.provider();
    let (context, registry, heart_task) = enlist(service, &config, factory, &process).await?;
    let bus = connect(service, provider, &config.broker, &process.end)?;
    let mut consumers = consume(&bus, provider, &config.worker, &context, &registry);
    consumers.push(consume_inventories(&bus, provider, &context, &registry));
    let tasks = watch(&process, &bus, &context, Arc::clone(&registry));

    tokio::select! {
        () = context.soft.cancelled() => {}
        () = context.heart.disowned.cancelled() => process.shutdown.begin(),
    }
    process.health.begin_drain();
    drain(
        consumers,
        config.ops.shutdown_grace,
        &process.shutdown.hard(),
    )
    .await;
    for (_, shared) in registry.all_shared() {
        shared.leave_lane().await;
    }
    let stopped = instance::stop(&context.store, context.heart.instance).await;
    stopped.unwrap_or_else(|error| tracing::warn!(error = %chain(&error), "could not say that this worker stopped; its heartbeat will tell"));
    process.end.cancel();
    bus.closed().await;
    for task in tasks.into_iter().chain([heart_task, process.ops_task]) {
        task.await.context("waiting for a task of the worker")?;
    }
    process.shutdown.drained().await;
    Ok(())
}

/// Everything that goes on beside the jobs. What looks at readiness ends with the soft stop, what jobs need with the drain.
fn watch<F: ConnectorFactory>(
    process: &Process,
    bus: &Bus,
    context: &Arc<Context>,
    registry: Arc<Registry<F>>,
) -> [JoinHandle<()>; 5] {
    let (soft, end) = (|| process.shutdown.soft(), || process.end.clone());
    [
        tokio::spawn(watch_database(
            context.store.clone(),
            process.postgres.clone(),
            soft(),
        )),
        tokio::spawn(watch_broker(bus.clone(), process.rabbit.clone(), soft())),
        tokio::spawn(canary::run(
            Arc::clone(context),
            Arc::clone(&registry),
            process.connections.clone(),
            soft(),
        )),
        tokio::spawn(running::run(Arc::clone(context), end())),
        tokio::spawn(breakers::run(Arc::clone(context), registry, end())),
    ]
}

fn consume<F: ConnectorFactory>(
    bus: &Bus,
    provider: Provider,
    worker: &WorkerConfig,
    context: &Arc<Context>,
    registry: &Arc<Registry<F>>,
) -> Vec<Consumer> {
    let queues = [
        (topology::work_queue(provider.as_str()), worker.slots),
        (
            topology::urgent_queue(provider.as_str()),
            worker.urgent_slots,
        ),
    ];
    queues
        .into_iter()
        .map(|(queue, slots)| {
            let options = ConsumeOptions {
                tag: format!("{queue}.{}", context.heart.instance),
                queue,
                prefetch: u16::try_from(slots).unwrap_or(u16::MAX),
            };
            bus.consume(
                options,
                Arc::new(Bells {
                    context: Arc::clone(context),
                    registry: Arc::clone(registry),
                }),
            )
        })
        .collect()
}

/// Inventories have a queue and a slot of their own, so that they never stand before an opt-out.
fn consume_inventories<F: ConnectorFactory>(
    bus: &Bus,
    provider: Provider,
    context: &Arc<Context>,
    registry: &Arc<Registry<F>>,
) -> Consumer {
    let queue = topology::inventory_queue(provider.as_str());
    let options = ConsumeOptions {
        tag: format!("{queue}.{}", context.heart.instance),
        queue,
        prefetch: INVENTORIES_AT_ONCE,
    };
    let handler = InventoryBells {
        context: Arc::clone(context),
        registry: Arc::clone(registry),
    };
    bus.consume(options, Arc::new(handler))
}

/// Running epochs stop at their next wave and give their jobs back; what the grace cuts off is read by
/// the next epoch.
async fn drain(consumers: Vec<Consumer>, grace: Duration, hard: &CancellationToken) {
    let drains =
        futures::future::join_all(consumers.into_iter().map(|consumer| consumer.drain(grace)));
    tokio::select! {
        drained = drains => {
            let abandoned: usize = drained.iter().map(|drained| drained.abandoned).sum();
            tracing::info!(abandoned, "drained");
        }
        () = hard.cancelled() => tracing::warn!("stopped hard; what was under way is read by the next epoch"),
    }
}

async fn watch_database(store: Store, check: CheckHandle, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.ping().await {
            Ok(()) => check.set_ready(),
            Err(error) => check.set_not_ready(error.to_string()),
        }
        tokio::select! {
            () = tokio::time::sleep(READINESS_INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn watch_broker(bus: Bus, check: CheckHandle, stop: CancellationToken) {
    let mut state = bus.state();
    loop {
        match *state.borrow_and_update() {
            BusState::Up => check.set_ready(),
            BusState::Blocked { .. } => {
                check.set_degraded("the broker takes no messages: an alarm is on")
            }
            BusState::Connecting => check.set_not_ready("the broker is not connected"),
            BusState::Closed => check.set_not_ready("the broker connection was closed"),
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}
