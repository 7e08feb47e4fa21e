//! A running simulator with one application, and connectors for it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sever_domain::ConnectionId;
use sever_provider::http::SharedConnection;
use sever_provider::{ConnectionSettings, ConnectorFactory as _};
use sever_worker_scim::{ScimConnector, ScimFactory};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The bearer token that the application accepts.
pub const TOKEN: &str = "secret-of-the-worker";
/// How long the simulator may take to come up on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// The simulator's binary on a free port, with the application `main`; stopped when dropped.
pub struct Sim {
    _child: Child,
    address: String,
    http: reqwest::Client,
}

/// Beside this test's own binary: the workspace builds all of its binaries into one folder.
fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(|deps| deps.parent()).unwrap();
    let binary = folder.join("sever-provider-sim");
    assert!(
        binary.is_file(),
        "{} is missing: run `cargo build -p sever-provider-sim` first (`make test` does)",
        binary.display()
    );
    binary
}

impl Sim {
    /// Starts it, with these settings of the application.
    pub async fn start(settings: Value) -> Self {
        let mut child = Command::new(binary())
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(START_MAX, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        // The connector installs the process's TLS provider; this client is made without it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sim = Self {
            _child: child,
            address: announced["address"].as_str().unwrap().to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        sim.configure(settings).await;
        sim
    }

    /// Gives the application other settings; people stay.
    pub async fn configure(&self, mut settings: Value) {
        if settings.get("tokens").is_none() {
            settings["tokens"] = json!([{ "token": TOKEN, "name": "worker" }]);
        }
        self.control("PUT", "/scim/main", &settings).await;
    }

    /// Sends an order; anything but a success ends the test with the simulator's reason.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/control{path}", self.address);
        let method = method.parse().unwrap();
        let request = self.http.request(method, url).body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Plants people and access; returns the users' ids in order.
    pub async fn seed(&self, document: &Value) -> Vec<String> {
        let planted = self.control("POST", "/scim/main/seed", document).await;
        let users = planted["users"].as_array().unwrap().clone();
        users
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Orders a fault.
    pub async fn fault(&self, rule: Value) {
        self.control("POST", "/faults", &rule).await;
    }

    /// What is really so of one user.
    pub async fn truth(&self, user: &str) -> Value {
        let path = format!("/scim/main/state/users/{user}");
        self.control("GET", &path, &Value::Null).await
    }

    /// Every call so far.
    pub async fn journal(&self) -> Vec<Value> {
        let page = self
            .control("GET", "/journal?limit=100000", &Value::Null)
            .await;
        page["entries"].as_array().unwrap().clone()
    }

    /// Forgets every call so far.
    pub async fn clear_journal(&self) {
        self.control("DELETE", "/journal", &Value::Null).await;
    }

    /// The settings of a connection to the application.
    pub fn settings(&self, credential: &str) -> ConnectionSettings {
        ConnectionSettings {
            id: ConnectionId::generate(),
            name: "main".into(),
            base_url: format!("http://{}/scim/main", self.address)
                .parse()
                .unwrap(),
            credential: credential.into(),
            access_token_lifetime_max: Duration::from_secs(3600),
            access_token_lifetime_by_issuer: [].into(),
            clock_skew: Duration::from_secs(2),
            call_deadline: Duration::from_secs(5),
            in_flight_max: 16,
            shared: SharedConnection::default(),
        }
    }

    /// A connector with the accepted bearer token.
    pub fn connector(&self) -> ScimConnector {
        ScimFactory::default()
            .connect(self.settings(TOKEN))
            .unwrap()
            .people
    }
}
