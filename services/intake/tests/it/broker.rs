//! The broker that the tests take turns with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sever_bus::{Bus, BusConfig, Outgoing, PublishOutcome, Topology, topology};
use sever_private_servers::PrivateRabbit;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

static BROKER: OnceCell<Mutex<PrivateRabbit>> = OnceCell::const_new();

/// The broker, with the publisher `hr` and the stranger `mallory`. One test at a time: they share the leaver queue.
pub(crate) async fn exclusive() -> MutexGuard<'static, PrivateRabbit> {
    let start = async || {
        let broker = PrivateRabbit::start(&fresh_directory()).await.unwrap();
        for name in ["hr", "mallory"] {
            broker
                .add_user(name, "pass", "^$", "^sever\\.in$", "^$")
                .await
                .unwrap();
        }
        Mutex::new(broker)
    };
    BROKER.get_or_init(start).await.lock().await
}

/// A static is never dropped, so each run removes the directories of runs that have ended.
fn fresh_directory() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in std::fs::read_dir(parent).unwrap().filter_map(Result::ok) {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix("intake-broker-"));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    parent.join(format!("intake-broker-{}", std::process::id()))
}

/// A connection as the service's own user, with the topology declared.
pub(crate) async fn service_bus(broker: &PrivateRabbit) -> Bus {
    connect(broker.url(), Topology::new(&["okta"])).await
}

/// Publishes as a source would, and waits for the confirm. `claimed` is the user-id property.
pub(crate) async fn publish(
    broker: &PrivateRabbit,
    user: &str,
    claimed: Option<&str>,
    body: &[u8],
) {
    let bus = connect(broker.url_as(user, "pass"), Topology::default()).await;
    let message = Outgoing {
        exchange: topology::EXCHANGE_IN.to_owned(),
        routing_key: format!("leaver.{user}"),
        message_id: uuid::Uuid::now_v7(),
        body: body.to_vec(),
        content_type: Some("application/cloudevents+json".to_owned()),
        type_: None,
        user_id: claimed.map(ToOwned::to_owned),
        headers: Default::default(),
    };
    let outcomes = bus.publisher().publish_all(vec![message]).await.unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == PublishOutcome::Confirmed),
        "{outcomes:?}"
    );
}

async fn connect(url: String, topology: Topology) -> Bus {
    let config = BusConfig::new(url.into(), "intake.test", topology);
    let bus = Bus::start(config, &CancellationToken::new()).unwrap();
    let up = tokio::time::timeout(PATIENCE, bus.up()).await;
    assert!(up.unwrap());
    bus
}

/// Looks again and again until the condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, looking).await;
    assert!(seen.is_ok(), "it did not happen in time: {what}");
}
