//! The data of one PostgreSQL server, and how it is made and started.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::Instant;

use super::{Durability, PostgresOptions, SERVER, identity::RunAs};
use crate::{
    directory::{Directory, tail},
    error::ServerError,
    install::{SYSTEM_PATH, postgres_program},
    process::OwnedProcess,
    tool,
};

const INITDB_DEADLINE: Duration = Duration::from_secs(120);
const START_DEADLINE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(10);

/// The data of one server and how it is run.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) directory: Directory,
    run_as: RunAs,
    options: PostgresOptions,
}

impl Cluster {
    pub(super) async fn prepare(
        directory: Directory,
        options: PostgresOptions,
    ) -> Result<Self, ServerError> {
        let run_as = RunAs::choose(&directory.join("data"), directory.path())?;
        let cluster = Self {
            directory,
            run_as,
            options,
        };
        if !cluster.data().exists() {
            cluster.init().await?;
        }
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    /// Makes the data under another name first, so that a killed `initdb` leaves no half cluster behind.
    async fn init(&self) -> Result<(), ServerError> {
        let fresh = self.directory.join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(ServerError::io("removing", &fresh))?;
        }
        self.run_as.make_directory(&fresh).await?;
        let mut initdb = self.run_as.command(&postgres_program("initdb")?);
        initdb.arg("--pgdata").arg(&fresh);
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]);
        if self.options.durability == Durability::Relaxed {
            initdb.arg("--no-sync");
        }
        clean(&mut initdb);
        tool::run(initdb, &format!("initdb {}", self.run_as), INITDB_DEADLINE).await?;
        fs::rename(&fresh, self.data()).map_err(ServerError::io("renaming", fresh))
    }

    /// Starts the server and waits until it accepts connections; `None` if the port was taken.
    pub(super) async fn launch(&self, port: u16) -> Result<Option<OwnedProcess>, ServerError> {
        let log = self.directory.log("postgres.log")?;
        let before = log
            .metadata()
            .map_err(ServerError::io("reading", self.log()))?
            .len();
        let program = postgres_program("postgres")?;
        self.outlive_predecessor().await;
        self.remove_stale_pid_file();
        let settings = self.settings(port).await?;
        let errors = log
            .try_clone()
            .map_err(ServerError::io("sharing", self.log()))?;
        // SIGQUIT is the immediate shutdown; unlike SIGKILL it leaves no shared memory segment on the machine.
        let process = OwnedProcess::start(self.run_as.prefix(), &program, "QUIT", |command| {
            clean(command)
                .arg("-D")
                .arg(self.data())
                .args(settings)
                .stdout(log)
                .stderr(errors);
        })
        .await?;
        self.directory.record(&[&process])?;
        match self.wait_until_ready(&process).await {
            Ok(()) => Ok(Some(process)),
            Err(ServerError::Exited { .. }) if self.port_was_taken(before) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn settings(&self, port: u16) -> Result<Vec<String>, ServerError> {
        // A socket path longer than 107 bytes cannot be bound; then there is TCP only.
        const SOCKET_DIR_BYTES_MAX: usize = 85;
        let sockets = self.directory.join("socket");
        self.run_as.make_directory(&sockets).await?;
        let sockets = Some(sockets).filter(|path| path.as_os_str().len() <= SOCKET_DIR_BYTES_MAX);
        let sockets = sockets
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        let mut settings = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".into(),
            format!("unix_socket_directories={sockets}"),
            // The fleet's pools plus the tests of one machine.
            "max_connections=200".into(),
            // Shared memory in files below the data, so that a killed server leaves nothing in /dev/shm.
            "dynamic_shared_memory_type=mmap".into(),
            // Our statements are short; compiling them costs more than it saves.
            "jit=off".into(),
            "timezone=UTC".into(),
            "log_timezone=UTC".into(),
            "log_line_prefix=%m [%p] ".into(),
        ];
        if self.options.durability == Durability::Relaxed {
            settings.extend(["fsync=off".into(), "full_page_writes=off".into()]);
        }
        Ok(settings
            .into_iter()
            .flat_map(|setting| ["-c".into(), setting])
            .collect())
    }

    /// The postmaster writes its state to the eighth line of its pid file; that cannot be somebody else's server.
    async fn wait_until_ready(&self, process: &OwnedProcess) -> Result<(), ServerError> {
        let start = Instant::now();
        while start.elapsed() < START_DEADLINE {
            if let Some(outcome) = process.outcome() {
                return Err(ServerError::Exited {
                    server: SERVER,
                    outcome,
                    log: self.log(),
                    tail: tail(&self.log()),
                });
            }
            let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            let lines: Vec<&str> = state.lines().map(str::trim).collect();
            if lines.first() == Some(&process.pid().to_string().as_str())
                && lines.get(7) == Some(&"ready")
            {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(ServerError::Deadline {
            server: SERVER,
            wanted: "up",
            within: START_DEADLINE,
            log: self.log(),
        })
    }

    fn port_was_taken(&self, log_start: u64) -> bool {
        let log = fs::read(self.log()).unwrap_or_default();
        let new = log
            .get(usize::try_from(log_start).unwrap_or(usize::MAX)..)
            .unwrap_or_default();
        String::from_utf8_lossy(new).contains("Address already in use")
    }

    /// The directory's lock is ours, so a server that still runs on it has lost its program and is on its way out.
    async fn outlive_predecessor(&self) {
        let start = Instant::now();
        while start.elapsed() < START_DEADLINE && self.pid_file_names_a_server() {
            tokio::time::sleep(POLL).await;
        }
    }

    fn pid_file_names_a_server(&self) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let pid = text.lines().next().unwrap_or_default().trim().to_owned();
        let comm = Path::new("/proc").join(pid).join("comm");
        fs::read_to_string(comm).is_ok_and(|name| name.trim() == "postgres")
    }

    /// A killed server's pid file names an id that somebody else may have now; PostgreSQL would then refuse to start.
    fn remove_stale_pid_file(&self) {
        if !self.pid_file_names_a_server() {
            let _ = fs::remove_file(self.data().join("postmaster.pid"));
        }
    }
}

/// Without the caller's `PG*` variables, in a directory that every user can enter.
fn clean(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .env("PATH", SYSTEM_PATH)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir("/")
}
