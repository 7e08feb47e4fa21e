//! A private RabbitMQ server.

mod cluster;
mod control;
mod handshake;
mod node;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

pub use self::cluster::PrivateCluster;
pub use self::control::QueueDepth;
use self::node::{Node, Ports, SERVER_ENVIRONMENT, Shared};
use crate::{
    directory::{Directory, tail},
    error::ServerError,
    install::{epmd_program, rabbit_program},
    port::{START_TRIES, are_free, free_ports},
    process::OwnedProcess,
};

/// An Erlang node boots in 8 to 11 s on two cores; other builds may be running beside it.
const START_DEADLINE: Duration = Duration::from_secs(120);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(25);
const SERVER: &str = "RabbitMQ";

/// How a private RabbitMQ server is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct RabbitOptions {
    /// Whether to run the management plugin, on 127.0.0.1 at [`PrivateRabbit::management_url`].
    pub management: bool,
}

/// A RabbitMQ server of our own on 127.0.0.1, with the user `guest` and the virtual host `/`.
///
/// Dropping it kills it; durable data stays in the directory.
#[derive(Debug)]
pub struct PrivateRabbit {
    // Before the node, so that the processes have ended when the directory is unlocked.
    running: Mutex<Option<Running>>,
    pid: AtomicU32,
    node: Node,
}

/// The server and its port mapper; the order of the fields is the order in which they are killed.
#[derive(Debug)]
struct Running {
    broker: OwnedProcess,
    /// None for a node of a cluster, whose nodes share one.
    epmd: Option<OwnedProcess>,
}

impl PrivateRabbit {
    /// Starts a server without plugins on `dir`, which must be its own. It is up when this returns.
    ///
    /// # Errors
    /// [`ServerError::NotInstalled`], [`ServerError::InUse`] if another live program has a server on `dir`,
    /// [`ServerError::Exited`] or [`ServerError::Deadline`] (120 s) if the server does not come up,
    /// [`ServerError::NoPort`], [`ServerError::Io`].
    pub async fn start(dir: &Path) -> Result<Self, ServerError> {
        Self::start_with(dir, RabbitOptions::default()).await
    }

    /// As [`Self::start`], with options.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(dir: &Path, options: RabbitOptions) -> Result<Self, ServerError> {
        Self::start_node(dir, options, None).await
    }

    /// Starts one node, by itself or as one that will be joined with others.
    async fn start_node(
        dir: &Path,
        options: RabbitOptions,
        shared: Option<Shared>,
    ) -> Result<Self, ServerError> {
        let mut node = Node::prepare(Directory::open(dir)?, options.management, shared)?;
        let mut remembered = node
            .directory
            .recall_ports::<4>()
            .filter(|ports| are_free(ports));
        for _ in 0..START_TRIES {
            let no_port = ServerError::NoPort { server: SERVER };
            node.ports = Ports::from(remembered.take().or_else(free_ports).ok_or(no_port)?);
            if let Some(shared) = &node.shared {
                node.ports.epmd = shared.epmd;
            }
            if let Some(running) = launch(&node).await? {
                node.directory.remember_ports(&node.ports.all())?;
                let pid = AtomicU32::new(running.broker.pid());
                return Ok(Self {
                    running: Mutex::new(Some(running)),
                    pid,
                    node,
                });
            }
        }
        Err(ServerError::NoPort { server: SERVER })
    }

    /// The AMQP URL as `guest`, the same over restarts of this value.
    pub fn url(&self) -> String {
        self.url_as("guest", "guest")
    }

    /// The AMQP URL as another user; name and password must need no escaping in a URL.
    pub fn url_as(&self, name: &str, password: &str) -> String {
        format!(
            "amqp://{name}:{password}@127.0.0.1:{}/%2f",
            self.node.ports.amqp
        )
    }

    /// The address of the management pages, if the plugin is on.
    pub fn management_url(&self) -> Option<String> {
        self.node
            .management
            .then(|| format!("http://127.0.0.1:{}", self.node.ports.management))
    }

    /// The AMQP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.node.ports.amqp
    }

    /// The process id of the server; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.node.log()
    }

    /// Waits until the running server ends, by whatever cause, and returns how; at once if it is stopped. Cancel-safe.
    pub async fn ended(&self) -> String {
        let running = self.running.lock().await;
        let ended = running.as_ref().map(|running| running.broker.ended());
        drop(running);
        match ended {
            Some(ended) => ended.await,
            None => "stopped".to_owned(),
        }
    }

    /// Stops the server in order and returns when its processes are gone, at most after about 60 s, when they are
    /// killed. Does nothing if it is stopped.
    pub async fn stop(&self) {
        self.end("TERM").await;
    }

    /// Kills the server with SIGKILL and returns when its processes are gone.
    pub async fn kill(&self) {
        self.end("KILL").await;
    }

    /// Stops the server if it runs, and starts it on the same ports and data.
    ///
    /// # Errors
    /// As [`Self::start`]; [`ServerError::NoPort`] if somebody took a port meanwhile.
    pub async fn restart(&self) -> Result<(), ServerError> {
        self.stop().await;
        let mut held = self.running.lock().await;
        let running = launch(&self.node)
            .await?
            .ok_or(ServerError::NoPort { server: SERVER })?;
        self.pid.store(running.broker.pid(), Ordering::Relaxed);
        *held = Some(running);
        Ok(())
    }

    /// Stops the server, deletes everything that it kept (queues, users, permissions), and starts it on the same ports.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub async fn wipe(&self) -> Result<(), ServerError> {
        self.kill().await;
        let data = self.node.data();
        fs::remove_dir_all(&data).map_err(ServerError::io("removing", data))?;
        self.restart().await
    }

    async fn end(&self, signal: &str) {
        let mut held = self.running.lock().await;
        if let Some(Running { broker, epmd }) = held.take() {
            broker.stop(signal, STOP_DEADLINE).await;
            if let Some(epmd) = epmd {
                epmd.kill().await;
            }
            self.pid.store(0, Ordering::Relaxed);
        }
    }
}

