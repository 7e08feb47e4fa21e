//! `/healthz`, `/readyz` and `/metrics` over HTTP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Health, Metrics};

/// Content type of the Prometheus text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Time that open connections get once the listener ends; a scraper that keeps one open must not hold the process.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Why the ops listener could not start.
#[derive(Debug, thiserror::Error)]
#[error("listening for health and metrics on {address} (SEVER_OPS_LISTEN)")]
pub struct OpsError {
    /// The address as configured.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// Routes for operators, without authentication; to be merged into a service's router or served by [`serve_ops`].
///
/// - `GET /healthz`: 200 `ok` while the process can answer at all; it asks nothing else.
/// - `GET /readyz`: 200 or 503 with [`crate::Readiness::to_json`].
/// - `GET /metrics`: the text exposition format.
pub fn ops_router(health: Health, metrics: Metrics) -> Router {
    let ready = async move || {
        let readiness = health.readiness();
        let status = if readiness.ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (
            status,
            [(header::CACHE_CONTROL, "no-store")],
            Json(readiness.to_json()),
        )
            .into_response()
    };
    let render =
        async move || ([(header::CONTENT_TYPE, TEXT_FORMAT)], metrics.render()).into_response();
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
}

/// Serves [`ops_router`] and the upkeep of `metrics` until `end` is cancelled; gives the bound address (port 0 takes a free one).
///
/// `end` is the token of the *process*, cancelled after the drain: a listener that ended with the soft stop could not say "draining".
/// The handle ends at most a second after `end`; await it.
///
/// # Errors
/// [`OpsError`] where the address cannot be bound.
pub async fn serve_ops(
    listen: SocketAddr,
    health: Health,
    metrics: Metrics,
    end: CancellationToken,
) -> Result<(SocketAddr, JoinHandle<()>), OpsError> {
    let refused = |source| OpsError {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let router = ops_router(health, metrics.clone());
    let serving = tokio::spawn(async move {
        tokio::join!(
            serve(listener, router, end.clone()),
            metrics.run_upkeep(end)
        )
        .0
    });
    Ok((address, serving))
}

async fn serve(listener: TcpListener, router: Router, end: CancellationToken) {
    let stop = end.clone().cancelled_owned();
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .into_future();
    let overtime = async {
        end.cancelled().await;
        tokio::time::sleep(CLOSE_GRACE).await;
    };
    tokio::select! {
        // It retries accept by itself and returns only after the graceful end.
        _ = serving => {}
        () = overtime => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    async fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }

    #[tokio::test]
    async fn readyz_follows_the_checks_and_the_drain_while_healthz_stays_up() {
        let (health, end) = (Health::new(), CancellationToken::new());
        let check = health.register("postgres");
        let (address, serving) = serve_ops(
            "127.0.0.1:0".parse().unwrap(),
            health.clone(),
            Metrics::install(),
            end.clone(),
        )
        .await
        .unwrap();

        let (status, answer) = get(address, "/readyz").await;
        assert_eq!(status, 503);
        assert!(
            answer.contains(r#""postgres":{"state":"not_ready","why":"starting"}"#),
            "{answer}"
        );
        check.set_ready();
        assert_eq!(get(address, "/readyz").await.0, 200);
        health.begin_drain();
        assert_eq!(get(address, "/readyz").await.0, 503);
        assert_eq!(get(address, "/healthz").await.0, 200);

        end.cancel();
        timeout(DEADLINE, serving).await.unwrap().unwrap();
        assert!(
            TcpStream::connect(address).await.is_err(),
            "the port is given back"
        );
    }

    #[tokio::test]
    async fn metrics_are_served_in_the_text_format() {
        let end = CancellationToken::new();
        let (address, _serving) = serve_ops(
            "127.0.0.1:0".parse().unwrap(),
            Health::new(),
            Metrics::install(),
            end,
        )
        .await
        .unwrap();
        metrics::gauge!(crate::catalogue::OUTBOX_ROWS.name).set(7.0);
        let (status, answer) = get(address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            answer.contains("text/plain; version=0.0.4") && answer.contains("sever_outbox_rows 7"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn an_open_connection_does_not_hold_the_end() {
        let end = CancellationToken::new();
        let (address, serving) = serve_ops(
            "127.0.0.1:0".parse().unwrap(),
            Health::new(),
            Metrics::install(),
            end.clone(),
        )
        .await
        .unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
        end.cancel();
        timeout(DEADLINE, serving).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_the_address_and_the_variable() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = serve_ops(
            address,
            Health::new(),
            Metrics::install(),
            CancellationToken::new(),
        )
        .await
        .unwrap_err();
        assert!(
            error.to_string().contains(&address.to_string())
                && error.to_string().contains("SEVER_OPS_LISTEN"),
            "{error}"
        );
    }
}
