//! Broker restart, loss of its data, alarm, and a peer that falls silent.

use std::{fs, time::Duration};

use sever_bus::{
    Bus, BusState, Disposition, MarkerState, PublishError, PublishOutcome,
    deadline::{CONFIRM, CONNECT},
    topology,
};
use tokio::time::Instant;

use crate::{
    broker::{bus, eventually, exclusive, within},
    proxy::Proxy,
    publish::options,
    script::{bell, scripted},
};

/// Publishes until the broker confirms, as the relay does.
async fn publish_at_last(bus: &Bus, provider: &str, body: &str) {
    eventually(async || {
        let outcomes = bus
            .publisher()
            .publish_all(vec![bell(provider, body)])
            .await;
        outcomes.is_ok_and(|outcomes| outcomes == [PublishOutcome::Confirmed])
    })
    .await;
}

async fn reaches(bus: &Bus, wanted: impl Fn(&BusState) -> bool) {
    within(bus.state().wait_for(wanted)).await.unwrap();
}

#[tokio::test]
async fn after_a_killed_broker_publisher_and_consumer_go_on() {
    let broker = exclusive().await;
    let bus = bus(broker.url(), "restart").await;
    let (handler, mut deliveries) = scripted();
    let consumer = bus.consume(options("restart", 2), handler);
    publish_at_last(&bus, "restart", "before").await;
    within(deliveries.recv())
        .await
        .unwrap()
        .answer(Disposition::Ack);

    broker.kill().await;
    reaches(&bus, |state| *state == BusState::Connecting).await;
    assert_eq!(
        bus.publisher()
            .publish_all(vec![bell("restart", "x")])
            .await,
        Err(PublishError::NotConnected)
    );
    broker.restart().await.unwrap();

    publish_at_last(&bus, "restart", "after").await;
    let mut seen = within(deliveries.recv()).await.unwrap();
    // The ack of the first one may have died with the broker.
    while seen.text() == "before" {
        seen.answer(Disposition::Ack);
        seen = within(deliveries.recv()).await.unwrap();
    }
    assert_eq!(seen.text(), "after");
    seen.answer(Disposition::Ack);
    assert_eq!(
        within(consumer.drain(Duration::from_secs(10)))
            .await
            .abandoned,
        0
    );
}

#[tokio::test]
async fn a_wiped_broker_is_noticed_and_the_topology_comes_back() {
    let broker = exclusive().await;
    let bus = bus(broker.url(), "wipe").await;
    bus.declare_marker().await.unwrap();
    assert_eq!(bus.check_marker().await.unwrap(), MarkerState::Present);
    publish_at_last(&bus, "wipe", "gone").await;

    broker.wipe().await.unwrap();
    let mut depth = None;
    eventually(async || {
        depth = bus
            .queue_depth(&topology::work_queue("wipe"))
            .await
            .ok()
            .flatten();
        depth.is_some()
    })
    .await;

    assert_eq!(depth.unwrap().messages, 0, "the message went with the data");
    assert_eq!(bus.check_marker().await.unwrap(), MarkerState::Missing);
    bus.declare_marker().await.unwrap();
    assert_eq!(bus.check_marker().await.unwrap(), MarkerState::Present);
}

#[tokio::test]
async fn an_alarm_blocks_publishing_until_it_ends() {
    let broker = exclusive().await;
    let bus = bus(broker.url(), "alarm").await;
    publish_at_last(&bus, "alarm", "1").await;

    broker.set_alarm(true).await.unwrap();
    // The broker says so at the first message that meets the alarm, whose outcome stays open.
    let open = within(bus.publisher().publish_all(vec![bell("alarm", "2")]))
        .await
        .unwrap();
    assert_eq!(open, [PublishOutcome::Unknown]);
    reaches(&bus, |state| matches!(state, BusState::Blocked { .. })).await;
    let asked = Instant::now();
    assert_eq!(
        bus.publisher().publish_all(vec![bell("alarm", "3")]).await,
        Err(PublishError::Blocked)
    );
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "a blocked publisher must not wait"
    );

    broker.set_alarm(false).await.unwrap();
    reaches(&bus, |state| *state == BusState::Up).await;
    publish_at_last(&bus, "alarm", "4").await;
}

#[tokio::test]
async fn a_silent_peer_costs_no_more_than_the_deadlines_and_leaves_no_thread_behind() {
    let broker = exclusive().await;
    let proxy = Proxy::start(broker.port()).await;
    let bus = bus(
        format!("amqp://guest:guest@{}/%2f", proxy.address),
        "silent",
    )
    .await;
    publish_at_last(&bus, "silent", "1").await;

    proxy.set_silent(true);
    let asked = Instant::now();
    let outcome = within(bus.publisher().publish_all(vec![bell("silent", "2")]))
        .await
        .unwrap();
    assert_eq!(outcome, [PublishOutcome::Unknown]);
    assert!(
        asked.elapsed() < CONFIRM + Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    reaches(&bus, |state| *state == BusState::Connecting).await;

    // Two attempts to connect run into their deadline; each must end its thread.
    tokio::time::timeout(
        2 * CONNECT + Duration::from_secs(4),
        std::future::pending::<()>(),
    )
    .await
    .unwrap_err();
    eventually(async || client_threads() <= 1).await;

    proxy.set_silent(false);
    reaches(&bus, |state| *state == BusState::Up).await;
    publish_at_last(&bus, "silent", "3").await;
}

/// Threads of the AMQP client in this program; no other test has a connection while this one has the broker.
fn client_threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(Result::ok);
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names
        .filter(|name| name.starts_with("lapin-io-loop"))
        .count()
}
