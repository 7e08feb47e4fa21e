//! One process of the fleet: a real binary with its own environment and log file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::process::{Child, Command};

/// How long a process may take to end after SIGTERM.
const STOP_MAX: Duration = Duration::from_secs(40);

/// A binary of this workspace, beside this program or, for a test, in the folder above it.
///
/// # Errors
/// When it has not been built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("finding the test binary")?;
    let folders = own.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| {
            format!("{name} is not built: run `cargo build --workspace --bins` first (`make` does)")
        })
}

/// A process, killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    log: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
}

impl Program {
    /// Starts a binary with exactly this environment; its log goes to a file of `folder`.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub fn start(
        name: &str,
        folder: &Path,
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}-{}.log", uuid::Uuid::now_v7()));
        let mut program = Self {
            name: name.to_owned(),
            log,
            environment,
            child: None,
        };
        program.spawn()?;
        Ok(program)
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("opening {}", self.log.display()))?;
        let mut command = Command::new(binary(&self.name)?);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        self.child = Some(
            command
                .spawn()
                .with_context(|| format!("starting {}", self.name))?,
        );
        Ok(())
    }

    /// Everything in its environment.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The most memory that it has had resident so far, in bytes: the operating system's figure (`VmHWM` of proc(5)).
    ///
    /// # Errors
    /// When it does not run, or the figure cannot be read.
    pub fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        let pid = self.child.as_ref().and_then(Child::id);
        let pid = pid.with_context(|| format!("{} does not run", self.name))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("no VmHWM in the process's status")?.parse()?;
        Ok(kib * 1024)
    }

    /// Changes one variable for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        self.child
            .as_mut()
            .map_or(Ok(true), |child| Ok(child.try_wait()?.is_some()))
    }

    /// Kills it on the spot and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child
                .kill()
                .await
                .with_context(|| format!("killing {}", self.name))?;
        }
        Ok(())
    }

    /// Sends SIGTERM and waits for the end. Returns whether it ended with status 0.
    ///
    /// # Errors
    /// When it does not end within its grace.
    pub async fn stop(&mut self) -> anyhow::Result<bool> {
        let Some(mut child) = self.child.take() else {
            return Ok(true);
        };
        let Some(pid) = child.id() else {
            return Ok(child.wait().await?.success());
        };
        let sent = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await?;
        anyhow::ensure!(sent.success(), "{} was gone before SIGTERM", self.name);
        let status = tokio::time::timeout(STOP_MAX, child.wait())
            .await
            .with_context(|| format!("{} did not end within {STOP_MAX:?}", self.name))??;
        Ok(status.success())
    }

    /// Starts it again with the same environment and log.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.spawn()
    }

    /// Everything that it has logged.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.log)
            .with_context(|| format!("reading {}", self.log.display()))
    }
}
