//! A small HTTP/1.1 client: connections that stay open, and a bound on the calls under way.

use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A client of one server on loopback.
#[derive(Debug)]
pub struct HttpClient {
    address: String,
    host: HeaderValue,
    authorization: HeaderValue,
    turns: Semaphore,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl HttpClient {
    /// A client of `address` (`127.0.0.1:port`) with at most `at_once` calls under way. Connects to nothing yet.
    ///
    /// # Errors
    /// For an address or authorization that cannot stand in a header.
    pub fn new(address: &str, authorization: &str, at_once: usize) -> anyhow::Result<Self> {
        Ok(Self {
            address: address.to_owned(),
            host: HeaderValue::from_str(address).context("using the address as Host")?,
            authorization: HeaderValue::from_str(authorization).context("using the token")?,
            turns: Semaphore::new(at_once),
            idle: Mutex::default(),
        })
    }

    /// Makes one call and reads the answer whole. Waits for its turn. Not cancel-safe: the call may be made.
    ///
    /// # Errors
    /// When the server cannot be reached or breaks off.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let _turn = self.turns.acquire().await.context("waiting for a turn")?;
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, body.len())
            .body(Full::new(body))
            .context("building a request")?;
        connection
            .ready()
            .await
            .context("waiting for a connection")?;
        let response = connection
            .send_request(request)
            .await
            .with_context(|| format!("calling {path}"))?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .with_context(|| format!("reading the answer of {path}"))?
            .to_bytes();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok((status, body))
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match idle.pop() {
                Some(connection) if connection.is_closed() => {}
                other => return other,
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address)
            .await
            .with_context(|| format!("connecting to {}", self.address))?;
        stream
            .set_nodelay(true)
            .context("setting up a connection")?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .context("setting up HTTP")?;
        // It ends when the sender is dropped or the server goes; a call on it then says so.
        tokio::spawn(connection);
        Ok(sender)
    }
}
