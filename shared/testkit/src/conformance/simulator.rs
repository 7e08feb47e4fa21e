//! The simulator as a process, and one instance of a provider in it. Every cell gets the instance anew, so that its generated
//! ids are the same in each.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long the simulator may take to come up on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// The most entries that one cell can leave in the journal.
const JOURNAL_MAX: usize = 100_000;

/// A running simulator; killed when dropped.
#[derive(Debug)]
pub struct Simulator {
    _child: Child,
    address: String,
    http: reqwest::Client,
}

impl Simulator {
    /// Starts the binary beside this test's own.
    ///
    /// # Errors
    /// When it is not built, or does not announce its address.
    pub async fn start(seed: u64) -> anyhow::Result<Self> {
        let mut child = Command::new(binary()?)
            .args(["--listen", "127.0.0.1:0", "--seed", &seed.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the simulator")?;
        let stdout = child.stdout.take().context("the simulator has no output")?;
        let line = tokio::time::timeout(START_MAX, BufReader::new(stdout).lines().next_line())
            .await
            .context("waiting for the simulator")??;
        let announced: Value = serde_json::from_str(&line.context("the simulator said nothing")?)?;
        let address = announced["address"]
            .as_str()
            .context("it named no address")?;
        // A second installation says that there is one already, which is what is wanted.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self {
            _child: child,
            address: address.to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Sends an order of the control API.
    ///
    /// # Errors
    /// Anything but a success, with the simulator's reason.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, text) = self.send(method, path, body).await?;
        anyhow::ensure!(
            (200..300).contains(&status),
            "{method} {path}: {status} {text}"
        );
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<(u16, String)> {
        let url = format!("http://{}/control{path}", self.address);
        let request = self.http.request(method.parse()?, url);
        let response = request.body(body.to_string()).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// An empty instance in the place of the one that was, without faults and journal. Returns it, with what the simulator
    /// answered to the settings.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn anew(
        &self,
        provider: &str,
        settings: &Value,
    ) -> anyhow::Result<(Instance<'_>, Value)> {
        let instance = Instance {
            simulator: self,
            provider: provider.to_owned(),
        };
        // There is none before the first cell.
        let _ = self
            .control("DELETE", &instance.path(""), &Value::Null)
            .await;
        self.control("DELETE", "/faults", &Value::Null).await?;
        instance.forget_journal().await?;
        let put = instance.configure(settings).await?;
        Ok((instance, put))
    }
}

/// Beside this test's own binary: the workspace builds all of its binaries into one folder.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding the test's own binary")?;
    let folder = own.parent().and_then(|deps| deps.parent());
    let binary = folder
        .context("the test's binary lies in no folder")?
        .join("sever-provider-sim");
    anyhow::ensure!(
        binary.is_file(),
        "{} is missing: run `cargo build -p sever-provider-sim` first (`make test` does)",
        binary.display()
    );
    Ok(binary)
}

/// The instance `main` of one provider.
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    simulator: &'a Simulator,
    provider: String,
}

impl Instance<'_> {
    fn path(&self, below: &str) -> String {
        format!("/{}/main{below}", self.provider)
    }

    /// Where the provider is called.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/{}/main", self.simulator.address, self.provider)
    }

    /// Sends an order below the instance.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn order(&self, method: &str, below: &str, body: &Value) -> anyhow::Result<Value> {
        self.simulator
            .control(method, &self.path(below), body)
            .await
    }

    /// Gives the instance these settings; what is in it stays.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn configure(&self, settings: &Value) -> anyhow::Result<Value> {
        self.order("PUT", "", settings).await
    }

    /// What is really so; of what is not known at all, that it does not exist.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn truth(&self, of: &str) -> anyhow::Result<Value> {
        let path = self.path(&format!("/state/{of}"));
        let (status, text) = self.simulator.send("GET", &path, &Value::Null).await?;
        if status == 404 {
            return Ok(json!({ "exists": false, "live": [] }));
        }
        anyhow::ensure!(status == 200, "GET {path}: {status} {text}");
        serde_json::from_str(&text).with_context(|| format!("reading {path}"))
    }

    /// Orders a fault for the call after the first `after` ones; `count` times, or always.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn fault(
        &self,
        then: &Value,
        after: usize,
        count: Option<u64>,
    ) -> anyhow::Result<()> {
        let when = json!({ "provider": self.provider });
        let rule = json!({ "when": when, "then": then, "after": after, "count": count });
        self.simulator
            .control("POST", "/faults", &rule)
            .await
            .map(drop)
    }

    /// Whether an ordered fault has had its way.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn has_fired(&self) -> anyhow::Result<bool> {
        let shown = self
            .simulator
            .control("GET", "/faults", &Value::Null)
            .await?;
        let rules = shown["rules"].as_array().or(shown.as_array());
        let fired = |rule: &Value| rule["fired"].as_u64() > Some(0);
        Ok(rules.context("no list of rules")?.iter().any(fired))
    }

    /// Takes every fault back.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn no_faults(&self) -> anyhow::Result<()> {
        self.simulator
            .control("DELETE", "/faults", &Value::Null)
            .await
            .map(drop)
    }

    /// Every call so far, in the order of their effects.
    ///
    /// # Errors
    /// As [`Simulator::control`], and where entries were dropped.
    pub async fn journal(&self) -> anyhow::Result<Vec<Value>> {
        let path = format!("/journal?limit={JOURNAL_MAX}");
        let page = self.simulator.control("GET", &path, &Value::Null).await?;
        anyhow::ensure!(page["dropped"] == 0, "the journal is too small");
        Ok(page["entries"].as_array().cloned().unwrap_or_default())
    }

    /// Forgets every call so far.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn forget_journal(&self) -> anyhow::Result<()> {
        self.simulator
            .control("DELETE", "/journal", &Value::Null)
            .await
            .map(drop)
    }

    /// Waits until no call is taking effect any more: what a dead process or an unanswered call had sent has arrived or never
    /// will. The runtime waits for the call's deadline instead.
    ///
    /// # Errors
    /// As [`Simulator::control`].
    pub async fn quiet(&self) -> anyhow::Result<()> {
        let last = async || -> anyhow::Result<Value> {
            let page = self
                .simulator
                .control("GET", "/journal?limit=1", &Value::Null)
                .await?;
            Ok(page["last_seq"].clone())
        };
        let mut before = last().await?;
        let mut same = 0;
        while same < 3 {
            tokio::time::sleep(Duration::from_millis(4)).await;
            let now = last().await?;
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
        Ok(())
    }
}
