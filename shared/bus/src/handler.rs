//! What a program does with a delivery.

use futures::future::BoxFuture;

use crate::delivery::Delivery;

/// What becomes of a delivery. There is no "again later": that is a due time in PostgreSQL, and an ack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It has been dealt with, and what it caused is committed.
    Ack,
    /// It can never be dealt with: the broker moves it to the dead-letter queue (or drops it where there is none).
    DeadLetter,
    /// Not dealt with because the program is shutting down: it goes back to the queue when the channel closes. Outside
    /// of a drain it is returned at once, and counts against the queue's delivery limit.
    ReturnAtShutdown,
}

/// Handles the deliveries of one consumer, several at a time.
pub trait Handler: Send + Sync + 'static {
    /// Handles one delivery; the same one may come again at any time. The future is dropped if a drain runs out of time.
    ///
    /// A panic is caught, counted, and the delivery returned with `basic.reject`: on every broker version that counts
    /// against the queue's delivery limit, so a message that always panics ends in the dead-letter queue, alone.
    /// Closing the channel instead would count against every other message in flight; leaving it unsettled would take
    /// its slot until the broker's consumer timeout.
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition>;
}
