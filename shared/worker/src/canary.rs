//! Canary reads: a parked connection opens again by one with a fresh credential; a half-open breaker hears of one even where
//! no job is there to try.

use std::sync::Arc;
use std::time::Duration;

use sever_provider::{Connector, ConnectorFactory};
use sever_store::{breaker, worker_connection};
use sever_telemetry::{CheckHandle, chain};
use tokio_util::sync::CancellationToken;

use crate::epoch::Context;
use crate::registry::Registry;

/// How often parked connections are tried.
const INTERVAL: Duration = Duration::from_secs(15);

/// Runs until `stop`. Readiness says which connections are parked.
pub(crate) async fn run<F: ConnectorFactory>(
    context: Arc<Context>,
    registry: Arc<Registry<F>>,
    check: CheckHandle,
    stop: CancellationToken,
) {
    loop {
        if let Err(error) = try_half_open(&context, &registry).await {
            tracing::warn!(error = %chain(&error), "half-open breakers could not be read");
        }
        match pass(&context, &registry).await {
            Ok(parked) if parked.is_empty() => check.set_ready(),
            Ok(parked) => check.set_degraded(format!(
                "parked for wrong credentials: {}",
                parked.join(", ")
            )),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "parked connections could not be read")
            }
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One read at each connection whose breaker is half-open; its client tells how the read ended.
async fn try_half_open<F: ConnectorFactory>(
    context: &Context,
    registry: &Registry<F>,
) -> Result<(), sever_store::StoreError> {
    let store = &context.store;
    for id in breaker::half_open(store, registry.factory().provider()).await? {
        registry.shared(id).listen(true);
        let Some(connection) = worker_connection::find(store, id).await? else {
            continue;
        };
        let Ok(connectors) = registry.get(store, id, connection.version).await else {
            continue;
        };
        if let Err(error) = connectors.people.connector.canary().await {
            tracing::info!(connection = %connection.name, %error, "a provider that was away does not answer yet");
        }
    }
    Ok(())
}

/// Tries each parked connection once. Returns the names of those that stay parked.
async fn pass<F: ConnectorFactory>(
    context: &Context,
    registry: &Registry<F>,
) -> Result<Vec<String>, sever_store::StoreError> {
    let mut parked = Vec::new();
    for connection in
        worker_connection::parked(&context.store, registry.factory().provider()).await?
    {
        let works = match registry.build(&connection) {
            Ok(connectors) => connectors.people.connector.canary().await.is_ok(),
            Err(_) => false,
        };
        if works {
            registry.forget(connection.id).await;
            let jobs = worker_connection::unpark(
                &context.store,
                connection.id,
                &format!("worker:{}", context.heart.instance),
            )
            .await?;
            tracing::info!(connection = %connection.name, jobs, "a parked connection answers again: its jobs come back");
        } else {
            parked.push(connection.name);
        }
    }
    metrics::gauge!(sever_telemetry::catalogue::CONNECTIONS_PARKED.name, "provider" => registry.factory().provider().as_str()).set(parked.len() as f64);
    Ok(parked)
}
