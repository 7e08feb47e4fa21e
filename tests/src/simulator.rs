//! The simulator's control API.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use sever_private_servers::OwnedProcess;

use crate::program::binary;
use crate::wait::until;

/// How long the simulator may take to come up on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// A running simulator with the organisation `main`; it ends when dropped, and with this program.
#[derive(Debug)]
pub struct Simulator {
    _process: OwnedProcess,
    address: String,
    http: reqwest::Client,
}

impl Simulator {
    /// Starts it, with an organisation that accepts `token`.
    ///
    /// # Errors
    /// When the binary is missing, or does not answer.
    pub async fn start(folder: &Path, token: &str) -> anyhow::Result<Self> {
        let (out, log) = (folder.join("simulator.out"), folder.join("simulator.log"));
        let (stdout, stderr) = (File::create(&out)?, File::create(log)?);
        let program = binary("sever-provider-sim")?;
        let process = OwnedProcess::start(&[], &program, "KILL", |command| {
            command.args(["--listen", "127.0.0.1:0"]);
            command.stdout(stdout).stderr(stderr);
        });
        let process = process.await.context("starting the simulator")?;
        let address = until("the simulator names its address", START_MAX, || async {
            let said = std::fs::read_to_string(&out)?;
            let Some((line, _)) = said.split_once('\n') else {
                return Ok(None);
            };
            let announced: Value = serde_json::from_str(line)?;
            Ok(announced["address"].as_str().map(str::to_owned))
        });
        let address = address.await?;
        // A second installation says that there is one already, which is what is wanted.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let simulator = Self {
            _process: process,
            address,
            http,
        };
        simulator
            .configure(json!({"ssws_tokens": [{"token": token, "name": "worker"}]}))
            .await?;
        Ok(simulator)
    }

    /// The base URL of the organisation.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/okta/main", self.address)
    }

    /// The base URL of an instance of any provider.
    #[must_use]
    pub fn base_url_of(&self, provider: &str, instance: &str) -> String {
        format!("http://{}/{provider}/{instance}", self.address)
    }

    /// Sends an order of the control API.
    ///
    /// # Errors
    /// Anything but a success, with the simulator's reason.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("http://{}/control{path}", self.address);
        let response = self
            .http
            .request(method.parse()?, url)
            .body(body.to_string())
            .send()
            .await?;
        let status = response.status();
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Changes the organisation's settings.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn configure(&self, settings: Value) -> anyhow::Result<()> {
        self.control("PUT", "/okta/main", &settings).await.map(drop)
    }

    /// Plants people and access. Returns the users' ids, in order.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn seed(&self, document: &Value) -> anyhow::Result<Vec<String>> {
        let planted = self.control("POST", "/okta/main/seed", document).await?;
        let users = planted["users"]
            .as_array()
            .context("the simulator planted nobody")?;
        Ok(users
            .iter()
            .filter_map(|user| user["id"].as_str().map(str::to_owned))
            .collect())
    }

    /// The address of all its instances.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Orders faults.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn fault(&self, rule: &Value) -> anyhow::Result<()> {
        self.control("POST", "/faults", rule).await.map(drop)
    }

    /// Takes all faults back.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn no_faults(&self) -> anyhow::Result<()> {
        self.control("DELETE", "/faults", &Value::Null)
            .await
            .map(drop)
    }

    /// What access a user really has left; empty when there is none.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn live(&self, user: &str) -> anyhow::Result<Vec<Value>> {
        let truth = self.truth(user).await?;
        Ok(truth["live"].as_array().cloned().unwrap_or_default())
    }

    /// The truth about a user.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn truth(&self, user: &str) -> anyhow::Result<Value> {
        let path = format!("/okta/main/state/users/{user}");
        self.control("GET", &path, &Value::Null).await
    }

    /// Every call so far, oldest first.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn journal(&self) -> anyhow::Result<Vec<Value>> {
        let (mut entries, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/journal?limit=100000&after={after}");
            let mut page = self.control("GET", &path, &Value::Null).await?;
            let next = page["next_after"].as_u64().unwrap_or(after);
            if let Value::Array(found) = page["entries"].take() {
                entries.extend(found);
            }
            if next == after {
                return Ok(entries);
            }
            after = next;
        }
    }
}
