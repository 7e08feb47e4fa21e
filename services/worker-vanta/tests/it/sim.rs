//! A running simulator with one Vanta tenant, and connectors for it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sever_domain::ConnectionId;
use sever_provider::http::SharedConnection;
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory as _};
use sever_worker_vanta::{VantaFactory, VantaIntegrations, VantaPeople};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the simulator may take to come up on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);
/// Who acknowledges.
pub const BOSS: &str = "0000000000000000000000b0";

/// The simulator's binary on a free port, with the tenant `main`; stopped when dropped.
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
    /// Starts it, with these settings of the tenant, and whoever acknowledges.
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
        let boss = json!({ "id": BOSS, "email": "boss@example.com", "user": { "admin": true } });
        sim.seed(&json!({ "people": [boss] })).await;
        sim
    }

    /// Gives the tenant other settings; people stay.
    pub async fn configure(&self, mut settings: Value) {
        let secret = "vcs_1";
        settings["applications"] = json!([
            { "client_id": "vci_manage", "client_secret": secret, "name": "worker" },
            { "client_id": "vci_own", "client_secret": secret, "type": "build", "resource_ids": ["r1"] },
        ]);
        self.control("PUT", "/vanta/main", &settings).await;
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

    /// Plants people and access; returns the people's ids in order.
    pub async fn seed(&self, document: &Value) -> Vec<String> {
        let planted = self.control("POST", "/vanta/main/seed", document).await;
        let people = planted["people"].as_array().unwrap().clone();
        let ids = people.iter().map(|person| person["id"].as_str());
        ids.map(|id| id.unwrap().to_owned()).collect()
    }

    /// Plants somebody who left, beside a colleague who must not be touched; returns both ids.
    pub async fn leaver(&self, mut access: Value) -> (String, String) {
        access["email"] = json!("ada@example.com");
        access["first_name"] = json!("Ada");
        access["last_name"] = json!("Byron");
        if access.get("employment").is_none() {
            access["employment"] = json!("FORMER");
        }
        let colleague = json!({
            "email": "ben@example.com", "employment": "FORMER", "user": {}, "tasks": ["Return the badge"],
        });
        let mut ids = self.seed(&json!({ "people": [access, colleague] })).await;
        let colleague = ids.pop().unwrap();
        (ids.pop().unwrap(), colleague)
    }

    pub async fn mutate(&self, change: Value) {
        self.control("POST", "/vanta/main/mutate", &change).await;
    }

    /// Orders a fault.
    pub async fn fault(&self, rule: Value) {
        self.control("POST", "/faults", &rule).await;
    }

    /// What is really so of a person, an integration or an application.
    pub async fn truth(&self, path: &str) -> Value {
        let path = format!("/vanta/main/state/{path}");
        self.control("GET", &path, &Value::Null).await
    }

    /// What still gives access to the person.
    pub async fn live(&self, person: &str) -> Value {
        self.truth(&format!("people/{person}")).await["live"].clone()
    }

    /// Every call so far.
    pub async fn journal(&self) -> Vec<Value> {
        let page = self
            .control("GET", "/journal?limit=100000", &Value::Null)
            .await;
        page["entries"].as_array().unwrap().clone()
    }

    /// How many calls of one operation were made so far.
    pub async fn calls(&self, operation: &str) -> usize {
        let journal = self.journal().await;
        let calls = journal.iter().filter(|call| call["operation"] == operation);
        calls.count()
    }

    /// Forgets every call so far.
    pub async fn clear_journal(&self) {
        self.control("DELETE", "/journal", &Value::Null).await;
    }

    /// No call concerned anybody else.
    pub async fn only_about(&self, person: &str) {
        for call in self.journal().await {
            let about = call["user"].as_str();
            assert!(about.is_none_or(|about| about == person), "{call}");
        }
    }

    /// The settings of a connection to the tenant.
    pub fn settings(&self, secret: &str) -> ConnectionSettings {
        let own = json!({
            "client_id": "vci_own", "client_secret": secret, "sets": [{ "type": "user_account", "resource_id": "r1" }],
        });
        let credential = json!({
            "client_id": "vci_manage", "client_secret": secret, "acknowledger": BOSS, "connector": own,
            "requests_per_minute": 10_000,
        });
        ConnectionSettings {
            id: ConnectionId::generate(),
            name: "main".into(),
            base_url: format!("http://{}/vanta/main", self.address)
                .parse()
                .unwrap(),
            credential: credential.to_string().into(),
            access_token_lifetime_max: Duration::from_secs(3600),
            access_token_lifetime_by_issuer: [].into(),
            clock_skew: Duration::from_secs(2),
            call_deadline: Duration::from_secs(5),
            in_flight_max: 16,
            shared: SharedConnection::default(),
        }
    }

    /// The connectors with accepted credentials.
    pub fn connect(&self) -> Connected<VantaPeople, VantaIntegrations> {
        VantaFactory::default()
            .connect(self.settings("vcs_1"))
            .unwrap()
    }

    /// A connector that asks a person at the first refusal.
    pub fn impatient(&self) -> VantaPeople {
        let mut settings = self.settings("vcs_1");
        let text = secrecy::ExposeSecret::expose_secret(&settings.credential);
        let mut credential: Value = serde_json::from_str(text).unwrap();
        credential["patience_s"] = json!(0);
        settings.credential = credential.to_string().into();
        VantaFactory::default().connect(settings).unwrap().people
    }

    pub fn people(&self) -> VantaPeople {
        self.connect().people
    }

    pub fn integrations(&self) -> VantaIntegrations {
        self.connect().integrations.unwrap()
    }
}
