//! Events from RabbitMQ: acked once committed or kept as rejected, held while the database is away.

use std::sync::Arc;

use serde_json::json;
use sever_bus::{Bus, ConsumeOptions, Consumer, topology};
use sever_dispatch::Waker;
use sever_intake::LeaverEvents;
use tokio_util::sync::CancellationToken;

use crate::broker::{PATIENCE, eventually, exclusive, publish, service_bus};
use crate::contract::examples;
use crate::fixture::{Fixture, leaver};

fn consume(bus: &Bus, fixture: &Fixture, soft: &CancellationToken) -> Consumer {
    let handler = LeaverEvents::new(fixture.store.clone(), Waker::default(), soft.clone());
    let options = ConsumeOptions {
        queue: topology::QUEUE_LEAVER.to_owned(),
        prefetch: 4,
        tag: "test".to_owned(),
    };
    bus.consume(options, Arc::new(handler))
}

/// Messages that are ready in a queue. Once a consumer is drained, what it did not ack is ready again.
async fn ready(bus: &Bus, queue: &str) -> u32 {
    bus.queue_depth(queue).await.unwrap().unwrap().messages
}

#[tokio::test]
async fn the_examples_are_taken_in_and_acked() {
    let broker = exclusive().await;
    let (fixture, bus) = (Fixture::new().await, service_bus(&broker).await);
    let consumer = consume(&bus, &fixture, &CancellationToken::new());
    for (_, text) in examples() {
        let mut event: serde_json::Value = serde_json::from_str(&text).unwrap();
        // The dates of the examples grow old, and the clock of this machine is anybody's guess.
        if let Some(effective_at) = event.pointer_mut("/data/effective_at") {
            *effective_at = json!(jiff::Timestamp::now().to_string());
        }
        publish(&broker, "hr", Some("hr"), event.to_string().as_bytes()).await;
    }
    eventually("all are recorded", async || {
        fixture.count("request WHERE channel = 'amqp'").await == 4
    })
    .await;
    consumer.drain(PATIENCE).await;
    assert_eq!(ready(&bus, topology::QUEUE_LEAVER).await, 0, "acked");
    assert_eq!(fixture.count("intake_reject").await, 0);
    // The examples are one person who left and came back, and two whom nobody knows.
    assert_eq!(fixture.count("request WHERE state = 'unmatched'").await, 2);
    assert_eq!(fixture.count("employment_event").await, 2);
    assert_eq!(
        fixture
            .count("hold WHERE reason = 'newer_employment_event'")
            .await,
        1
    );
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_kept_acked_and_blocks_nobody() {
    let broker = exclusive().await;
    let (fixture, bus) = (Fixture::new().await, service_bus(&broker).await);
    let consumer = consume(&bus, &fixture, &CancellationToken::new());
    let event = leaver("e-1");
    let mut reused = event.clone();
    reused["data"]["employment_version"] = json!(2);
    let mut unknown_type = leaver("e-2");
    unknown_type["type"] = json!("sever.employment.promoted.v1");
    let mut ahead = leaver("e-3");
    ahead["data"]["effective_at"] = json!("2100-01-01T00:00:00Z");
    publish(&broker, "hr", Some("hr"), event.to_string().as_bytes()).await;
    eventually("the event is recorded", async || {
        fixture.count("request").await == 1
    })
    .await;
    for body in [
        reused.to_string(),
        unknown_type.to_string(),
        ahead.to_string(),
        "not json".to_owned(),
        format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024)),
    ] {
        publish(&broker, "hr", Some("hr"), body.as_bytes()).await;
    }
    publish(&broker, "hr", None, event.to_string().as_bytes()).await;
    publish(
        &broker,
        "mallory",
        Some("mallory"),
        event.to_string().as_bytes(),
    )
    .await;
    publish(
        &broker,
        "hr",
        Some("hr"),
        leaver("e-9").to_string().as_bytes(),
    )
    .await;
    eventually("the last one is recorded", async || {
        fixture.count("request").await == 2
    })
    .await;
    eventually("the bad ones are kept", async || {
        fixture.count("intake_reject").await == 7
    })
    .await;
    consumer.drain(PATIENCE).await;
    for queue in [topology::QUEUE_LEAVER, topology::QUEUE_DLQ_IN] {
        assert_eq!(ready(&bus, queue).await, 0, "{queue}");
    }
    let kept = fixture.database.sql("SELECT source_name, field, other_digest IS NOT NULL, body_bytes = octet_length(body) FROM intake_reject ORDER BY 1, 2 NULLS LAST, 4").await.unwrap();
    let expected = [
        "hr||f|f",
        "hr||f|t",
        "hr|/data/effective_at|f|t",
        "hr|/type|f|t",
        "hr||t|t",
        "mallory|user-id|f|t",
        "unknown|user-id|f|t",
    ];
    let mut kept: Vec<&str> = kept.lines().collect();
    let mut wanted = expected.to_vec();
    kept.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(kept, wanted);
}

#[tokio::test]
async fn while_the_database_is_away_an_event_waits_and_a_stop_gives_it_back() {
    let broker = exclusive().await;
    let (fixture, bus) = (Fixture::new().await, service_bus(&broker).await);
    let soft = CancellationToken::new();
    let consumer = consume(&bus, &fixture, &soft);
    fixture.database.take_away().await.unwrap();
    publish(
        &broker,
        "hr",
        Some("hr"),
        leaver("e-1").to_string().as_bytes(),
    )
    .await;
    eventually("it is held by the consumer", async || {
        ready(&bus, topology::QUEUE_LEAVER).await == 0
    })
    .await;
    soft.cancel();
    consumer.drain(PATIENCE).await;
    eventually("it is back in the queue", async || {
        ready(&bus, topology::QUEUE_LEAVER).await == 1
    })
    .await;
    fixture.database.bring_back().await.unwrap();
    let consumer = consume(&bus, &fixture, &CancellationToken::new());
    eventually("it is recorded", async || {
        fixture.count("request").await == 1
    })
    .await;
    consumer.drain(PATIENCE).await;
    assert_eq!(ready(&bus, topology::QUEUE_LEAVER).await, 0, "acked");
}
