//! Consuming a queue across reconnects, several deliveries at a time.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use lapin::{
    Channel,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions,
        BasicRejectOptions,
    },
    types::FieldTable,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout_at},
};

use crate::{
    bus::Bus,
    deadline::{ACK, CLOSE, DECLARE, within},
    delivery::Delivery,
    error::BusError,
    handler::{Disposition, Handler},
    link::Link,
    meter,
};

/// What to consume, and how much at a time.
#[derive(Debug, Clone)]
pub struct ConsumeOptions {
    /// The queue; it must be part of the bus's topology, or exist.
    pub queue: String,
    /// Deliveries handled at the same time, and unsettled at the broker: 1 to 2,000 (the broker's cap for quorum queues).
    pub prefetch: u16,
    /// What operators see in the broker's list of consumers.
    pub tag: String,
}

/// A running consumer. Dropping it aborts its handlers; their deliveries come again.
#[derive(Debug)]
pub struct Consumer {
    drain_until: watch::Sender<Option<Instant>>,
    task: JoinHandle<Drained>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Handlers that were still running at the deadline and were dropped; their deliveries come again.
    pub abandoned: usize,
}

impl Consumer {
    pub(crate) fn start(bus: Bus, options: ConsumeOptions, handler: Arc<dyn Handler>) -> Self {
        let (drain_until, drain) = watch::channel(None);
        let slots = Arc::new(Semaphore::new(usize::from(options.prefetch.max(1))));
        let work = Work {
            bus,
            options,
            handler,
            drain,
        };
        let task = tokio::spawn(
            Loop {
                work: Arc::new(work),
                slots,
                running: JoinSet::new(),
            }
            .run(),
        );
        Self { drain_until, task }
    }

