//! The stub's HTTP: one connection is one task, one call one look-up.

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sever_bench::person::{self, ID_LENGTH, PLACEHOLDER};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::Answers;

/// What every answer carries besides its body, as an Okta org sends it: a window that never runs out.
const HEADERS: [(&str, &str); 4] = [
    ("x-rate-limit-limit", "400000000"),
    ("x-rate-limit-remaining", "399999999"),
    ("x-rate-limit-reset", "4102444800"),
    ("x-okta-request-id", "reqBenchmark0000000000000"),
];

/// What is kept of one user.
#[derive(Debug, Default)]
struct User {
    gone: AtomicU32,
    /// Microseconds of the wall clock; 0 before the first write.
    first_write: AtomicI64,
}

/// The answers and the state of all users.
pub(crate) struct Stub {
    answers: Answers,
    users: Vec<User>,
    calls: AtomicU64,
    latency_ms: AtomicU64,
    log: Option<Mutex<BufWriter<File>>>,
}

impl Stub {
    pub(crate) fn new(users: usize, latency_ms: u64, log: Option<Mutex<BufWriter<File>>>) -> Self {
        Self {
            answers: Answers::recorded(),
            users: (0..users).map(|_| User::default()).collect(),
            calls: AtomicU64::new(0),
            latency_ms: AtomicU64::new(latency_ms),
            log,
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Answers one call of a provider.
    async fn answer(&self, method: &Method, path_and_query: &str) -> Response<Full<Bytes>> {
        let now = wall_clock_us();
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(log) = &self.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            // A log that cannot be written is a recording that failed, and its reader sees it end.
            let _ = writeln!(log, "{now} {method} {path_and_query}");
            let _ = log.flush();
        }
        let found = person::find_user(path_and_query);
        let user = found.and_then(|(_, number)| self.users.get(number));
        let gone = user.map_or(0, |user| user.gone.load(Ordering::Acquire));
        let Some(answer) = self.answers.of(&call_of(method, path_and_query), gone) else {
            return plain(404, Bytes::from_static(br#"{"errorCode":"E0000022"}"#));
        };
        if let (Some(user), false) = (user, method == Method::GET) {
            user.gone.fetch_or(answer.ends, Ordering::AcqRel);
            let _ = user
                .first_write
                .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
        let latency = self.latency_ms.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        let user = found.map_or("", |(at, _)| &path_and_query[at..at + ID_LENGTH]);
        let mut response = plain(answer.status, answer.body(user));
        for (name, value) in HEADERS {
            let name = HeaderName::from_static(name);
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Answers the driver.
    fn control(&self, path: &str) -> Response<Full<Bytes>> {
        if let Some(ms) = path.strip_prefix("/bench/latency/") {
            let ms = ms.parse().unwrap_or(0);
            self.latency_ms.store(ms, Ordering::Relaxed);
        }
        let mut state = format!("calls {}\n", self.calls());
        for (number, user) in self.users.iter().enumerate() {
            let first_write = user.first_write.load(Ordering::Relaxed);
            if first_write > 0 {
                state.push_str(&format!("{number} {first_write}\n"));
            }
        }
        plain(200, state.into())
    }
}

/// Serves until it is dropped.
pub(crate) async fn run(listener: TcpListener, stub: Arc<Stub>) {
    loop {
        // A connection that was gone before it was accepted is nobody's loss.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&stub)));
        }
    }
}

async fn connection(stream: TcpStream, stub: Arc<Stub>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let stub = Arc::clone(&stub);
        async move {
            let uri = request.uri();
            let path = uri.path_and_query().map_or("/", |whole| whole.as_str());
            let response = if path.starts_with("/bench/") {
                stub.control(path)
            } else {
                stub.answer(request.method(), path).await
            };
            Ok::<_, Infallible>(response)
        }
    });
    // A client that goes away in the middle of a call ends its own connection only.
    let _ = hyper::server::conn::http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The key of a call: method and path with the placeholder for the user id, without the query.
fn call_of(method: &Method, path_and_query: &str) -> String {
    let path = path_and_query
        .split_once('?')
        .map_or(path_and_query, |(path, _)| path);
    match person::find_user(path) {
        Some((at, _)) => format!(
            "{method} {}{PLACEHOLDER}{}",
            &path[..at],
            &path[at + ID_LENGTH..]
        ),
        None => format!("{method} {path}"),
    }
}

fn plain(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn wall_clock_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
