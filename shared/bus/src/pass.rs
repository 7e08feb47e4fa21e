//! A pass over a queue: its messages are taken one by one, each is acked once something else holds it, and what was not
//! acked goes back when the pass ends.
//!
//! AMQP cannot pick a message from a queue; a pass takes them in order. Going back counts against the queue's delivery
//! limit, so a pass is for queues whose limit is large.

use std::sync::Arc;

use lapin::{
    Channel,
    options::{BasicAckOptions, BasicGetOptions},
};

use crate::{
    bus::Bus,
    deadline::{ACK, CLOSE, DECLARE, within},
    delivery::Delivery,
    error::BusError,
    link::Link,
};

/// A pass that is under way. Dropping it gives back what was taken and not acked, as [`Pass::end`] does in order.
pub struct Pass {
    link: Arc<Link>,
    channel: Channel,
    queue: String,
}

/// A message that a pass took and has not acked.
#[derive(Debug)]
pub struct Taken {
    /// The message.
    pub delivery: Delivery,
    acker: lapin::Acker,
}

impl Bus {
    /// Begins a pass over a queue, on a channel of its own.
    ///
    /// # Errors
    /// [`BusError`] if there is no connection, or it takes no channel.
    pub async fn pass(&self, queue: &str) -> Result<Pass, BusError> {
        let link = self.link()?;
        Ok(Pass {
            channel: link.channel().await?,
            link,
            queue: queue.to_owned(),
        })
    }
}

impl Pass {
    /// Takes at most `limit` messages from the head of the queue; fewer when it is empty. Not cancel-safe: what was taken
    /// in a dropped call comes back with the end of the pass.
    ///
    /// # Errors
    /// [`BusError`] if the broker does not answer within [`DECLARE`] for a message, or the queue is not there.
    pub async fn take(&self, limit: usize) -> Result<Vec<Taken>, BusError> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let get = self
                .channel
                .basic_get(self.queue.as_str().into(), BasicGetOptions::default());
            let Some(mut got) = within(DECLARE, "taking a message of", &self.queue, get).await?
            else {
                break;
            };
            taken.push(Taken {
                delivery: Delivery::new(&mut got.delivery),
                acker: got.delivery.acker.clone(),
            });
        }
        Ok(taken)
    }

    /// Takes a message away for good. What it was about must be safe elsewhere: in the database, or as a confirmed copy.
    ///
    /// # Errors
    /// [`BusError`] if the ack cannot be handed over; the message comes again.
    pub async fn ack(&self, taken: Taken) -> Result<(), BusError> {
        let ack = taken.acker.ack(BasicAckOptions::default());
        within(ACK, "acking a message of", &self.queue, ack)
            .await
            .map(drop)
            .inspect_err(|error| self.link.fail(error))
    }

    /// Ends the pass; what was not acked is in the queue again.
    pub async fn end(self) {
        let close = self.channel.close(200, "the pass is over".into());
        if let Err(error) = within(CLOSE, "ending a pass over", &self.queue, close).await {
            tracing::debug!(queue = %self.queue, %error, "the channel of a pass did not close in order");
            self.link.fail(&error);
        }
    }
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass").field("queue", &self.queue).finish()
    }
}
