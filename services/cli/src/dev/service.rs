//! One program of the fleet: started from beside this one, tied to it, with its own log file.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sever_private_servers::OwnedProcess;
use tokio::time::Instant;

/// How long a service may take until it is ready; the machine may be building beside it.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// A little more than the grace that the services get.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);
/// One look at readiness.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);
/// How much of a log an error shows.
const LAST_LINES: usize = 12;
const LAST_BYTES: usize = 16 * 1024;

/// What is started.
#[derive(Debug, Clone)]
pub(crate) struct Program<'a> {
    /// The file beside this program.
    pub(crate) name: &'static str,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its whole environment; nothing is inherited.
    pub(crate) environment: Vec<(String, String)>,
    /// Where it answers 200 once it is ready.
    pub(crate) ready: String,
    /// The directory of its log.
    pub(crate) logs: &'a Path,
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    process: OwnedProcess,
    log: PathBuf,
    ready: String,
}

/// A program of the fleet that ended though nobody asked it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its name.
    pub(crate) name: &'static str,
    /// How it ended.
    pub(crate) outcome: String,
    /// Its log.
    pub(crate) log: PathBuf,
}

impl Ended {
    /// Everything about it, with the last lines of its log.
    pub(crate) fn report(&self) -> String {
        let Self { name, outcome, log } = self;
        format!(
            "{name} ended by itself ({outcome}); the last lines of {}:\n{}",
            log.display(),
            last_lines(log)
        )
    }
}

impl Service {
    /// Starts the program; [`Service::wait_until_ready`] waits for it.
    ///
    /// # Errors
    /// Where the file is missing, or cannot be started.
    pub(crate) async fn start(program: Program<'_>) -> anyhow::Result<Self> {
        let file = beside_us(program.name)?;
        let log = program.logs.join(format!("{}.log", program.name));
        let out =
            File::create(&log).with_context(|| format!("making the log {}", log.display()))?;
        let errors = out.try_clone().context("sharing a log")?;
        // SIGKILL when we die: nobody would be left to watch a drain.
        let process = OwnedProcess::start(&[], &file, "KILL", |command| {
            command
                .args(program.arguments)
                .env_clear()
                .envs(program.environment)
                .stdout(out)
                .stderr(errors);
        })
        .await?;
        Ok(Self {
            name: program.name,
            process,
            log,
            ready: program.ready,
        })
    }

    /// Waits at most 60 s until the program says that it is ready.
    ///
    /// # Errors
    /// Where it ends or the time runs out; the error says what it last answered and shows the last lines of its log.
    pub(crate) async fn wait_until_ready(&self, http: &reqwest::Client) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let answer = self.look(http).await;
            match answer {
                Ok(()) => return Ok(()),
                Err(_) if self.process.outcome().is_some() => {
                    let outcome = self.process.outcome().unwrap_or_default();
                    bail!(self.as_ended(outcome).report());
                }
                Err(state) if start.elapsed() >= READY_DEADLINE => bail!(
                    "{} was not ready within {} s: {state}; the last lines of {}:\n{}",
                    self.name,
                    READY_DEADLINE.as_secs(),
                    self.log.display(),
                    last_lines(&self.log)
                ),
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// The end of this program, whenever that is.
    pub(crate) fn ended(&self) -> impl Future<Output = Ended> + Send + use<> {
        let (ended, name, log) = (self.process.ended(), self.name, self.log.clone());
        async move {
            let outcome = ended.await;
            Ended { name, outcome, log }
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> &OwnedProcess {
        &self.process
    }

    /// Lets it drain (SIGTERM), and kills it after 20 s. False where it had to be killed.
    pub(crate) async fn stop(self) -> bool {
        self.process.stop("TERM", STOP_DEADLINE).await
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn as_ended(&self, outcome: String) -> Ended {
        Ended {
            name: self.name,
            outcome,
            log: self.log.clone(),
        }
    }

    /// Whether it is ready; else its own words.
    async fn look(&self, http: &reqwest::Client) -> Result<(), String> {
        let asked = http.get(&self.ready).timeout(LOOK_DEADLINE).send().await;
        let answer = asked.map_err(|_| format!("{} does not answer", self.ready))?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        Err(format!("{} answers {status} {body}", self.ready))
    }
}

/// The readiness page of a service with health and metrics at `ops`.
pub(crate) fn readyz(ops: SocketAddr) -> String {
    format!("http://{ops}/readyz")
}

fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program's own file")?;
    let file = own.with_file_name(name);
    if !file.exists() {
        bail!(
            "{} is missing: the services are expected beside {}; build them with 'cargo build --workspace --bins', \
             and --release where this program was built so",
            file.display(),
            own.display()
        );
    }
    Ok(file)
}

/// The last lines of a log, indented.
fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(LAST_BYTES)..];
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if last.is_empty() {
        return "  (it is empty)".to_owned();
    }
    last.iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_shows_the_last_lines_of_the_log_and_no_more() {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("x.log");
        let lines: Vec<String> = (1..=40).map(|number| format!("line {number}")).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        let report = Ended {
            name: "sever-x",
            outcome: "exit status: 1".into(),
            log,
        }
        .report();
        assert!(report.starts_with("sever-x ended by itself (exit status: 1)"));
        assert!(report.contains("line 40") && report.contains("line 29"));
        assert!(!report.contains("line 28"));
    }
}
