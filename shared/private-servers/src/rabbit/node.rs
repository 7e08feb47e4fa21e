//! The files and the environment of one Erlang node.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::{
    directory::Directory,
    error::ServerError,
    install::{SYSTEM_PATH, epmd_program},
    port::random,
};

/// A node's memory grew to 783 MB under a long load; publishers are blocked only far above that.
pub(super) const MEMORY_WATERMARK: &str = "2GB";

/// What the server reads beyond [`Node::environment`].
pub(super) const SERVER_ENVIRONMENT: [(&str, &str); 4] = [
    // Makes the start script become the Erlang machine, so that its process id is the one we know; `-noinput` keeps
    // the machine from reading its empty input.
    ("RABBITMQ_ALLOW_INPUT", "1"),
    ("RABBITMQ_SERVER_START_ARGS", "-noinput"),
    // Two schedulers that do not spin, loopback only, and never an epmd that we do not own.
    (
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    ),
    // To standard output, which is our log file.
    ("RABBITMQ_LOGS", "-"),
];

/// The ports of one node, all on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) amqp: u16,
    pub(super) distribution: u16,
    pub(super) epmd: u16,
    pub(super) management: u16,
}

impl From<[u16; 4]> for Ports {
    fn from([amqp, distribution, epmd, management]: [u16; 4]) -> Self {
        Self {
            amqp,
            distribution,
            epmd,
            management,
        }
    }
}

impl Ports {
    pub(super) fn all(self) -> [u16; 4] {
        [self.amqp, self.distribution, self.epmd, self.management]
    }
}

/// One node: its directory, its name, its ports.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) directory: Directory,
    /// The part before `@localhost`. It names the data, so it is kept; it is unique, so a greeting identifies us.
    pub(super) name: String,
    pub(super) ports: Ports,
    pub(super) management: bool,
    /// For a node of a cluster: what it shares with the others.
    pub(super) shared: Option<Shared>,
}

/// What the nodes of one cluster share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    /// The port of their one port mapper, which none of them owns.
    pub(super) epmd: u16,
    /// The secret by which they know each other.
    pub(super) cookie: String,
    /// As what each of them may greet once they are joined: the cluster can have the name of its first node.
    pub(super) greeting: Arc<OnceLock<String>>,
}

impl Node {
    pub(super) fn prepare(
        directory: Directory,
        management: bool,
        shared: Option<Shared>,
    ) -> Result<Self, ServerError> {
        let name = match directory.recall("node-name") {
            Some(name) => name,
            None => {
                let name = format!("sever-{:016x}", random());
                directory.remember("node-name", &name)?;
                name
            }
        };
        let node = Self {
            directory,
            name,
            ports: Ports::from([0; 4]),
            management,
            shared,
        };
        node.write_cookie()?;
        Ok(node)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    pub(super) fn full_name(&self) -> String {
        format!("{}@localhost", self.name)
    }

    /// Erlang refuses a cookie that others can read.
    fn write_cookie(&self) -> Result<(), ServerError> {
        let path = self.directory.make("home")?.join(".erlang.cookie");
        if path.exists() {
            return Ok(());
        }
        let shared = self.shared.as_ref().map(|shared| shared.cookie.clone());
        fs::write(&path, shared.unwrap_or_else(cookie))
            .map_err(ServerError::io("writing", &path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o400))
            .map_err(ServerError::io("protecting", &path))
    }

    /// The names by which it may greet: its own, and once it is joined that of the cluster's first node.
    pub(super) fn greetings(&self) -> [&str; 2] {
        let joined = self
            .shared
            .as_ref()
            .and_then(|shared| shared.greeting.get());
        [&self.name, joined.unwrap_or(&self.name)]
    }

    /// Writes what depends on the ports.
    pub(super) fn write_files(&self) -> Result<(), ServerError> {
        self.directory.make("data")?;
        self.directory.make("conf.d")?;
        let plugins = if self.management {
            "[rabbitmq_management].\n"
        } else {
            "[].\n"
        };
        self.directory.remember("enabled_plugins", plugins)?;
        let mut config = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\n\
             vm_memory_high_watermark.absolute = {MEMORY_WATERMARK}\n\
             disk_free_limit.absolute = 100MB\n\
             raft.wal_max_size_bytes = 64000000\n",
            self.ports.amqp
        );
        if self.management {
            config += &format!(
                "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n",
                self.ports.management
            );
        }
        self.directory.remember("rabbitmq.conf", &config)
    }

    /// Everything that the server, its port mapper and its tools read; nothing is inherited.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let inside = |name: &str| self.directory.join(name).display().to_string();
        vec![
            ("PATH", search_path()),
            ("LC_ALL", "C.UTF-8".into()),
            ("HOME", inside("home")),
            ("ERL_EPMD_PORT", self.ports.epmd.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
            ("RABBITMQ_NODENAME", self.full_name()),
            ("RABBITMQ_NODE_PORT", self.ports.amqp.to_string()),
            ("RABBITMQ_DIST_PORT", self.ports.distribution.to_string()),
            ("RABBITMQ_MNESIA_BASE", inside("data")),
            ("RABBITMQ_LOG_BASE", inside("log")),
            ("RABBITMQ_CONFIG_FILE", inside("rabbitmq.conf")),
            ("RABBITMQ_CONFIG_FILES", inside("conf.d")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", inside("advanced.config")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", inside("enabled_plugins")),
            // Not the machine's own settings.
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null".into()),
        ]
    }

    pub(super) fn port_was_taken(&self, log_start: u64) -> bool {
        let log = fs::read(self.log()).unwrap_or_default();
        let new = log
            .get(usize::try_from(log_start).unwrap_or(usize::MAX)..)
            .unwrap_or_default();
        let new = String::from_utf8_lossy(new);
        [
            "eaddrinuse",
            "port_already_in_use",
            "already in use",
            "dist_port_already_used",
        ]
        .iter()
        .any(|sign| new.contains(sign))
    }
}

/// A fresh Erlang cookie.
pub(super) fn cookie() -> String {
    format!("{:016X}{:016X}", random(), random())
}

/// The directory of the Erlang that was found, then the system's.
fn search_path() -> String {
    let erlang = epmd_program()
        .ok()
        .and_then(|epmd| epmd.parent().map(Path::to_path_buf));
    erlang.map_or_else(
        || SYSTEM_PATH.into(),
        |dir| format!("{}:{SYSTEM_PATH}", dir.display()),
    )
}
