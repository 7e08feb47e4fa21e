//! Keeps one connection alive: connect, declare, watch, drop on any error, back off, again.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use lapin::{Event, uri::AMQPUri};
use sever_backoff::Backoff;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bus::{BusConfig, BusState},
    declare::declare,
    error::BusError,
    link::Link,
    meter,
    topology::Topology,
};

const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(15);
const BACKOFF_JITTER: f64 = 0.5;
/// A connection that lived this long was a good one: the next failure starts at the shortest delay again.
const STABLE: Duration = Duration::from_secs(15);
/// How often the connection is looked at besides its events.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) struct Supervisor {
    /// The nodes; at least one.
    uris: Vec<AMQPUri>,
    name: String,
    topology: Topology,
    backoff: Backoff,
    stop: CancellationToken,
    link: watch::Sender<Option<Arc<Link>>>,
    state: watch::Sender<BusState>,
}

impl Supervisor {
    pub(crate) fn new(
        uris: Vec<AMQPUri>,
        config: &BusConfig,
        stop: CancellationToken,
    ) -> (
        Self,
        watch::Receiver<Option<Arc<Link>>>,
        watch::Receiver<BusState>,
    ) {
        let backoff = Backoff::new(BACKOFF_MIN, BACKOFF_MAX, BACKOFF_JITTER)
            .expect("the constants are a valid window");
        let (link, link_seen) = watch::channel(None);
        let (state, state_seen) = watch::channel(BusState::Connecting);
        let (name, topology) = (config.connection_name.clone(), config.topology.clone());
        (
            Self {
                uris,
                name,
                topology,
                backoff,
                stop,
                link,
                state,
            },
            link_seen,
            state_seen,
        )
    }

    pub(crate) async fn run(self) {
        let mut failures = 0_u32;
        // Nodes in turn: the one that failed is tried again after all the others.
        let mut nodes = self.uris.iter().cycle();
        while let Some(node) = nodes.next()
            && !self.stop.is_cancelled()
        {
            let started = Instant::now();
            if let Err(error) = self.connection(node).await {
                tracing::warn!(connection = %self.name, error = &error as &dyn std::error::Error, "no connection to the broker");
            }
            if self.stop.is_cancelled() {
                break;
            }
            meter::reconnects(&self.name);
            failures = if started.elapsed() >= STABLE {
                1
            } else {
                failures.saturating_add(1)
            };
            let delay = self.backoff.delay(failures, rand::random());
            // Ends early at a stop; the loop's condition sees it.
            let _ = tokio::time::timeout(delay, self.stop.cancelled()).await;
        }
        self.state.send_replace(BusState::Closed);
    }

    /// One connection from its start to its end. An error is one of the start; a lost connection was logged.
    async fn connection(&self, node: &AMQPUri) -> Result<(), BusError> {
        let open = async {
            let link = Link::open(node, &self.name).await?;
            declare(&link.channel().await?, &self.topology).await?;
            Ok(link)
        };
        let link = tokio::select! {
            opened = open => opened?,
            () = self.stop.cancelled() => return Ok(()),
        };
        let link = Arc::new(link);
        tracing::info!(connection = %self.name, node = %node.authority.host, port = node.authority.port, "connected to the broker");
        self.announce(Some(link.clone()), BusState::Up);
        self.watch(&link).await;
        self.announce(None, BusState::Connecting);
        if self.stop.is_cancelled() {
            link.close().await;
        }
        Ok(())
    }

    /// Returns when the connection has failed or shall end.
    async fn watch(&self, link: &Link) {
        let mut events = std::pin::pin!(link.events());
        // Its first tick comes at once, and sees what happened before the events were listened to.
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = link.failed() => return,
                event = events.next() => match event {
                    Some(event) => self.event(link, event),
                    None => link.fail(&"the client's event stream ended"),
                },
                _ = look.tick() => {
                    if !link.is_connected() {
                        link.fail(&"the connection is no longer open");
                    }
                }
            }
        }
    }

    fn event(&self, link: &Link, event: Event) {
        match event {
            Event::ConnectionBlocked(reason) => {
                tracing::warn!(connection = %self.name, reason, "the broker has blocked publishing");
                self.set(BusState::Blocked {
                    since: Instant::now(),
                });
            }
            Event::ConnectionUnblocked => {
                tracing::info!(connection = %self.name, "the broker takes messages again");
                self.set(BusState::Up);
            }
            // A channel's own error ends that channel and is seen by its owner.
            Event::Error(error) if !error.is_amqp_soft_error() => link.fail(&error),
            _ => {}
        }
    }

    fn announce(&self, link: Option<Arc<Link>>, state: BusState) {
        self.link.send_replace(link);
        self.set(state);
    }

    fn set(&self, state: BusState) {
        meter::connected(
            &self.name,
            matches!(state, BusState::Up | BusState::Blocked { .. }),
        );
        meter::blocked(&self.name, matches!(state, BusState::Blocked { .. }));
        self.state.send_if_modified(|current| {
            let was_blocked = matches!(current, BusState::Blocked { .. });
            // A second notice of the same alarm keeps the time of the first.
            let changed =
                *current != state && !(was_blocked && matches!(state, BusState::Blocked { .. }));
            if changed {
                *current = state;
            }
            changed
        });
    }
}