    /// Takes no more deliveries, waits at most `limit` for the running handlers, settles what they finished, and gives
    /// the rest back. Takes at most `limit` and twice [`CLOSE`].
    pub async fn drain(mut self, limit: Duration) -> Drained {
        self.drain_until.send_replace(Some(Instant::now() + limit));
        // It ends in error only if the runtime ends under us; then nothing runs any more.
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the loop and its handlers share.
struct Work {
    bus: Bus,
    options: ConsumeOptions,
    handler: Arc<dyn Handler>,
    drain: watch::Receiver<Option<Instant>>,
}

struct Loop {
    work: Arc<Work>,
    // Handlers outlive their connection, so the broker's prefetch alone would not bound them.
    slots: Arc<Semaphore>,
    running: JoinSet<()>,
}

/// Why consuming on one connection ended.
enum Ended {
    Lost,
    Drain(Channel),
}

impl Loop {
    async fn run(mut self) -> Drained {
        loop {
            let work = self.work.clone();
            let link = tokio::select! {
                biased;
                () = work.drain_asked() => return self.finish(None).await,
                link = next_link(&work.bus) => link,
            };
            // The bus was closed: without a connection there is nothing to cancel or to settle.
            let Some(link) = link else {
                work.drain_asked().await;
                return self.finish(None).await;
            };
            if let Ended::Drain(channel) = self.consume(&link).await {
                return self.finish(Some(channel)).await;
            }
        }
    }

    /// Consumes on one connection until it is lost or a drain is asked for.
    async fn consume(&mut self, link: &Arc<Link>) -> Ended {
        let work = self.work.clone();
        let (channel, mut deliveries) = match subscribe(link, &work.options).await {
            Ok(subscribed) => subscribed,
            Err(error) => {
                link.fail(&error);
                return Ended::Lost;
            }
        };
        loop {
            let next = async {
                let slot = self.slots.clone().acquire_owned().await;
                (
                    slot.expect("the semaphore is never closed"),
                    deliveries.next().await,
                )
            };
            tokio::select! {
                biased;
                () = work.drain_asked() => return Ended::Drain(channel),
                () = link.failed() => return Ended::Lost,
                Some(_) = self.running.join_next() => {}
                (slot, delivery) = next => match delivery {
                    Some(Ok(delivery)) => {
                        self.running.spawn(work.clone().handle(link.clone(), delivery, slot));
                    }
                    Some(Err(error)) => link.fail(&error),
                    None => link.fail(&format_args!("the broker cancelled the consumer of {}", work.options.queue)),
                }
            }
        }
    }

    async fn finish(mut self, channel: Option<Channel>) -> Drained {
        let work = &self.work;
        let queue = work.options.queue.as_str();
        if let Some(channel) = &channel {
            let cancel = channel.basic_cancel(
                work.options.tag.as_str().into(),
                BasicCancelOptions::default(),
            );
            if let Err(error) = within(CLOSE, "cancelling the consumer of", queue, cancel).await {
                tracing::debug!(queue, %error, "the consumer was not cancelled in order");
            }
        }
        let deadline = work.drain.borrow().unwrap_or_else(Instant::now);
        while let Ok(Some(_)) = timeout_at(deadline, self.running.join_next()).await {}
        let abandoned = self.running.len();
        self.running.shutdown().await;
        if let Some(channel) = channel {
            let close = channel.close(200, "drained".into());
            if let Err(error) = within(CLOSE, "closing the channel of", queue, close).await {
                tracing::debug!(queue, %error, "the consumer's channel did not close in order");
            }
        }
        Drained { abandoned }
    }
}

/// The next usable connection; `None` when there will be none.
async fn next_link(bus: &Bus) -> Option<Arc<Link>> {
    let mut link = bus.shared.link.clone();
    let usable = |link: &Option<Arc<Link>>| link.as_ref().is_some_and(|link| link.is_connected());
    link.wait_for(usable)
        .await
        .ok()
        .and_then(|link| link.clone())
}

async fn subscribe(
    link: &Link,
    options: &ConsumeOptions,
) -> Result<(Channel, lapin::Consumer), BusError> {
    let queue = options.queue.as_str();
    let channel = link.channel().await?;
    let qos = channel.basic_qos(options.prefetch.max(1), BasicQosOptions::default());
    within(DECLARE, "setting the prefetch for", queue, qos).await?;
    let (tag, flags, none) = (
        options.tag.as_str().into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let consume = channel.basic_consume(queue.into(), tag, flags, none);
    let deliveries = within(DECLARE, "consuming", queue, consume).await?;
    Ok((channel, deliveries))
}

impl Work {
    async fn drain_asked(&self) {
        let mut drain = self.drain.clone();
        // An error means that the consumer was dropped, and this task with it.
        let _ = drain.wait_for(Option::is_some).await;
    }

    async fn handle(
        self: Arc<Self>,
        link: Arc<Link>,
        mut delivery: lapin::message::Delivery,
        _slot: OwnedSemaphorePermit,
    ) {
        let message = Delivery::new(&mut delivery);
        let handled = AssertUnwindSafe(self.handler.handle(message))
            .catch_unwind()
            .await;
        let draining = self.drain.borrow().is_some();
        let settlement = match handled {
            Ok(Disposition::Ack) => Settlement::Ack,
            Ok(Disposition::DeadLetter) => Settlement::DeadLetter,
            Ok(Disposition::ReturnAtShutdown) if draining => Settlement::Leave,
            Ok(Disposition::ReturnAtShutdown) => Settlement::Return("returned"),
            Err(_) => {
                tracing::error!(queue = %self.options.queue, "a handler panicked; its delivery is returned");
                Settlement::Return("panicked")
            }
        };
        self.settle(&link, &delivery.acker, settlement).await;
    }

    async fn settle(&self, link: &Link, acker: &lapin::Acker, settlement: Settlement) {
        let queue = self.options.queue.as_str();
        let reject = |requeue| acker.reject(BasicRejectOptions { requeue });
        let settled = match settlement {
            Settlement::Ack => {
                sever_crash_point::hit("bell.before_ack");
                within(
                    ACK,
                    "acking a delivery of",
                    queue,
                    acker.ack(BasicAckOptions::default()),
                )
                .await
            }
            Settlement::DeadLetter => {
                within(ACK, "rejecting a delivery of", queue, reject(false)).await
            }
            Settlement::Return(_) => {
                within(ACK, "returning a delivery of", queue, reject(true)).await
            }
            Settlement::Leave => Ok(true),
        };
        match settled {
            Ok(true) => {
                sever_crash_point::hit("bell.after_ack");
                meter::consumed(queue, settlement.label());
            }
            // Its channel is gone: the broker gives the message out again, and whoever handles it finds it done.
            Ok(false) => lost(queue),
            Err(_) if !link.is_connected() => lost(queue),
            Err(error) => {
                lost(queue);
                link.fail(&error);
            }
        }
    }
}

fn lost(queue: &str) {
    tracing::debug!(
        queue,
        "a delivery was handled after its connection was lost; it comes again"
    );
    meter::consumed(queue, "lost");
}

/// How a delivery is settled.
#[derive(Debug, Clone, Copy)]
enum Settlement {
    Ack,
    DeadLetter,
    /// `basic.reject` with requeue, with the word for the metric.
    Return(&'static str),
    /// Not at all; closing the channel returns it.
    Leave,
}

impl Settlement {
    fn label(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::DeadLetter => "dead_letter",
            Self::Return(word) => word,
            Self::Leave => "left",
        }
    }
}
