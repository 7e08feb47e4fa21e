//! The worker as a process: configuration, signals, health, and its place in the database and at the broker.

use std::sync::Arc;

use anyhow::Context as _;
use sever_bus::{Bus, BusConfig, Topology};
use sever_config::{
    BrokerConfig, DatabaseConfig, ExposeSecret, GuardConfig, OpsConfig, ProcessEnvironment,
    WorkerConfig, read_all,
};
use sever_domain::Provider;
use sever_provider::ConnectorFactory;
use sever_store::{DatabaseSettings, Store};
use sever_telemetry::{CheckHandle, Health, Metrics, Shutdown, catalogue, init_logs, serve_ops};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::declare::declare;
use crate::epoch::Context;
use crate::heart::Heart;
use crate::registry::Registry;
use crate::running::Running;
use crate::settings::Settings;

/// What the environment says.
pub(crate) struct Configured {
    pub(crate) ops: OpsConfig,
    database: DatabaseConfig,
    pub(crate) broker: BrokerConfig,
    pub(crate) worker: WorkerConfig,
    guard: GuardConfig,
}

impl Configured {
    /// Reads it, and sets up what every line after it relies on: the log, and the crash point of a test.
    pub(crate) fn read(service: &'static str) -> anyhow::Result<Self> {
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
        Ok(Self {
            ops,
            database,
            broker,
            worker,
            guard,
        })
    }
}

/// What a service has around its work: signals, health, and the end of everything that it spawned.
pub(crate) struct Process {
    pub(crate) health: Health,
    pub(crate) shutdown: Shutdown,
    /// Of everything that goes on while the work drains.
    pub(crate) end: CancellationToken,
    pub(crate) ops_task: JoinHandle<()>,
    pub(crate) postgres: CheckHandle,
    pub(crate) rabbit: CheckHandle,
    pub(crate) connections: CheckHandle,
}

impl Process {
    pub(crate) async fn start(ops_port: u16, ops: &OpsConfig) -> anyhow::Result<Self> {
        let metrics = Metrics::install();
        let health = Health::new();
        let shutdown = Shutdown::install(ops.shutdown_grace, health.clone())
            .context("listening for signals")?;
        let [postgres, rabbit, connections] =
            ["postgres", "broker", "connections"].map(|check| health.register(check));
        let end = CancellationToken::new();
        let listen = ops.listen_or(ops_port);
        let (address, ops_task) = serve_ops(listen, health.clone(), metrics, end.clone()).await?;
        tracing::info!(%address, "health and metrics are served");
        Ok(Self {
            health,
            shutdown,
            end,
            ops_task,
            postgres,
            rabbit,
            connections,
        })
    }
}

/// Meets the database: version, capabilities, and the heartbeat under which leases live.
pub(crate) async fn enlist<F: ConnectorFactory>(
    service: &'static str,
    config: &Configured,
    factory: F,
    process: &Process,
) -> anyhow::Result<(Arc<Context>, Arc<Registry<F>>, JoinHandle<()>)> {
    let settings = Settings::new(&config.worker, &config.guard)?;
    let store = Store::new(&database_settings(service, &config.database))?;
    store.check_version().await?;
    declare(&store, &factory).await?;
    let (heart, heart_task) =
        Heart::start(store.clone(), service, &settings, process.end.clone()).await?;
    tracing::info!(instance = %heart.instance, "registered; its leases live while its heartbeat is fresh");
    let provider = factory.provider().as_str();
    metrics::gauge!(catalogue::WORKER_SLOTS_BUSY.name, "provider" => provider).set(0.0);
    let registry = Registry::new(factory, settings.call_deadline, store.clone());
    let context = Context {
        store,
        settings,
        heart,
        soft: process.shutdown.soft(),
        running: Running::default(),
    };
    Ok((Arc::new(context), Arc::new(registry), heart_task))
}

pub(crate) fn connect(
    service: &str,
    provider: Provider,
    broker: &BrokerConfig,
    end: &CancellationToken,
) -> anyhow::Result<Bus> {
    let mut config = BusConfig::new(
        broker.url.clone(),
        format!("{service}.consume"),
        Topology::new(&[provider.as_str()]),
    );
    config.heartbeat = broker.heartbeat;
    Ok(Bus::start(config, end)?)
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
