//! The directory of one server or one fleet: who uses it, and what it remembers from start to start.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{
    error::ServerError,
    process::{OwnedProcess, kill_recorded},
};

/// A directory, locked for as long as this value lives (also against a second use in the same program).
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    // The kernel gives the lock back when this program ends, however it ends.
    _lock: File,
}

impl Directory {
    /// Makes the directory if needed, locks it, and kills what an earlier program left running in it. Blocks for as long
    /// as a killed process takes to disappear, at most 10 s each.
    ///
    /// # Errors
    /// [`ServerError::InUse`] if another live program uses it, [`ServerError::Io`].
    pub fn open(path: &Path) -> Result<Self, ServerError> {
        fs::create_dir_all(path).map_err(ServerError::io("making the directory", path))?;
        let path = path
            .canonicalize()
            .map_err(ServerError::io("finding", path))?;
        let file = path.join("lock");
        let lock = File::create(&file).map_err(ServerError::io("making", &file))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ServerError::InUse { dir: path }),
            Err(TryLockError::Error(source)) => {
                return Err(ServerError::io("locking", file)(source));
            }
        }
        let directory = Self { path, _lock: lock };
        kill_recorded(&directory.recall("processes").unwrap_or_default());
        Ok(directory)
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside, with `name`.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a directory inside, with `name`.
    pub(crate) fn make(&self, name: &str) -> Result<PathBuf, ServerError> {
        let path = self.join(name);
        fs::create_dir_all(&path).map_err(ServerError::io("making the directory", &path))?;
        Ok(path)
    }

    /// Opens a log inside for appending.
    pub(crate) fn log(&self, name: &str) -> Result<File, ServerError> {
        let path = self.join(name);
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(ServerError::io("opening the log", path))
    }

    /// Keeps a small text under `name`.
    pub(crate) fn remember(&self, name: &str, text: &str) -> Result<(), ServerError> {
        let path = self.join(name);
        fs::write(&path, text).map_err(ServerError::io("writing", path))
    }

    /// The text kept under `name`, trimmed.
    pub(crate) fn recall(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.join(name)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Records the running processes, so that the next program on this directory can end them if this one cannot.
    ///
    /// # Errors
    /// [`ServerError::Io`].
    pub fn record(&self, processes: &[&OwnedProcess]) -> Result<(), ServerError> {
        self.remember(
            "processes",
            &processes
                .iter()
                .map(|process| process.record())
                .collect::<String>(),
        )
    }

    /// The ports that the last start on this directory used.
    pub(crate) fn recall_ports<const N: usize>(&self) -> Option<[u16; N]> {
        let ports: Option<Vec<u16>> = self
            .recall("ports")?
            .split(' ')
            .map(|port| port.parse().ok())
            .collect();
        ports?.try_into().ok()
    }

    pub(crate) fn remember_ports(&self, ports: &[u16]) -> Result<(), ServerError> {
        let text: Vec<String> = ports.iter().map(u16::to_string).collect();
        self.remember("ports", &text.join(" "))
    }
}

/// The last lines of a log, for an error message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 8;
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    last_lines(&text, LINES)
}

/// The last `count` lines that are not empty, joined by ` | `.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}
