//! A pass takes from the head what it asked for, and gives back what it did not ack.

use sever_bus::{PublishOutcome, topology};

use crate::{
    broker::{bus, eventually, shared},
    script::bell,
};

#[tokio::test]
async fn what_a_pass_does_not_ack_is_in_the_queue_again() {
    let broker = shared().await;
    let bus = bus(broker.url(), "pass").await;
    let messages: Vec<_> = ["1", "2", "3"].map(|body| bell("pass", body)).into();
    let outcomes = bus.publisher().publish_all(messages).await.unwrap();
    assert_eq!(outcomes, [const { PublishOutcome::Confirmed }; 3]);
    let queue = topology::work_queue("pass");
    let depth = async || bus.queue_depth(&queue).await.unwrap().unwrap().messages;
    eventually(async || depth().await == 3).await;

    let pass = bus.pass(&queue).await.unwrap();
    let mut taken = pass.take(2).await.unwrap();
    let bodies: Vec<_> = taken
        .iter()
        .map(|taken| taken.delivery.body.clone())
        .collect();
    assert_eq!(
        bodies,
        [b"1", b"2"],
        "from the head, and no more than asked"
    );
    pass.ack(taken.remove(0)).await.unwrap();
    pass.end().await;
    eventually(async || depth().await == 2).await;

    let pass = bus.pass(&queue).await.unwrap();
    let taken = pass.take(10).await.unwrap();
    let mut bodies: Vec<_> = taken
        .iter()
        .map(|taken| taken.delivery.body.clone())
        .collect();
    bodies.sort();
    assert_eq!(bodies, [b"2", b"3"], "an empty queue ends the pass");
    for message in taken {
        pass.ack(message).await.unwrap();
    }
    pass.end().await;
    eventually(async || depth().await == 0).await;
}
