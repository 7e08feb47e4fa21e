//! A server that answers as a test says: for what no simulator should be taught.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use sever_domain::ConnectionId;
use sever_provider::http::SharedConnection;
use sever_provider::{ConnectionSettings, ConnectorFactory as _};
use sever_worker_scim::{ScimConnector, ScimFactory};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With the query, as it was sent.
    pub target: String,
    /// Lower-case lines `name: value`.
    pub headers: Vec<String>,
    pub body: Value,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&String| line.starts_with(&format!("{name}: "));
        let line = self.headers.iter().find(named)?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

/// The server; stopped when dropped.
pub struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    serving: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Peer {
    /// Starts it; `answer` gives status and body of each request.
    pub async fn start(answer: impl Fn(&Request) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&seen));
        let serving = tokio::spawn(async move {
            let mut calls = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                calls.spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(request) = receive(&mut stream).await {
                        let (status, body) = answer(&request);
                        noted.lock().unwrap().push(request);
                        send(stream.get_mut(), status, &body).await;
                    }
                });
            }
        });
        Self {
            address,
            seen,
            serving,
        }
    }

    /// Every request so far, as `METHOD target`.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let line = |request: &Request| format!("{} {}", request.method, request.target);
        seen.iter().map(line).collect()
    }

    /// A connector for it, with `path` behind its address as the base URL.
    pub fn connector(&self, path: &str) -> ScimConnector {
        let settings = ConnectionSettings {
            id: ConnectionId::generate(),
            name: "peer".into(),
            base_url: format!("http://{}{path}", self.address).parse().unwrap(),
            credential: "peer-token".into(),
            access_token_lifetime_max: Duration::from_secs(3600),
            access_token_lifetime_by_issuer: [].into(),
            clock_skew: Duration::from_secs(2),
            call_deadline: Duration::from_secs(10),
            in_flight_max: 16,
            shared: SharedConnection::default(),
        };
        ScimFactory::default().connect(settings).unwrap().people
    }
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.remove(0);
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<String> = lines
        .iter()
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
            None => line.to_lowercase(),
        })
        .collect();
    let length = headers
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|text| text.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        method,
        target,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

async fn send(stream: &mut TcpStream, status: u16, body: &Value) {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let head = format!(
        "HTTP/1.1 {status} said\r\ncontent-type: application/scim+json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let text = if status == 204 {
        "HTTP/1.1 204 said\r\n\r\n".to_owned()
    } else {
        head + &body
    };
    // Whoever went away has no use for the answer.
    let _ = stream.write_all(text.as_bytes()).await;
}
