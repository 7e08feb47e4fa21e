//! Orders to the simulator over its control API.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;
use sever_domain::Provider;

use super::systems::INSTANCE;

/// Seeding a large directory takes a while; everything else is quick.
const DEADLINE: Duration = Duration::from_secs(30);

/// The simulator, with one instance of each provider.
#[derive(Debug, Clone)]
pub(crate) struct Simulator {
    http: reqwest::Client,
    address: SocketAddr,
}

/// A seeded account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct SeededUser {
    /// The provider's id.
    pub(crate) id: String,
    /// The login, which is the e-mail as well.
    pub(crate) login: String,
    /// The given name.
    pub(crate) first_name: String,
    /// The family name.
    pub(crate) last_name: String,
}

impl Simulator {
    /// The simulator at this address.
    pub(crate) fn new(http: reqwest::Client, address: SocketAddr) -> Self {
        Self { http, address }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of a provider's instance, as a connection takes it.
    pub(crate) fn base_url(&self, provider: Provider) -> String {
        format!("http://{}/{provider}/{INSTANCE}", self.address)
    }

    /// Seeds what the document says, and returns its answer.
    ///
    /// # Errors
    /// As [`Simulator::send`].
    pub(crate) async fn seed(&self, provider: Provider, document: &Value) -> anyhow::Result<Value> {
        self.order(provider, Method::POST, "/seed", Some(document))
            .await
    }

    /// Sends an order to a provider's instance: `path` is what follows its name.
    ///
    /// # Errors
    /// As [`Simulator::send`].
    pub(crate) async fn order(
        &self,
        provider: Provider,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let path = format!("/control/{provider}/{INSTANCE}{path}");
        self.send(method, &path, body).await
    }

    /// Sends an order to the simulator as a whole.
    ///
    /// # Errors
    /// Where the simulator does not answer within 30 s, or refuses; the error holds its words.
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

/// The ids in a list of an answer, in its order.
///
/// # Errors
/// Where the list is not there, or something in it has no id.
pub(crate) fn ids(answer: &Value, list: &str) -> anyhow::Result<Vec<String>> {
    let items = answer[list].as_array();
    let ids = items.and_then(|items| {
        let ids = items.iter().map(|item| item["id"].as_str());
        ids.map(|id| id.map(str::to_owned)).collect()
    });
    ids.with_context(|| format!("the simulator's answer has no list of {list} with their ids"))
}
