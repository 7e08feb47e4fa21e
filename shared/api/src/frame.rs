//! The frame around a service's routes: authentication first, then bounds.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::authenticate::{Authenticator, authenticate};
use crate::problem::{Problem, ProblemKind};

/// The bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Largest body, in bytes; more is 413.
    pub body_max_bytes: usize,
    /// Deadline from the headers to the answer; later is 503.
    pub request_timeout: Duration,
}

impl Default for HttpLimits {
    /// 256 KiB and 15 s.
    fn default() -> Self {
        Self {
            body_max_bytes: 256 * 1024,
            request_timeout: Duration::from_secs(15),
        }
    }
}

/// Puts authentication and bounds around routes. Without a token that works every path is 401, known
/// or not; with one, an unknown path is 404 and an unknown method 405, all as problems.
///
/// A route with its own bound sets `DefaultBodyLimit` on itself.
pub fn secured(routes: Router, authenticator: Authenticator, limits: HttpLimits) -> Router {
    // The last layer added runs first.
    routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(limits.body_max_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(authenticator, authenticate))
        .layer(from_fn_with_state(limits.request_timeout, in_time))
}

async fn unknown_path() -> Problem {
    Problem::not_found("such path")
}

async fn unknown_method() -> Problem {
    Problem::new(
        ProblemKind::MethodNotAllowed,
        "see /v1/openapi.json for what the path knows",
    )
}

/// The panic itself is in the log: the process's panic hook wrote it.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::new(ProblemKind::Internal, "the fault is in the service's log").into_response()
}

async fn in_time(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::new(
            ProblemKind::Unavailable,
            "the request took too long; send it again with the same key",
        )
        .into_response()
    })
}
