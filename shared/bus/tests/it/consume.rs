//! Concurrency, settling, drain, panics, lost connections.

use std::{pin::Pin, time::Duration};

use futures::FutureExt;
use sever_bus::{Bus, ConsumeOptions, Consumer, Disposition, Drained, topology};

use crate::{
    broker::{bus, eventually, shared, within},
    publish::options,
    script::{bell, scripted},
};

const LONG: Duration = Duration::from_secs(30);

async fn publish(bus: &Bus, provider: &str, count: usize) {
    let messages = (0..count)
        .map(|index| bell(provider, index.to_string()))
        .collect();
    bus.publisher().publish_all(messages).await.unwrap();
}

async fn depth(bus: &Bus, queue: &str) -> u32 {
    bus.queue_depth(queue).await.unwrap().unwrap().messages
}

/// A drain that has been asked for when this returns; it goes on when awaited.
fn asked(consumer: Consumer, limit: Duration) -> Pin<Box<dyn Future<Output = Drained>>> {
    let mut drain: Pin<Box<dyn Future<Output = Drained>>> = Box::pin(consumer.drain(limit));
    assert!(drain.as_mut().now_or_never().is_none());
    drain
}

#[tokio::test]
async fn prefetch_bounds_the_handlers_and_a_drain_takes_no_more() {
    let broker = shared().await;
    let bus = bus(broker.url(), "bounded").await;
    publish(&bus, "bounded", 12).await;
    let (handler, mut deliveries) = scripted();
    let consumer = bus.consume(options("bounded", 4), handler);
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(within(deliveries.recv()).await.unwrap());
    }
    eventually(async || depth(&bus, &topology::work_queue("bounded")).await == 8).await;
    assert!(
        deliveries.try_recv().is_err(),
        "a fifth handler was started"
    );

    let drain = asked(consumer, LONG);
    running
        .into_iter()
        .for_each(|waiting| waiting.answer(Disposition::Ack));

    assert_eq!(within(drain).await, Drained { abandoned: 0 });
    assert!(
        deliveries.recv().await.is_none(),
        "a handler was started during the drain"
    );
    eventually(async || depth(&bus, &topology::work_queue("bounded")).await == 8).await;
}

#[tokio::test]
async fn a_handler_slower_than_the_drain_is_abandoned_and_its_message_comes_again() {
    let broker = shared().await;
    let bus = bus(broker.url(), "slow").await;
    publish(&bus, "slow", 2).await;
    let (handler, mut deliveries) = scripted();
    let consumer = bus.consume(options("slow", 2), handler);
    let (returned, never) = (
        within(deliveries.recv()).await.unwrap(),
        within(deliveries.recv()).await.unwrap(),
    );
    let drain = asked(consumer, Duration::from_millis(300));
    returned.answer(Disposition::ReturnAtShutdown);
    assert_eq!(within(drain).await, Drained { abandoned: 1 });
    never.answer(Disposition::Ack);

    let (handler, mut deliveries) = scripted();
    let _consumer = bus.consume(options("slow", 2), handler);
    for _ in 0..2 {
        let again = within(deliveries.recv()).await.unwrap();
        assert!(again.delivery.redelivered);
        assert_eq!(again.delivery.delivery_count, Some(1));
        again.answer(Disposition::Ack);
    }
}

#[tokio::test]
async fn a_message_that_always_panics_is_dead_lettered_alone() {
    let broker = shared().await;
    let bus = bus(broker.url(), "panics").await;
    publish(&bus, "panics", 2).await;
    let (handler, mut deliveries) = scripted();
    let _consumer = bus.consume(options("panics", 2), handler);
    let mut innocent = None;
    let mut panics = 0;
    let dead = topology::dead_letter_queue("panics");
    within(async {
        while depth(&bus, &dead).await == 0 {
            let next = tokio::time::timeout(Duration::from_millis(200), deliveries.recv()).await;
            match next.ok().flatten() {
                Some(waiting) if waiting.text() == "1" => innocent = Some(waiting),
                Some(waiting) => {
                    panics += 1;
                    drop(waiting);
                }
                None => {}
            }
        }
    })
    .await;
    assert_eq!(panics, 21, "one delivery and twenty returns");
    let innocent = innocent.expect("the other message stays with its handler");
    assert!(!innocent.delivery.redelivered);
    innocent.answer(Disposition::Ack);
    eventually(async || depth(&bus, &topology::work_queue("panics")).await == 0).await;
    assert_eq!(depth(&bus, &dead).await, 1);
}

#[tokio::test]
async fn a_rejected_message_is_in_the_dead_letter_queue() {
    let broker = shared().await;
    let bus = bus(broker.url(), "garbage").await;
    publish(&bus, "garbage", 1).await;
    let (handler, mut deliveries) = scripted();
    let _consumer = bus.consume(options("garbage", 1), handler);
    within(deliveries.recv())
        .await
        .unwrap()
        .answer(Disposition::DeadLetter);

    let (handler, mut dead) = scripted();
    let queue = topology::dead_letter_queue("garbage");
    let _janitor = bus.consume(
        ConsumeOptions {
            queue,
            prefetch: 1,
            tag: "janitor".into(),
        },
        handler,
    );
    let letter = within(dead.recv()).await.unwrap();
    assert_eq!(letter.text(), "0");
    letter.answer(Disposition::Ack);
}

#[tokio::test]
async fn an_unroutable_event_is_kept_for_a_look() {
    let broker = shared().await;
    let bus = bus(broker.url(), "lost").await;
    let typo = sever_bus::Outgoing {
        exchange: topology::EXCHANGE_IN.into(),
        routing_key: "levaer.hr".into(),
        ..bell("lost", "typo")
    };
    bus.publisher().publish_all(vec![typo]).await.unwrap();
    assert_eq!(depth(&bus, topology::QUEUE_UNROUTED).await, 1);
}

#[tokio::test]
async fn an_ack_after_a_lost_connection_is_dropped_and_the_message_comes_again() {
    let broker = shared().await;
    let (publishing, consuming) = (
        bus(broker.url(), "cut").await,
        bus(broker.url(), "cut").await,
    );
    publish(&publishing, "cut", 1).await;
    let (handler, mut deliveries) = scripted();
    let _consumer = consuming.consume(options("cut", 1), handler);
    let first = within(deliveries.recv()).await.unwrap();

    let tag = "test.cut";
    let close = format!(
        "[rabbit_networking:close_connection(Pid, \"cut\") || \
         [{{pid, Pid}}, {{client_properties, P}}] <- rabbit_networking:connection_info_all([pid, client_properties]), \
         lists:any(fun({{<<\"connection_name\">>, _, N}}) -> N =:= <<\"{tag}\">>; (_) -> false end, P)]."
    );
    let mut state = consuming.state();
    state.mark_unchanged();
    broker.control(&["eval", &close]).await.unwrap();
    within(state.changed()).await.unwrap();
    first.answer(Disposition::Ack);

    let second = within(deliveries.recv()).await.unwrap();
    assert!(second.delivery.redelivered);
    second.answer(Disposition::Ack);
    eventually(async || {
        publishing
            .queue_depth(&topology::work_queue("cut"))
            .await
            .is_ok_and(|depth| depth.unwrap().messages == 0)
    })
    .await;
}
