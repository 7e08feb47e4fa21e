//! People at the command line: the program `sever` with a console of its own, and a token for each of them.

use std::process::Stdio;

use anyhow::Context as _;
use serde_json::Value;
use sever_store::api_token::{self, NewToken};
use tokio::process::Command;

use crate::fleet::Fleet;
use crate::program::{Program, binary};

/// Two operators with the same rights, where what one asks for must be confirmed by the other.
#[derive(Debug)]
pub struct Operators {
    _console: Program,
    url: String,
    tokens: [String; 2],
}

impl Operators {
    /// Starts a console for the fleet and makes the two tokens.
    ///
    /// # Errors
    /// When the console does not become ready, or the tokens cannot be made.
    pub async fn start(fleet: &Fleet, scopes: &[&str]) -> anyhow::Result<Self> {
        let (console, url) = fleet.console().await?;
        let tokens = [
            token(fleet, "one", scopes).await?,
            token(fleet, "two", scopes).await?,
        ];
        Ok(Self {
            _console: console,
            url,
            tokens,
        })
    }

    /// Runs `sever` as the first or second operator (0, 1). Returns the exit code, and everything that it printed.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub async fn run(&self, operator: usize, words: &[&str]) -> anyhow::Result<(i32, String)> {
        let output = Command::new(binary("sever")?)
            .args(words)
            .env_clear()
            .env("SEVER_CONSOLE_URL", &self.url)
            .env("SEVER_TOKEN", &self.tokens[operator])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("running sever")?;
        let said =
            [output.stderr, output.stdout].map(|it| String::from_utf8_lossy(&it).into_owned());
        Ok((output.status.code().unwrap_or(-1), said.concat()))
    }

    /// Runs a command that must succeed; returns what it printed.
    ///
    /// # Errors
    /// As [`Operators::run`], and where it does not succeed.
    pub async fn ok(&self, operator: usize, words: &[&str]) -> anyhow::Result<String> {
        let (code, said) = self.run(operator, words).await?;
        anyhow::ensure!(code == 0, "sever {}: {code} {said}", words.join(" "));
        Ok(said)
    }

    /// Runs a command for its JSON, as the first operator.
    ///
    /// # Errors
    /// As [`Operators::ok`], and where it is not JSON.
    pub async fn json(&self, words: &[&str]) -> anyhow::Result<Value> {
        let said = self.ok(0, &[&["-o", "json"], words].concat()).await?;
        // Notes for people come first, on a stream of their own.
        let at = said.find(['{', '[']).context("no JSON was printed")?;
        serde_json::from_str(&said[at..]).with_context(|| said.clone())
    }
}

async fn token(fleet: &Fleet, name: &str, scopes: &[&str]) -> anyhow::Result<String> {
    let store = fleet.database.store()?;
    let mut client = store.client("making a token").await?;
    let tx = client.begin().await?;
    let new = NewToken {
        name,
        scopes,
        source: None,
        expires_at: None,
    };
    let (_, secret) = api_token::create(&tx, &new).await?;
    tx.commit().await?;
    Ok(secret.expose().to_owned())
}
