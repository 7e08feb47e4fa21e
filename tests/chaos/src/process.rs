//! One process of the fleet, which the kernel ends with this program.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use sever_private_servers::OwnedProcess;
use sever_tests::binary;

/// How long a process may take to end after SIGTERM: its grace and a little.
const STOP_MAX: Duration = Duration::from_secs(45);

/// What kind of process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `sever-intake`.
    Intake,
    /// `sever-console`.
    Console,
    /// `sever-worker-okta`.
    WorkerOkta,
    /// `sever-worker-scim`.
    WorkerScim,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Intake,
        Self::Console,
        Self::WorkerOkta,
        Self::WorkerScim,
    ];

    /// Its name in the report, and without `sever-` of its program.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Console => "console",
            Self::WorkerOkta => "worker-okta",
            Self::WorkerScim => "worker-scim",
        }
    }

    pub(crate) const fn is_worker(self) -> bool {
        matches!(self, Self::WorkerOkta | Self::WorkerScim)
    }
}

/// A process; dropping it kills it.
pub struct Process {
    /// Its kind.
    pub kind: Kind,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    running: Option<OwnedProcess>,
}

impl Process {
    /// Starts the program with exactly this environment; its log is appended to a file of `folder`.
    pub(crate) async fn start(
        kind: Kind,
        replica: usize,
        folder: &Path,
        environment: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{}-{replica}.log", kind.word()));
        let mut process = Self {
            kind,
            environment,
            log,
            running: None,
        };
        process.restart().await?;
        Ok(process)
    }

    /// Starts it again with the same environment and log.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let program = binary(&format!("sever-{}", self.kind.word()))?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("opening {}", self.log.display()))?;
        let errors = log.try_clone().context("sharing a log")?;
        let environment = self.environment.clone();
        let started = OwnedProcess::start(&[], &program, "KILL", |command| {
            command.env_clear().envs(environment);
            command.stdout(log).stderr(errors);
        });
        self.running = Some(started.await.context("starting a process of the fleet")?);
        Ok(())
    }

    /// SIGKILL; returns when it is gone.
    pub async fn kill(&mut self) {
        if let Some(process) = self.running.take() {
            process.stop("KILL", STOP_MAX).await;
        }
    }

    /// SIGTERM; returns whether it ended within its grace, and well.
    pub async fn terminate(&mut self) -> bool {
        let Some(process) = self.running.take() else {
            return true;
        };
        let ended = process.ended();
        let in_time = process.stop("TERM", STOP_MAX).await;
        in_time && ended.await == "exit status: 0"
    }

    /// Changes one variable for the next start; an empty value takes it away.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.environment.push((name, value.to_owned()));
        }
    }

    /// Sends a signal by name, for instance `STOP`.
    pub(crate) async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let Some(process) = &self.running else {
            return Ok(());
        };
        let mut command = tokio::process::Command::new("kill");
        command.args([&format!("-{name}"), &process.pid().to_string()]);
        let sent = command.status().await.context("sending a signal")?;
        anyhow::ensure!(
            sent.success(),
            "{} was gone before SIG{name}",
            self.kind.word()
        );
        Ok(())
    }

    /// How it ended, where it ended by itself.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        self.running.as_ref().and_then(OwnedProcess::outcome)
    }

    /// The instance as which a worker registered last; `None` before.
    pub(crate) fn instance(&self) -> Option<String> {
        let text = std::fs::read_to_string(&self.log).ok()?;
        let line = text
            .lines()
            .rev()
            .find(|line| line.contains("registered; its leases"))?;
        let line: Value = serde_json::from_str(line).ok()?;
        let found = line["instance"]
            .as_str()
            .or(line["fields"]["instance"].as_str());
        found.map(str::to_owned)
    }

    /// The end of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}
