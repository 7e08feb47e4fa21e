//! Accepts connections and turns each request into a call of the simulation.
//!
//! The loop is our own because a fault must be able to end a connection without an answer: a service that fails makes
//! hyper give the socket back, and a socket closed with zero linger sends a reset.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming as IncomingBody;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::exchange::{Incoming, Outcome, Reply};
use crate::pace::{Pace, PacedBody};
use crate::simulation::Simulation;

/// Larger than any seed of a big directory, small enough that a mistake does not fill the memory.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Serves connections until the future is dropped; a connection that fails ends alone.
pub async fn serve(listener: TcpListener, simulation: Arc<Simulation>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve_connection(stream, Arc::clone(&simulation)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, mostly: without the pause the loop would spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, simulation: Arc<Simulation>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(|request| Box::pin(answer(request, Arc::clone(&simulation))));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let stream = connection.into_parts().io.into_inner();
    if ended.is_err_and(|error| error.is_user()) {
        close_with_reset(&stream);
    }
}

/// Zero linger turns the close into a reset, which no client can mistake for an answer.
fn close_with_reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection was closed without a reset");
    }
}

async fn answer(
    request: Request<IncomingBody>,
    simulation: Arc<Simulation>,
) -> Result<Response<PacedBody>, Cut> {
    let incoming = match read(request).await {
        Ok(incoming) => incoming,
        Err(message) => {
            return Ok(response(
                Reply::json(413, &serde_json::json!({ "error": message })),
                Pace::AtOnce,
            ));
        }
    };
    match simulation.serve(incoming).await {
        Outcome::Answer(reply, pace) => Ok(response(reply, pace)),
        Outcome::Cut => Err(Cut),
    }
}

async fn read(request: Request<IncomingBody>) -> Result<Incoming, String> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| format!("reading the body: {error}"))?;
    Ok(Incoming {
        method: head.method,
        path: head.uri.path().to_owned(),
        query_text: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.to_bytes(),
    })
}

fn response(reply: Reply, pace: Pace) -> Response<PacedBody> {
    let status = reply.status_code();
    let is_json =
        !reply.body.is_empty() && !reply.headers.iter().any(|(name, _)| name == CONTENT_TYPE);
    let mut response = Response::new(PacedBody::new(
        if status == 204 {
            Bytes::new()
        } else {
            reply.body
        },
        pace,
    ));
    *response.status_mut() = status;
    if is_json {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// Tells hyper to drop the connection.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was cut on request")
    }
}

impl std::error::Error for Cut {}
