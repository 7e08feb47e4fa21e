//! The process: start, serve, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sever_api::serve;
use sever_bus::{Bus, ConsumeOptions, Consumer, topology};
use sever_config::ports;
use sever_dispatch::{Dispatcher, Waker};
use sever_store::Store;
use sever_telemetry::{CheckHandle, Health, Metrics, Shutdown, init_logs, serve_ops};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::amqp::LeaverEvents;
use crate::http::{Intake, router};
use crate::settings::{SERVICE, Settings};
use crate::{periodic, readiness};

/// Events taken in at the same time; each holds one database connection for some milliseconds.
const PREFETCH: u16 = 8;

/// How long the relay gets for the bells of the last requests, once nothing more comes in.
const LAST_BELLS: Duration = Duration::from_millis(500);

/// Runs the service until it is told to stop: SIGTERM drains within the grace, a second signal or the end of
/// the grace drops what is left, which its senders send again.
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
    // Registered before the ops listener, so that readiness is never seen without them.
    let checks = ["postgres", "broker.consume", "broker.publish"].map(|name| health.register(name));
    let ops_address = settings.ops.listen_or(ports::INTAKE_OPS);
    let (ops_address, ops) =
        serve_ops(ops_address, health, Metrics::install(), end.clone()).await?;
    tracing::info!(ops = %ops_address, "health and metrics are served");
    let store = Store::new(&settings.database()).context("reading SEVER_DATABASE_URL")?;
    store.check_version().await?;
    let running = Running::start(&settings, store, checks, &shutdown, &end, ops_address).await?;

    shutdown.soft().cancelled().await;
    let hard = shutdown.hard();
    running
        .stop(settings.ops.shutdown_grace, &hard, &end)
        .await?;
    ops.await.context("waiting for health and metrics")?;
    shutdown.drained().await;
    Ok(())
}

/// Everything that runs; each task is awaited by [`Running::stop`].
struct Running {
    consume: Bus,
    publish: Bus,
    consumer: Consumer,
    http: JoinHandle<std::io::Result<()>>,
    dispatcher: Dispatcher,
    dispatch_stop: CancellationToken,
    waker: Waker,
    tasks: [JoinHandle<()>; 6],
}

impl Running {
    /// Starts all of it. `end` ends what must outlive the drain.
    async fn start(
        settings: &Settings,
        store: Store,
        checks: [CheckHandle; 3],
        shutdown: &Shutdown,
        end: &CancellationToken,
        ops: SocketAddr,
    ) -> anyhow::Result<Self> {
        let listener = listen(settings).await?;
        let http = listener
            .local_addr()
            .context("reading the listen address")?;
        let (soft, hard) = (shutdown.soft(), shutdown.hard());
        let consume = Bus::start(settings.bus("consume"), end).context("reading SEVER_AMQP_URL")?;
        let publish = Bus::start(settings.bus("publish"), end).context("reading SEVER_AMQP_URL")?;
        let (waker, dispatch_stop) = (Waker::default(), CancellationToken::new());
        let [database, consuming, publishing] = checks;
        let tasks = [
            tokio::spawn(readiness::watch_database(
                store.clone(),
                database,
                end.clone(),
            )),
            tokio::spawn(readiness::watch_broker(
                consume.clone(),
                consuming,
                end.clone(),
            )),
            tokio::spawn(readiness::watch_broker(
                publish.clone(),
                publishing,
                end.clone(),
            )),
            tokio::spawn(periodic::keep_gauges(
                store.clone(),
                publish.clone(),
                end.clone(),
            )),
            tokio::spawn(periodic::check_invariants(
                Store::new(&settings.invariants_database())
                    .context("reading SEVER_DATABASE_URL")?,
                soft.clone(),
            )),
            tokio::spawn(periodic::do_chores(
                store.clone(),
                waker.clone(),
                soft.clone(),
            )),
        ];
        let dispatcher = Dispatcher::start(
            store.clone(),
            publish.clone(),
            settings.dispatch(),
            waker.clone(),
            dispatch_stop.clone(),
        );
        let consumer = start_consumer(&consume, &store, &waker, &soft);
        let routes = router(
            Intake {
                store,
                waker: waker.clone(),
            },
            settings.limits(),
        );
        tracing::info!(%http, %ops, "intake serves");
        let http = tokio::spawn(serve(listener, routes, soft, hard));
        Ok(Self {
            consume,
            publish,
            consumer,
            http,
            dispatcher,
            dispatch_stop,
            waker,
            tasks,
        })
    }

    /// Takes nothing more, finishes what is under way, rings its bells, and ends the rest.
    async fn stop(
        self,
        grace: Duration,
        hard: &CancellationToken,
        end: &CancellationToken,
    ) -> anyhow::Result<()> {
        drain(self.consumer, self.http, grace, hard).await?;
        self.waker.wake();
        // The relay ends after the batch in hand; what is committed later is rung by the next process.
        let _ = tokio::time::timeout(LAST_BELLS, hard.cancelled()).await;
        self.dispatch_stop.cancel();
        self.dispatcher.ended().await;
        end.cancel();
        self.consume.closed().await;
        self.publish.closed().await;
        for task in self.tasks {
            task.await.context("waiting for a task of intake")?;
        }
        Ok(())
    }
}

async fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    let address = settings.http.listen_or(ports::INTAKE_HTTP);
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address} (SEVER_HTTP_LISTEN)"))
}

fn start_consumer(bus: &Bus, store: &Store, waker: &Waker, soft: &CancellationToken) -> Consumer {
    let options = ConsumeOptions {
        queue: topology::QUEUE_LEAVER.to_owned(),
        prefetch: PREFETCH,
        tag: format!("{SERVICE}.{}", std::process::id()),
    };
    let events = LeaverEvents::new(store.clone(), waker.clone(), soft.clone());
    bus.consume(options, Arc::new(events))
}

/// Takes nothing more and finishes what is under way, on both sides at once.
async fn drain(
    consumer: Consumer,
    http: JoinHandle<std::io::Result<()>>,
    grace: Duration,
    hard: &CancellationToken,
) -> anyhow::Result<()> {
    let both = async { tokio::join!(consumer.drain(grace), http) };
    let Some((drained, served)) = hard.run_until_cancelled(both).await else {
        tracing::warn!("stopped hard; what was under way is sent again");
        return Ok(());
    };
    tracing::info!(abandoned = drained.abandoned, "drained");
    served
        .context("waiting for the HTTP server")?
        .context("serving HTTP")
}
