//! The console: the operator API.
//!
//! Configuration: `SEVER_DATABASE_*`, `SEVER_HTTP_*`, `SEVER_OPS_LISTEN`, `SEVER_LOG`, `SEVER_SHUTDOWN_GRACE_MS`; see
//! `sever.env.example`.

use std::time::Duration;

use anyhow::Context as _;
use sever_api::HttpLimits;
use sever_config::{
    DatabaseConfig, ExposeSecret as _, HttpConfig, OpsConfig, ProcessEnvironment, ports, read_all,
};
use sever_console::{Console, router};
use sever_store::{DatabaseSettings, Store};
use sever_telemetry::{CheckHandle, Health, Metrics, Shutdown, init_logs, serve_ops};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often the database is asked whether it answers, for readiness.
const PING_EVERY: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (database, http, ops): (DatabaseConfig, HttpConfig, OpsConfig) =
        read_all(&ProcessEnvironment)?;
    init_logs("sever-console", &ops.log)?;
    if !ops.crash_at.is_empty() {
        sever_crash_point::arm(&ops.crash_at).context("reading SEVER_CRASH_AT")?;
    }
    let (health, ops_end) = (Health::new(), CancellationToken::new());
    let shutdown =
        Shutdown::install(ops.shutdown_grace, health.clone()).context("listening for signals")?;
    let check = health.register("postgres");
    let (ops_address, ops_task) = serve_ops(
        ops.listen_or(ports::CONSOLE_OPS),
        health,
        Metrics::install(),
        ops_end.clone(),
    )
    .await?;
    let store = Store::new(&settings(&database)).context("SEVER_DATABASE_URL")?;
    store.check_version().await?;
    check.set_ready();
    let pinging = tokio::spawn(ping(store.clone(), check, shutdown.soft()));

    let address = http.listen_or(ports::CONSOLE_HTTP);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address} (SEVER_HTTP_LISTEN)"))?;
    let limits = HttpLimits {
        body_max_bytes: http.body_max_bytes,
        request_timeout: http.request_timeout,
    };
    tracing::info!(http = %listener.local_addr()?, ops = %ops_address, "the console serves");
    sever_api::serve(
        listener,
        router(Console::new(store, limits)),
        shutdown.soft(),
        shutdown.hard(),
    )
    .await
    .context("serving the operator API")?;
    shutdown.begin();
    pinging.await?;
    shutdown.drained().await;
    ops_end.cancel();
    ops_task.await?;
    Ok(())
}

fn settings(database: &DatabaseConfig) -> DatabaseSettings {
    DatabaseSettings {
        url: database.url.expose_secret().to_owned(),
        pool_max: database.pool_max,
        statement_timeout: database.statement_timeout,
        lock_timeout: database.lock_timeout,
        connect_timeout: database.connect_timeout,
        application_name: "sever-console".to_owned(),
    }
}

/// Keeps the readiness of the database in step until the stop.
async fn ping(store: Store, check: CheckHandle, soft: CancellationToken) {
    loop {
        tokio::select! {
            () = soft.cancelled() => return,
            () = tokio::time::sleep(PING_EVERY) => {}
        }
        match store.ping().await {
            Ok(()) => check.set_ready(),
            Err(error) => check.set_not_ready(error.to_string()),
        }
    }
}
