//! A cluster of three nodes whose nodes are killed in turn under load: is every confirmed message delivered, and does
//! the work go on without its leader?

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use sever_bus::{
    Bus, BusConfig, ConsumeOptions, Delivery, Disposition, Handler, Outgoing, PublishOutcome,
    Topology, topology,
};
use sever_private_servers::PrivateCluster;
use sever_tests::until;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ground::directory;

/// Nodes of the cluster.
const NODES: usize = 3;
/// Publishers, each with its own connection and a first choice of its own among the nodes.
const PUBLISHERS: usize = NODES;
/// Messages that a publisher sends at once.
const BATCH: usize = 16;
/// The pause between two batches: a steady load, not a benchmark.
const PAUSE: Duration = Duration::from_millis(20);
/// The provider whose work queue is used.
const PROVIDER: &str = "okta";
/// How long everything that was confirmed may take to come out again.
const DRAINED_MAX: Duration = Duration::from_secs(180);

/// What a run found.
#[derive(Debug)]
pub struct ClusterReport {
    /// Nodes killed.
    pub kills: usize,
    /// Messages that the broker confirmed.
    pub confirmed: usize,
    /// Confirmed messages that never came out.
    pub lost: usize,
    /// Deliveries beyond the first one of a message.
    pub duplicates: u64,
    /// The longest time without any confirm.
    pub longest_pause: Duration,
}

impl ClusterReport {
    /// Whether nothing was lost, and something was sent.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.confirmed > 0
    }

    /// One line.
    #[must_use]
    pub fn json(&self) -> String {
        json!({
            "nodes": NODES, "kills": self.kills, "confirmed": self.confirmed, "lost": self.lost,
            "duplicates": self.duplicates, "longest_pause_s": (self.longest_pause.as_secs_f64() * 10.0).round() / 10.0,
        })
        .to_string()
    }
}

/// What was sent and what came.
#[derive(Debug, Default)]
struct Ledger {
    /// By message: whether it was confirmed, and how often it was delivered.
    messages: HashMap<Uuid, (bool, u64)>,
    last_confirm: Option<Instant>,
    longest_pause: Duration,
}

type Shared = Arc<Mutex<Ledger>>;

fn ledger(shared: &Shared) -> std::sync::MutexGuard<'_, Ledger> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a cluster below `base`, kills each node once while messages flow, for `between` each, and reads everything out.
///
/// # Errors
/// What could not be started.
pub async fn cluster(base: &Path, between: Duration) -> anyhow::Result<ClusterReport> {
    let data = directory(base)?;
    let cluster = PrivateCluster::start(data.path(), NODES).await?;
    let (shared, stop, end) = (
        Shared::default(),
        CancellationToken::new(),
        CancellationToken::new(),
    );
    let mut publishers = JoinSet::new();
    for first in 0..PUBLISHERS {
        let bus = connect(&cluster, first, "publish", &end)?;
        anyhow::ensure!(bus.up().await, "the bus was closed");
        publishers.spawn(publish(bus, Arc::clone(&shared), stop.clone()));
    }
    let consuming = connect(&cluster, 1, "consume", &end)?;
    let options = ConsumeOptions {
        queue: topology::work_queue(PROVIDER),
        prefetch: 64,
        tag: "cluster".to_owned(),
    };
    let consumer = consuming.consume(options, Arc::new(Counts(Arc::clone(&shared))));
    for node in cluster.nodes() {
        tokio::time::sleep(between).await;
        node.kill().await;
        tokio::time::sleep(between).await;
        node.restart().await?;
    }
    tokio::time::sleep(between).await;
    stop.cancel();
    while publishers.join_next().await.is_some() {}
    // Not within the time: the report counts what is missing.
    let _ = until("every confirmed message has come", DRAINED_MAX, || async {
        Ok((missing(&shared) == 0).then_some(()))
    })
    .await;
    consumer.drain(Duration::from_secs(5)).await;
    end.cancel();
    let found = ledger(&shared);
    let delivered = found.messages.values();
    Ok(ClusterReport {
        kills: NODES,
        confirmed: delivered
            .clone()
            .filter(|(confirmed, _)| *confirmed)
            .count(),
        lost: delivered
            .clone()
            .filter(|(confirmed, times)| *confirmed && *times == 0)
            .count(),
        duplicates: delivered.map(|(_, times)| times.saturating_sub(1)).sum(),
        longest_pause: found.longest_pause,
    })
}

fn missing(shared: &Shared) -> usize {
    let found = ledger(shared);
    let missing = found
        .messages
        .values()
        .filter(|(confirmed, times)| *confirmed && *times == 0);
    missing.count()
}

/// A connection whose first choice is node `first`.
fn connect(
    cluster: &PrivateCluster,
    first: usize,
    role: &str,
    end: &CancellationToken,
) -> anyhow::Result<Bus> {
    let urls = cluster.urls();
    let mut urls: Vec<&str> = urls.split(',').collect();
    urls.rotate_left(first % NODES);
    let topology = Topology::new(&[PROVIDER]);
    let config = BusConfig::new(urls.join(",").into(), format!("cluster.{role}"), topology);
    Bus::start(config, end).context("connecting to the cluster")
}

async fn publish(bus: Bus, shared: Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let ids: Vec<Uuid> = (0..BATCH).map(|_| Uuid::now_v7()).collect();
        ledger(&shared)
            .messages
            .extend(ids.iter().map(|id| (*id, (false, 0))));
        let messages = ids.iter().map(message).collect();
        let outcomes = bus
            .publisher()
            .publish_all(messages)
            .await
            .unwrap_or_default();
        note(&shared, &ids, &outcomes);
        tokio::time::sleep(PAUSE).await;
    }
}

fn note(shared: &Shared, ids: &[Uuid], outcomes: &[PublishOutcome]) {
    let mut found = ledger(shared);
    for (id, outcome) in ids.iter().zip(outcomes) {
        if *outcome == PublishOutcome::Confirmed {
            found.messages.entry(*id).or_default().0 = true;
            let now = Instant::now();
            let pause = found.last_confirm.map_or(Duration::ZERO, |last| now - last);
            found.longest_pause = found.longest_pause.max(pause);
            found.last_confirm = Some(now);
        }
    }
}

fn message(id: &Uuid) -> Outgoing {
    Outgoing {
        exchange: topology::EXCHANGE_CMD.to_owned(),
        routing_key: topology::work_key(PROVIDER),
        message_id: *id,
        body: id.to_string().into_bytes(),
        content_type: None,
        type_: None,
        user_id: None,
        headers: std::collections::BTreeMap::new(),
    }
}

/// Counts deliveries.
struct Counts(Shared);

impl Handler for Counts {
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition> {
        async move {
            if let Ok(id) = Uuid::try_parse_ascii(&delivery.body) {
                ledger(&self.0).messages.entry(id).or_default().1 += 1;
            }
            Disposition::Ack
        }
        .boxed()
    }
}
