//! Running a program to its end, or for as long as a test lasts.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long a package may take to be installed.
const INSTALL_MAX: Duration = Duration::from_secs(300);

/// One installation at a time: tests that need the same package begin together.
static INSTALLING: Mutex<()> = Mutex::const_new(());

/// Why a peer is not there: its test is skipped.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Installs something into `home` by these commands, once: a mark says that it was done to the end.
///
/// # Errors
/// As [`run`], and where the folder cannot be made.
pub async fn install(
    home: &Path,
    package: &str,
    commands: &[(&str, &[&str])],
) -> Result<(), Unavailable> {
    let _one = INSTALLING.lock().await;
    let mark = home.join(format!("installed-{package}"));
    if mark.is_file() {
        return Ok(());
    }
    let failed = |error: std::io::Error| Unavailable(format!("{}: {error}", home.display()));
    std::fs::create_dir_all(home).map_err(failed)?;
    for (program, arguments) in commands {
        run(program, arguments, home).await?;
    }
    std::fs::write(mark, "").map_err(failed)
}

/// Runs a program to its end, in `folder`; what it prints is told only where it fails.
///
/// # Errors
/// [`Unavailable`] where the program is missing, fails, or takes longer than five minutes.
async fn run(
    program: impl AsRef<OsStr>,
    arguments: &[&str],
    folder: &Path,
) -> Result<(), Unavailable> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(INSTALL_MAX, output)
        .await
        .map_err(|_| Unavailable(format!("{name} took longer than {INSTALL_MAX:?}")))?
        .map_err(|error| Unavailable(format!("{name} cannot be started: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(Unavailable(format!(
        "{name} {}: {}",
        arguments.join(" "),
        last.unwrap_or("failed")
    )))
}

/// Starts a program that runs until it is dropped.
///
/// # Errors
/// [`Unavailable`] where it cannot be started.
pub fn start(
    program: impl AsRef<OsStr>,
    arguments: &[&str],
    folder: &Path,
) -> Result<Child, Unavailable> {
    let name = program.as_ref().to_string_lossy().into_owned();
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Unavailable(format!("{name} cannot be started: {error}")))
}
