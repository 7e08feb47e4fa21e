//! Serving a router until the service stops.

use std::future::IntoFuture as _;
use std::io;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `soft` is cancelled; requests under way are then finished, at most until `hard` is.
///
/// # Errors
/// As the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    soft: CancellationToken,
    hard: CancellationToken,
) -> io::Result<()> {
    let serving = axum::serve(listener, router).with_graceful_shutdown(soft.cancelled_owned());
    tokio::select! {
        ended = serving.into_future() => ended,
        () = hard.cancelled() => Ok(()),
    }
}
