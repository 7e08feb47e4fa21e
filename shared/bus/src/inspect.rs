//! Looking at queues without changing them, and the marker queue.
//!
//! A failed passive declaration closes its channel (AMQP 0-9-1), so each look has a channel of its own.

use lapin::{options::QueueDeclareOptions, types::FieldTable};

use crate::{
    bus::Bus,
    deadline::{DECLARE, within},
    declare::declare_queue,
    error::BusError,
    topology::{QUEUE_MARKER, marker},
};

/// Whether the broker still has the data it had when the marker queue was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerState {
    /// It has.
    Present,
    /// It has not: it is new, was wiped, or was replaced. Every bell that was rung before now may be gone.
    Missing,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Messages that are ready; those delivered and not yet settled are not counted.
    pub messages: u32,
    /// Consumers.
    pub consumers: u32,
}

impl Bus {
    /// Looks for the marker queue. When it is missing, first record that fact durably, then call
    /// [`Bus::declare_marker`]: in the other order a crash in between would hide the loss.
    ///
    /// # Errors
    /// [`BusError`] if the broker could not be asked.
    pub async fn check_marker(&self) -> Result<MarkerState, BusError> {
        Ok(match self.queue_depth(QUEUE_MARKER).await? {
            Some(_) => MarkerState::Present,
            None => MarkerState::Missing,
        })
    }

    /// Declares the marker queue. Only the dispatcher may.
    ///
    /// # Errors
    /// [`BusError`] if the broker could not be asked, or refuses.
    pub async fn declare_marker(&self) -> Result<(), BusError> {
        declare_queue(&self.link()?.channel().await?, &marker()).await
    }

    /// How full a queue is; `None` if there is no such queue.
    ///
    /// # Errors
    /// [`BusError`] if the broker could not be asked within [`DECLARE`].
    pub async fn queue_depth(&self, queue: &str) -> Result<Option<QueueDepth>, BusError> {
        let channel = self.link()?.channel().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let call = channel.queue_declare(queue.into(), options, FieldTable::default());
        match within(DECLARE, "looking at the queue", queue, call).await {
            Ok(seen) => Ok(Some(QueueDepth {
                messages: seen.message_count(),
                consumers: seen.consumer_count(),
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
