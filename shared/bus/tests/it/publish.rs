//! Confirms, returns and the broker's check of user ids.

use std::collections::BTreeMap;

use sever_bus::{
    Bus, BusConfig, ConsumeOptions, Disposition, Outgoing, PublishError, PublishOutcome, Topology,
    topology,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    broker::{bus, bus_with, eventually, shared, within},
    script::{bell, scripted},
};

#[tokio::test]
async fn a_confirmed_message_arrives_whole() {
    let broker = shared().await;
    let bus = bus(broker.url(), "whole").await;
    let message = Outgoing {
        content_type: Some("application/json".into()),
        type_: Some("bell".into()),
        headers: BTreeMap::from([("sever-kind".into(), "job".into())]),
        ..bell("whole", "7")
    };
    let outcomes = bus
        .publisher()
        .publish_all(vec![message.clone()])
        .await
        .unwrap();
    assert_eq!(outcomes, [PublishOutcome::Confirmed]);

    let (handler, mut deliveries) = scripted();
    let consumer = bus.consume(options("whole", 1), handler);
    let waiting = within(deliveries.recv()).await.unwrap();
    let delivery = waiting.delivery.clone();
    assert_eq!(
        (delivery.exchange, delivery.routing_key),
        (message.exchange, message.routing_key)
    );
    assert_eq!(delivery.message_id, Some(message.message_id.to_string()));
    assert_eq!(
        (delivery.body, delivery.content_type),
        (message.body, message.content_type)
    );
    assert_eq!(
        (delivery.type_, delivery.headers),
        (message.type_, message.headers)
    );
    assert_eq!(
        (
            delivery.user_id,
            delivery.redelivered,
            delivery.delivery_count
        ),
        (None, false, None)
    );
    waiting.answer(Disposition::Ack);
    within(consumer.drain(std::time::Duration::from_secs(10))).await;
    assert_eq!(
        bus.queue_depth(&topology::work_queue("whole"))
            .await
            .unwrap()
            .unwrap()
            .messages,
        0
    );
}

/// More than one window, with returns in between: each return must be told of its own message.
#[tokio::test]
async fn exactly_the_unroutable_messages_are_returned() {
    const COUNT: usize = 600;
    let broker = shared().await;
    let bus = bus(broker.url(), "routes").await;
    let goes_nowhere = |index: usize| index % 7 == 3;
    let messages: Vec<Outgoing> = (0..COUNT)
        .map(|index| {
            let to = if goes_nowhere(index) {
                "nobody"
            } else {
                "routes"
            };
            bell(to, index.to_string())
        })
        .collect();

    let outcomes = bus.publisher().publish_all(messages).await.unwrap();

    for (index, outcome) in outcomes.iter().enumerate() {
        let returned = matches!(
            outcome,
            PublishOutcome::Returned {
                reply_code: 312,
                ..
            }
        );
        assert_eq!(
            returned,
            goes_nowhere(index),
            "message {index}: {outcome:?}"
        );
        assert!(
            returned || *outcome == PublishOutcome::Confirmed,
            "message {index}: {outcome:?}"
        );
    }
    let routed = (0..COUNT).filter(|index| !goes_nowhere(*index)).count();
    let depth = bus
        .queue_depth(&topology::work_queue("routes"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(usize::try_from(depth.messages).unwrap(), routed);
}

#[tokio::test]
async fn a_user_id_is_delivered_when_true_and_refused_when_false() {
    let broker = shared().await;
    broker
        .add_user("hr", "pass", "^$", "^sever\\.in$", "^$")
        .await
        .unwrap();
    let ours = bus(broker.url(), "intake").await;
    let theirs = bus_with(broker.url_as("hr", "pass"), "hr", Topology::default()).await;
    let leaver = |claimed: &str, body: &str| Outgoing {
        exchange: topology::EXCHANGE_IN.into(),
        routing_key: "leaver.hr".into(),
        message_id: Uuid::now_v7(),
        user_id: Some(claimed.into()),
        body: body.into(),
        ..Outgoing::default()
    };

    let lied = theirs
        .publisher()
        .publish_all(vec![leaver("payroll", "lie")])
        .await
        .unwrap();
    assert_eq!(lied, [PublishOutcome::Unknown]);
    // The refusal cost the connection; the next one works.
    let mut told = None;
    eventually(async || {
        told = theirs
            .publisher()
            .publish_all(vec![leaver("hr", "truth")])
            .await
            .ok();
        told.is_some()
    })
    .await;
    assert_eq!(told.unwrap(), [PublishOutcome::Confirmed]);

    let (handler, mut deliveries) = scripted();
    let options = ConsumeOptions {
        queue: topology::QUEUE_LEAVER.into(),
        prefetch: 10,
        tag: "intake".into(),
    };
    let _consumer = ours.consume(options, handler);
    let first = within(deliveries.recv()).await.unwrap();
    assert_eq!(
        (first.text().as_str(), first.delivery.user_id.as_deref()),
        ("truth", Some("hr"))
    );
    first.answer(Disposition::Ack);
}

#[tokio::test]
async fn without_a_broker_publishing_says_so_at_once() {
    let nowhere = "amqp://guest:guest@127.0.0.1:1/%2f".to_owned();
    let config = BusConfig::new(nowhere.into(), "test.nowhere", Topology::default());
    let bus = Bus::start(config, &CancellationToken::new()).unwrap();
    let refused = bus.publisher().publish_all(vec![bell("okta", "1")]).await;
    assert_eq!(refused, Err(PublishError::NotConnected));
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_showing_it() {
    let config = BusConfig::new(
        "amqp://user:hunter2@:bad".to_owned().into(),
        "test.bad",
        Topology::default(),
    );
    let refused = Bus::start(config, &CancellationToken::new()).unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
}

pub(crate) fn options(provider: &str, prefetch: u16) -> ConsumeOptions {
    ConsumeOptions {
        queue: topology::work_queue(provider),
        prefetch,
        tag: format!("test.{provider}"),
    }
}
