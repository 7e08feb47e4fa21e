//! The broker that the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sever_bus::{Bus, BusConfig, Topology};
use sever_private_servers::PrivateRabbit;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;

/// Longer than any deadline of the bus with one retry behind it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

static BROKER: OnceCell<RwLock<PrivateRabbit>> = OnceCell::const_new();

/// The broker, for a test that leaves it alone; such tests run beside each other.
pub(crate) async fn shared() -> RwLockReadGuard<'static, PrivateRabbit> {
    broker().await.read().await
}

/// The broker, for a test that restarts, wipes or alarms it.
pub(crate) async fn exclusive() -> RwLockWriteGuard<'static, PrivateRabbit> {
    broker().await.write().await
}

async fn broker() -> &'static RwLock<PrivateRabbit> {
    BROKER
        .get_or_init(|| async {
            RwLock::new(PrivateRabbit::start(&fresh_directory()).await.unwrap())
        })
        .await
}

/// A static is never dropped, so each run removes the directories of runs that have ended.
fn fresh_directory() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in fs::read_dir(parent).unwrap().filter_map(Result::ok) {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix("broker-").map(str::to_owned));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    parent.join(format!("broker-{}", std::process::id()))
}

/// A bus of its own with the topology of one made-up provider; closed when dropped.
pub(crate) async fn bus(url: String, provider: &str) -> Bus {
    bus_with(url, provider, Topology::new(&[provider])).await
}

pub(crate) async fn bus_with(url: String, name: &str, topology: Topology) -> Bus {
    let config = BusConfig::new(url.into(), format!("test.{name}"), topology);
    let bus = Bus::start(config, &CancellationToken::new()).unwrap();
    assert!(within(bus.up()).await);
    bus
}

/// Waits for what must happen, and fails the test if it does not.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it did not happen in time")
}

/// Looks again and again until the condition holds.
pub(crate) async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    within(async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