/// Starts port mapper and server and waits until it speaks AMQP; `None` if a port was taken.
async fn launch(node: &Node) -> Result<Option<Running>, ServerError> {
    node.write_files()?;
    let log = node.directory.log("server.log")?;
    let share = || {
        log.try_clone()
            .map_err(ServerError::io("sharing", node.log()))
    };
    let before = log
        .metadata()
        .map_err(ServerError::io("reading", node.log()))?
        .len();

    let epmd = match node.shared {
        Some(_) => None,
        None => Some(start_epmd(node.ports.epmd, node.environment(), (share()?, share()?)).await?),
    };

    let (out, err) = (share()?, share()?);
    let broker = OwnedProcess::start(
        &[],
        &rabbit_program("rabbitmq-server")?,
        "KILL",
        |command| {
            command
                .env_clear()
                .envs(node.environment())
                .envs(SERVER_ENVIRONMENT);
            command
                .current_dir(node.directory.path())
                .stdout(out)
                .stderr(err);
        },
    )
    .await?;
    let running = Running { broker, epmd };
    let processes: Vec<&OwnedProcess> = [Some(&running.broker), running.epmd.as_ref()]
        .into_iter()
        .flatten()
        .collect();
    node.directory.record(&processes)?;
    match wait_until_up(node, &running).await {
        Ok(()) => Ok(Some(running)),
        Err(ServerError::Exited { .. }) if node.port_was_taken(before) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A port mapper of our own.
async fn start_epmd(
    port: u16,
    environment: Vec<(&'static str, String)>,
    (out, err): (fs::File, fs::File),
) -> Result<OwnedProcess, ServerError> {
    OwnedProcess::start(&[], &epmd_program()?, "KILL", |command| {
        command.args(["-port", &port.to_string(), "-address", "127.0.0.1"]);
        command
            .env_clear()
            .envs(environment)
            .current_dir("/")
            .stdout(out)
            .stderr(err);
    })
    .await
}

async fn wait_until_up(node: &Node, running: &Running) -> Result<(), ServerError> {
    let start = Instant::now();
    while start.elapsed() < START_DEADLINE {
        let epmd = || running.epmd.as_ref().and_then(OwnedProcess::outcome);
        if let Some(outcome) = running.broker.outcome().or_else(epmd) {
            return Err(ServerError::Exited {
                server: SERVER,
                outcome,
                log: node.log(),
                tail: tail(&node.log()),
            });
        }
        if handshake::answers(node.ports.amqp, node.greetings()).await {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(ServerError::Deadline {
        server: SERVER,
        wanted: "up",
        within: START_DEADLINE,
        log: node.log(),
    })
}
