//! The programs that are measured: started beside this one, waited for, and ended with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hyper::{Method, StatusCode};
use sever_private_servers::OwnedProcess;

use crate::http_client::HttpClient;

const START_DEADLINE: Duration = Duration::from_secs(30);

/// The place of private servers' data, beside that of `sever dev`.
///
/// # Errors
/// Where it cannot be made.
pub fn base() -> anyhow::Result<PathBuf> {
    let base = PathBuf::from(".sever");
    std::fs::create_dir_all(&base).context("making .sever")?;
    base.canonicalize().context("finding .sever")
}

/// Waits until a program says that it is ready.
///
/// # Errors
/// When it does not in time.
pub async fn ready(name: &str, port: u16) -> anyhow::Result<()> {
    let http = HttpClient::new(&format!("127.0.0.1:{port}"), "none", 1)?;
    wait_for(&format!("{name} to be ready"), async || {
        let answer = http.call(Method::GET, "/readyz", "".into()).await;
        answer
            .ok()
            .filter(|(status, _)| *status == StatusCode::OK)
            .map(drop)
    })
    .await
}

/// The last lines of a log, for an error.
#[must_use]
pub fn log_end(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    format!("the end of its log:\n{}", lines.join("\n"))
}

/// One of the programs that are built together with this one.
///
/// # Errors
/// When it is not there.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let path = own.with_file_name(name);
    if !path.exists() {
        bail!(
            "{name} is not beside this program: build it with `cargo build --release --workspace --bins`"
        );
    }
    Ok(path)
}

/// Starts a program whose output goes to a file; the kernel ends it with this one.
///
/// # Errors
/// When it cannot be started.
pub async fn start(
    program: &Path,
    output: &Path,
    set_up: impl FnOnce(&mut Command),
) -> anyhow::Result<OwnedProcess> {
    let file = File::create(output).with_context(|| format!("making {}", output.display()))?;
    let errors = file.try_clone().context("sharing an output")?;
    let process = OwnedProcess::start(&[], program, "TERM", |command| {
        command
            .stdout(Stdio::from(file))
            .stderr(Stdio::from(errors));
        set_up(command);
    });
    process.await.context("starting a program")
}

/// Asks every few milliseconds until there is an answer.
///
/// # Errors
/// When there is none in time.
pub async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return Ok(found);
        }
        if start.elapsed() > START_DEADLINE {
            bail!("waited {START_DEADLINE:?} in vain for {what}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
