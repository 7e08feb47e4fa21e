//! A handler whose answers the test gives, and messages for it.

use std::sync::Arc;

use futures::future::BoxFuture;
use sever_bus::{Delivery, Disposition, Handler, Outgoing, topology};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A delivery that waits for the test's answer; dropping it makes the handler panic.
pub(crate) struct Waiting {
    pub(crate) delivery: Delivery,
    answer: oneshot::Sender<Disposition>,
}

impl Waiting {
    pub(crate) fn answer(self, disposition: Disposition) {
        // Nobody listens if the handler was dropped by a drain.
        let _ = self.answer.send(disposition);
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.delivery.body.clone()).unwrap()
    }
}

pub(crate) struct Scripted(mpsc::UnboundedSender<Waiting>);

/// The handler, and the deliveries that reached it.
pub(crate) fn scripted() -> (Arc<Scripted>, mpsc::UnboundedReceiver<Waiting>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Arc::new(Scripted(sender)), receiver)
}

impl Handler for Scripted {
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let _ = self.0.send(Waiting { delivery, answer });
            answered
                .await
                .expect("the test wants this handler to panic")
        })
    }
}

/// A bell for the provider's ordinary queue.
pub(crate) fn bell(provider: &str, body: impl Into<Vec<u8>>) -> Outgoing {
    Outgoing {
        exchange: topology::EXCHANGE_CMD.into(),
        routing_key: topology::work_key(provider),
        message_id: Uuid::now_v7(),
        body: body.into(),
        ..Outgoing::default()
    }
}
