//! Orders to the simulator over its control API.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};

/// Seeding a large directory takes a while; everything else is quick.
const DEADLINE: Duration = Duration::from_secs(30);

/// The simulator and one org in it.
#[derive(Debug, Clone)]
pub(crate) struct Simulator {
    http: reqwest::Client,
    address: SocketAddr,
    org: &'static str,
}

/// A seeded account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct SeededUser {
    /// Okta's id.
    pub(crate) id: String,
    /// The login, which is the e-mail as well.
    pub(crate) login: String,
    /// The given name.
    pub(crate) first_name: String,
    /// The family name.
    pub(crate) last_name: String,
}

#[derive(serde::Deserialize)]
struct Seeded {
    users: Vec<SeededUser>,
}

impl Simulator {
    /// The org `main` of the simulator at this address.
    pub(crate) fn new(http: reqwest::Client, address: SocketAddr) -> Self {
        Self {
            http,
            address,
            org: "main",
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of the org, as a connection takes it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/okta/{}", self.address, self.org)
    }

    /// Makes the org, with one accepted API token and these further settings.
    ///
    /// # Errors
    /// As [`Simulator::order`].
    pub(crate) async fn make_org(&self, token: &str, settings: &Value) -> anyhow::Result<()> {
        let mut settings = settings.clone();
        settings["ssws_tokens"] = json!([{"token": token, "name": "sever"}]);
        self.order(Method::PUT, "", Some(&settings)).await.map(drop)
    }

    /// Seeds a company with access, the same for the same size and the same seed of the simulator.
    ///
    /// # Errors
    /// As [`Simulator::order`].
    pub(crate) async fn seed_directory(&self, people: usize) -> anyhow::Result<Vec<SeededUser>> {
        let wish = json!({"people": people, "domain": "example.com"});
        self.plant("/seed-directory", &wish).await
    }

    /// Seeds what the document says, and returns its users in its order.
    ///
    /// # Errors
    /// As [`Simulator::order`].
    pub(crate) async fn seed(&self, document: &Value) -> anyhow::Result<Vec<SeededUser>> {
        self.plant("/seed", document).await
    }

    async fn plant(&self, path: &str, document: &Value) -> anyhow::Result<Vec<SeededUser>> {
        let seeded = self.order(Method::POST, path, Some(document)).await?;
        let seeded: Seeded =
            serde_json::from_value(seeded).context("reading the simulator's list of users")?;
        Ok(seeded.users)
    }

    /// Sends an order to the org: `path` is what follows its name.
    ///
    /// # Errors
    /// Where the simulator does not answer within 30 s, or refuses; the error holds its words.
    pub(crate) async fn order(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let path = format!("/control/okta/{}{path}", self.org);
        self.send(method, &path, body).await
    }

    /// Sends an order to the simulator as a whole.
    ///
    /// # Errors
    /// As [`Simulator::order`].
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("http://{}{path}", self.address))
            .timeout(DEADLINE);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("asking the simulator: {method} {path}"))?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .with_context(|| format!("reading the simulator's answer to {method} {path}"))?;
        if !status.is_success() {
            bail!("the simulator refused {method} {path}: {status} {text}");
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text)
            .with_context(|| format!("reading the simulator's answer to {method} {path}"))
    }
}
