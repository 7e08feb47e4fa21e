//! A private PostgreSQL server.

mod cluster;
mod identity;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::sync::Mutex;

use self::cluster::Cluster;
use crate::{
    directory::Directory,
    error::ServerError,
    port::{START_TRIES, are_free, free_ports},
    process::OwnedProcess,
};

const STOP_DEADLINE: Duration = Duration::from_secs(60);
const SERVER: &str = "PostgreSQL";

/// How much of a power cut the data survives. A killed process loses nothing in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// As PostgreSQL is delivered: a commit is on the disk when it is answered.
    #[default]
    Full,
    /// `fsync` and `full_page_writes` off, `synchronous_commit` left on: a commit is with the operating system.
    Relaxed,
}

/// How a private PostgreSQL server is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresOptions {
    /// What a commit survives.
    pub durability: Durability,
}

/// A PostgreSQL server of our own on 127.0.0.1; everybody on this machine may connect as any role.
///
/// Dropping it ends it at once, as a crash would; committed data stays in the directory.
#[derive(Debug)]
pub struct PrivatePostgres {
    // Before the directory, so that the process has ended when the directory is unlocked.
    process: Mutex<Option<OwnedProcess>>,
    pid: AtomicU32,
    port: u16,
    cluster: Cluster,
}

impl PrivatePostgres {
    /// Starts a server with full durability on `dir`, which must be its own; makes the data on first use.
    ///
    /// Run by root, the server runs as the user `postgres` where that user can enter `dir`, else under a mapped user
    /// id in a user namespace; PostgreSQL refuses to run as root. The port stays the same from start to start while
    /// nobody takes it.
    ///
    /// # Errors
    /// [`ServerError::NotInstalled`], [`ServerError::InUse`] if another live program has a server on `dir`,
    /// [`ServerError::Tool`] if `initdb` fails, [`ServerError::Exited`] or [`ServerError::Deadline`] (180 s) if the
    /// server does not come up, [`ServerError::NoPort`], [`ServerError::Io`].
    pub async fn start(dir: &Path) -> Result<Self, ServerError> {
        Self::start_with(dir, PostgresOptions::default()).await
    }

    /// As [`Self::start`], with options.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(dir: &Path, options: PostgresOptions) -> Result<Self, ServerError> {
        let cluster = Cluster::prepare(Directory::open(dir)?, options).await?;
        let mut remembered = cluster
            .directory
            .recall_ports::<1>()
            .filter(|ports| are_free(ports));
        for _ in 0..START_TRIES {
            let no_port = ServerError::NoPort { server: SERVER };
            let [port] = remembered.take().or_else(free_ports).ok_or(no_port)?;
            if let Some(process) = cluster.launch(port).await? {
                cluster.directory.remember_ports(&[port])?;
                let pid = AtomicU32::new(process.pid());
                return Ok(Self {
                    process: Mutex::new(Some(process)),
                    pid,
                    port,
                    cluster,
                });
            }
        }
        Err(ServerError::NoPort { server: SERVER })
    }

    /// The URL of `database` as the superuser `postgres`. The database `postgres` always exists.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The process id of the server; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// The port on 127.0.0.1, the same over restarts of this value.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.cluster.log()
    }

    /// Waits until the running server ends, by whatever cause, and returns how; at once if it is stopped. Cancel-safe.
    pub async fn ended(&self) -> String {
        let ended = self.process.lock().await.as_ref().map(OwnedProcess::ended);
        match ended {
            Some(ended) => ended.await,
            None => "stopped".to_owned(),
        }
    }

    /// Stops the server in order (connections are ended) and returns when its processes are gone, at most after about
    /// 60 s, when they are killed. Does nothing if it is stopped.
    pub async fn stop(&self) {
        // PostgreSQL's fast shutdown.
        self.end("INT").await;
    }

    /// Kills all processes of the server with SIGKILL and returns when they are gone.
    pub async fn kill(&self) {
        self.end("KILL").await;
    }

    /// Stops the server if it runs, and starts it on the same port and data.
    ///
    /// # Errors
    /// As [`Self::start`]; [`ServerError::NoPort`] if somebody took the port meanwhile.
    pub async fn restart(&self) -> Result<(), ServerError> {
        self.stop().await;
        let mut held = self.process.lock().await;
        let process = self
            .cluster
            .launch(self.port)
            .await?
            .ok_or(ServerError::NoPort { server: SERVER })?;
        self.pid.store(process.pid(), Ordering::Relaxed);
        *held = Some(process);
        Ok(())
    }

    async fn end(&self, signal: &str) {
        let mut held = self.process.lock().await;
        if let Some(process) = held.take() {
            process.stop(signal, STOP_DEADLINE).await;
            self.pid.store(0, Ordering::Relaxed);
        }
    }
}
