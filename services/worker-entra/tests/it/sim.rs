//! A running simulator with one tenant, and connectors for it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sever_domain::ConnectionId;
use sever_provider::http::SharedConnection;
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory as _};
use sever_worker_entra::{EntraFactory, EntraIntegrations, EntraPeople};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The application that the tenant accepts.
pub const CLIENT: &str = "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10";
/// Its secret.
pub const SECRET: &str = "secret-of-the-worker";
/// How long the simulator may take to come up on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// The simulator's binary on a free port, with the tenant `main`; stopped when dropped.
pub struct Sim {
    _child: Child,
    address: String,
    http: reqwest::Client,
    pub tenant_id: String,
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
    /// Starts it, with these settings of the tenant.
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
        let mut sim = Self {
            _child: child,
            address: announced["address"].as_str().unwrap().to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            tenant_id: String::new(),
        };
        sim.tenant_id = sim.configure(settings).await;
        sim
    }

    /// An empty tenant in the place of the one that was, without faults and journal: cheaper than another process.
    pub async fn anew(&self) {
        self.control("DELETE", "/entra/main", &Value::Null).await;
        self.no_faults().await;
        self.clear_journal().await;
        self.configure(json!({})).await;
    }

    /// Gives the tenant other settings; what is in it stays. Returns its id.
    pub async fn configure(&self, mut settings: Value) -> String {
        if settings.get("apps").is_none() {
            settings["apps"] = json!([{ "client_id": CLIENT, "secret": SECRET, "name": "worker" }]);
        }
        let put = self.control("PUT", "/entra/main", &settings).await;
        put["tenant_id"].as_str().unwrap().to_owned()
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

    /// Plants people and applications; returns the ids of the users in order, then of the service principals.
    pub async fn seed(&self, document: &Value) -> Vec<String> {
        let planted = self.control("POST", "/entra/main/seed", document).await;
        ["users", "service_principals"]
            .iter()
            .flat_map(|kind| planted[kind].as_array().unwrap().clone())
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A change behind the connector's back.
    pub async fn mutate(&self, change: Value) {
        self.control("POST", "/entra/main/mutate", &change).await;
    }

    /// Orders a fault.
    pub async fn fault(&self, rule: Value) {
        self.control("POST", "/faults", &rule).await;
    }

    /// Forgets every fault.
    pub async fn no_faults(&self) {
        self.control("DELETE", "/faults", &Value::Null).await;
    }

    /// What is really so of one user.
    pub async fn truth(&self, user: &str) -> Value {
        let path = format!("/entra/main/state/users/{user}");
        self.control("GET", &path, &Value::Null).await
    }

    /// What is really so of one application.
    pub async fn application(&self, id: &str) -> Value {
        let path = format!("/entra/main/state/service-principals/{id}");
        self.control("GET", &path, &Value::Null).await
    }

    /// Every call so far.
    pub async fn journal(&self) -> Vec<Value> {
        let path = "/journal?limit=100000";
        let page = self.control("GET", path, &Value::Null).await;
        page["entries"].as_array().unwrap().clone()
    }

    /// Every write so far, by its operation.
    pub async fn writes(&self) -> Vec<String> {
        let journal = self.journal().await;
        let writes = journal.iter().filter(|call| call["effect"] == "write");
        writes
            .map(|call| call["operation"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Forgets every call so far.
    pub async fn clear_journal(&self) {
        self.control("DELETE", "/journal", &Value::Null).await;
    }

    /// The credential of the accepted application, with more members.
    pub fn credential(&self, more: &Value) -> String {
        let mut credential = json!({
            "tenant_id": self.tenant_id, "client_id": CLIENT, "client_secret": SECRET,
            "agreeing_reads": 2, "agreeing_pause_ms": 1,
        });
        for (name, value) in more.as_object().unwrap() {
            credential[name] = value.clone();
        }
        credential.to_string()
    }

    /// The settings of a connection to the tenant.
    pub fn settings(&self, credential: &str) -> ConnectionSettings {
        ConnectionSettings {
            id: ConnectionId::generate(),
            name: "main".into(),
            base_url: format!("http://{}/entra/main", self.address)
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

    /// Both connectors, told more.
    pub fn connected(&self, more: &Value) -> Connected<EntraPeople, EntraIntegrations> {
        EntraFactory::default()
            .connect(self.settings(&self.credential(more)))
            .unwrap()
    }

    /// The connector of people.
    pub fn people(&self) -> EntraPeople {
        self.connected(&json!({})).people
    }

    /// The connector of integrations.
    pub fn integrations(&self) -> EntraIntegrations {
        self.connected(&json!({})).integrations.unwrap()
    }
}
