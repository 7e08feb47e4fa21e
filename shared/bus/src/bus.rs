//! The handle on one supervised connection.

use std::{fmt, sync::Arc, time::Duration};

use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    consume::{ConsumeOptions, Consumer},
    error::BusError,
    handler::Handler,
    link::Link,
    publish::{OpenChannel, Publisher},
    supervisor::Supervisor,
    topology::Topology,
};

/// The client keeps 64 frames of room from the start: at the broker's own 128 KiB that is 8 MiB for each connection, and bells are small.
/// No less than RabbitMQ 4 takes.
const FRAME_MAX: u32 = 16 * 1024;

/// One connection of a program to the broker.
#[derive(Debug, Clone)]
pub struct BusConfig {
    /// `amqp://` or `amqps://`, with user, password and percent-encoded virtual host; or one such URL for each node of a
    /// cluster, separated by commas. After a failure the next one is tried, in this order.
    pub url: SecretString,
    /// What operators see in the broker's list of connections, and the `connection` label of metrics: program and role,
    /// for example `intake.publish`.
    pub connection_name: String,
    /// Heartbeat interval asked of the broker, in whole seconds; a silent peer is given up after two of them.
    pub heartbeat: Duration,
    /// What is declared at each connect; empty for a program that only publishes to exchanges of others.
    pub topology: Topology,
}

impl BusConfig {
    /// A configuration with a heartbeat of 20 s.
    pub fn new(url: SecretString, connection_name: impl Into<String>, topology: Topology) -> Self {
        const HEARTBEAT: Duration = Duration::from_secs(20);
        Self {
            url,
            connection_name: connection_name.into(),
            heartbeat: HEARTBEAT,
            topology,
        }
    }

    /// At least one.
    fn uris(&self) -> Result<Vec<AMQPUri>, BusError> {
        let urls = self.url.expose_secret().split(',').map(str::trim);
        urls.map(|url| {
            let mut uri: AMQPUri = url.parse().map_err(|_| BusError::BadUrl)?;
            uri.query.frame_max = Some(uri.query.frame_max.unwrap_or(FRAME_MAX));
            uri.query.heartbeat = Some(
                u16::try_from(self.heartbeat.as_secs())
                    .unwrap_or(u16::MAX)
                    .max(1),
            );
            Ok(uri)
        })
        .collect()
    }
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusState {
    /// Not connected; the supervisor tries, with backoff.
    Connecting,
    /// Connected, and the topology is declared.
    Up,
    /// Connected, but the broker (memory or disk alarm) takes no messages from this connection. Consuming goes on.
    Blocked {
        /// Since when.
        since: Instant,
    },
    /// Ended by the token; it does not come back.
    Closed,
}

/// A supervised connection. Clones share it; when the last clone, publisher and consumer is gone it is closed.
#[derive(Clone)]
pub struct Bus {
    pub(crate) shared: Arc<Shared>,
}

/// What bus, publishers and consumers share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) link: watch::Receiver<Option<Arc<Link>>>,
    pub(crate) state: watch::Receiver<BusState>,
    pub(crate) publishing: Mutex<Option<OpenChannel>>,
    _stop_when_unused: DropGuard,
}

impl Bus {
    /// Starts the supervisor; it connects in the background. Needs a tokio runtime. `stop` ends it: drain consumers and
    /// finish publishing first, then cancel, then await [`Bus::closed`].
    ///
    /// # Errors
    /// [`BusError::BadUrl`].
    pub fn start(config: BusConfig, stop: &CancellationToken) -> Result<Self, BusError> {
        // The same provider for every TLS client of the process; a second installation is refused, which is fine.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let uris = config.uris()?;
        let stop = stop.child_token();
        let (supervisor, link, state) = Supervisor::new(uris, &config, stop.clone());
        tokio::spawn(supervisor.run());
        let name = config.connection_name;
        let publishing = Mutex::default();
        let shared = Shared {
            name,
            link,
            state,
            publishing,
            _stop_when_unused: stop.drop_guard(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The state, and its changes.
    pub fn state(&self) -> watch::Receiver<BusState> {
        self.shared.state.clone()
    }

    /// Waits until the connection is up (or blocked); false if it was closed for good. Cancel-safe.
    pub async fn up(&self) -> bool {
        let wanted = |state: &BusState| !matches!(state, BusState::Connecting);
        let mut state = self.state();
        state
            .wait_for(wanted)
            .await
            .is_ok_and(|state| *state != BusState::Closed)
    }

    /// Waits until the supervisor has ended. Cancel-safe.
    pub async fn closed(&self) {
        // An error means that the supervisor is gone, which is the same.
        let _ = self
            .state()
            .wait_for(|state| *state == BusState::Closed)
            .await;
    }

    /// The publisher of this connection; clones share one channel.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.clone())
    }

    /// Starts a consumer that resumes after every reconnect, until it is drained or dropped.
    pub fn consume(&self, options: ConsumeOptions, handler: Arc<dyn Handler>) -> Consumer {
        Consumer::start(self.clone(), options, handler)
    }

    pub(crate) fn is_blocked(&self) -> bool {
        matches!(*self.shared.state.borrow(), BusState::Blocked { .. })
    }

    pub(crate) fn link(&self) -> Result<Arc<Link>, BusError> {
        self.shared
            .link
            .borrow()
            .clone()
            .ok_or(BusError::NotConnected)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("name", &self.shared.name)
            .field("state", &*self.shared.state.borrow())
            .finish()
    }
}
