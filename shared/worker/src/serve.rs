//! The worker as a process: configuration, start, drain.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sever_bus::{Bus, BusConfig, BusState, ConsumeOptions, Consumer, Topology, topology};
use sever_config::{
    BrokerConfig, DatabaseConfig, ExposeSecret, GuardConfig, OpsConfig, ProcessEnvironment,
    WorkerConfig, read_all,
};
use sever_domain::Provider;
use sever_provider::ConnectorFactory;
use sever_store::job::instance;
use sever_store::{DatabaseSettings, Store};
use sever_telemetry::{
    CheckHandle, Health, Metrics, Shutdown, catalogue, chain, init_logs, serve_ops,
};
use tokio_util::sync::CancellationToken;

use crate::bells::Bells;
use crate::canary;
use crate::declare::declare;
use crate::epoch::Context;
use crate::heart::Heart;
use crate::inventory::InventoryBells;
use crate::registry::Registry;
use crate::settings::Settings;

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
    let (ops, database, broker, worker, guard): (
        OpsConfig,
        DatabaseConfig,
        BrokerConfig,
        WorkerConfig,
        GuardConfig,
    ) = read_all(&ProcessEnvironment)?;
    init_logs(service, &ops.log)?;
    if !ops.crash_at.is_empty() {
        sever_crash_point::arm(&ops.crash_at).context("reading SEVER_CRASH_AT")?;
    }
    let metrics = Metrics::install();
    let health = Health::new();
    let shutdown =
        Shutdown::install(ops.shutdown_grace, health.clone()).context("listening for signals")?;
    let (postgres, rabbit, connections) = (
        health.register("postgres"),
        health.register("broker"),
        health.register("connections"),
    );
    let end = CancellationToken::new();
    let (address, ops_task) = serve_ops(
        ops.listen_or(ops_port),
        health.clone(),
        metrics,
        end.clone(),
    )
    .await?;
    tracing::info!(%address, "health and metrics are served");

    let settings = Settings::new(&worker, &guard)?;
    let store = Store::new(&database_settings(service, &database))?;
    store.check_version().await?;
    declare(&store, &factory).await?;
    let (heart, heart_task) = Heart::start(store.clone(), service, &settings, end.clone()).await?;
    let provider = factory.provider();
    tracing::info!(instance = %heart.instance, "registered; its leases live while its heartbeat is fresh");
    metrics::gauge!(catalogue::WORKER_SLOTS_BUSY.name, "provider" => provider.as_str()).set(0.0);
    let registry = Arc::new(Registry::new(factory, settings.call_deadline));
    let context = Arc::new(Context {
        store: store.clone(),
        settings,
        heart: heart.clone(),
        soft: shutdown.soft(),
    });

    let mut bus_config = BusConfig::new(
        broker.url.clone(),
        format!("{service}.consume"),
        Topology::new(&[provider.as_str()]),
    );
    bus_config.heartbeat = broker.heartbeat;
    let bus = Bus::start(bus_config, &end)?;
    let mut consumers = consume(&bus, provider, &worker, &context, &registry);
    consumers.push(consume_inventories(&bus, provider, &context, &registry));
    let watches = [
        tokio::spawn(watch_database(store.clone(), postgres, shutdown.soft())),
        tokio::spawn(watch_broker(bus.clone(), rabbit, shutdown.soft())),
        tokio::spawn(canary::run(
            Arc::clone(&context),
            registry,
            connections,
            shutdown.soft(),
        )),
    ];

    tokio::select! {
        () = context.soft.cancelled() => {}
        () = heart.disowned.cancelled() => shutdown.begin(),
    }
    health.begin_drain();
    drain(consumers, ops.shutdown_grace, &shutdown.hard()).await;
    instance::stop(&store, heart.instance).await.unwrap_or_else(|error| tracing::warn!(error = %chain(&error), "could not say that this worker stopped; its heartbeat will tell"));
    end.cancel();
    bus.closed().await;
    for task in watches.into_iter().chain([heart_task, ops_task]) {
        task.await.context("waiting for a task of the worker")?;
    }
    shutdown.drained().await;
    Ok(())
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

fn database_settings(service: &str, config: &DatabaseConfig) -> DatabaseSettings {
    DatabaseSettings {
        url: config.url.expose_secret().to_owned(),
        pool_max: config.pool_max,
        statement_timeout: config.statement_timeout,
        lock_timeout: config.lock_timeout,
        connect_timeout: config.connect_timeout,
        application_name: service.to_owned(),
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
