//! One look at a queue, and the pass over it where one is due.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sever_bus::{BusError, Outgoing, PublishError, PublishOutcome, topology};
use sever_store::StoreError;
use sever_store::dead_letter::{self, DeadQueue, Look};
use sever_telemetry::catalogue;
use thiserror::Error;
use uuid::Uuid;

use super::Janitor;
use super::sort::Met;

/// How long every message may stay unlooked at while the counts agree.
const PASS_AT_LEAST: Duration = Duration::from_secs(600);
/// Messages in hand at a time.
const BATCH: usize = 200;
/// Messages published again after one pass; the rest follows after the next.
const MISSING_MAX: i64 = 20_000;

/// Why a look did not come to its end. Nothing is lost: what was in hand is in the queue again.
#[derive(Debug, Error)]
pub(super) enum PassError {
    #[error("{}", sever_telemetry::chain(.0))]
    Bus(#[from] BusError),
    #[error("{}", sever_telemetry::chain(.0))]
    Publish(#[from] PublishError),
    #[error("the broker did not confirm a copy for the tail of the queue")]
    Unconfirmed,
    #[error("{}", sever_telemetry::chain(.0))]
    Store(#[from] StoreError),
}

/// The queue's name at the broker.
pub(super) fn name(queue: DeadQueue) -> String {
    match queue {
        DeadQueue::Of(provider) => topology::dead_letter_queue(provider.as_str()),
        DeadQueue::Intake => topology::QUEUE_DLQ_IN.to_owned(),
    }
}

/// A message for the tail of the queue.
pub(super) fn for_tail(
    queue: DeadQueue,
    body: Vec<u8>,
    content_type: Option<String>,
    type_: Option<String>,
    headers: BTreeMap<String, String>,
) -> Outgoing {
    let routing_key = match queue {
        DeadQueue::Of(provider) => topology::work_key(provider.as_str()),
        DeadQueue::Intake => topology::DEAD_KEY_IN.to_owned(),
    };
    Outgoing {
        exchange: topology::EXCHANGE_DEAD.to_owned(),
        routing_key,
        message_id: Uuid::now_v7(),
        body,
        content_type,
        type_,
        user_id: None,
        headers,
    }
}

pub(super) fn count(queue: DeadQueue, what: &'static str, messages: usize) {
    if messages > 0 {
        metrics::counter!(catalogue::JANITOR_MESSAGES.name, "provider" => queue.word(), "what" => what)
            .increment(messages as u64);
    }
}

impl Janitor {
    /// Compares the queue with the tables, and passes over it where they differ. Returns whether it passed.
    pub(super) async fn look(&self, queue: DeadQueue) -> Result<bool, PassError> {
        let depth = self.depth(queue).await?;
        let expected = dead_letter::expected(&self.store, queue).await?;
        let due = dead_letter::needs_pass(&expected, depth, PASS_AT_LEAST);
        if !due || !self.may_pass(queue) {
            let look = Look {
                depth,
                expected: expected.messages,
                passed_at: None,
            };
            dead_letter::look(&self.store, queue, &look).await?;
            return Ok(false);
        }
        let whole = self.pass(queue, depth).await?;
        if whole {
            self.after(queue, expected.now).await?;
        }
        let look = Look {
            depth: self.depth(queue).await?,
            expected: dead_letter::expected(&self.store, queue).await?.messages,
            passed_at: whole.then_some(expected.now),
        };
        dead_letter::look(&self.store, queue, &look).await?;
        Ok(true)
    }

    /// Takes at most `depth` messages, the number at the start. Returns whether it came to the end.
    async fn pass(&self, queue: DeadQueue, depth: i64) -> Result<bool, PassError> {
        let mut left = usize::try_from(depth).unwrap_or(0);
        if left == 0 {
            return Ok(true);
        }
        let pass = self.bus.pass(&name(queue)).await?;
        let mut met = Met::default();
        let mut outcome = Ok(true);
        while left > 0 {
            if self.stop.is_cancelled() || !self.still_leads().await {
                outcome = Ok(false);
                break;
            }
            match self.batch(queue, &pass, left.min(BATCH), &mut met).await {
                Ok(0) => break,
                Ok(taken) => left -= taken,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        pass.end().await;
        outcome
    }

    /// What stands and was not met is published again: through the outbox where it is a bell.
    async fn after(&self, queue: DeadQueue, began: Timestamp) -> Result<(), PassError> {
        dead_letter::gone_after_pass(&self.store, queue, began).await?;
        let missing = dead_letter::missing(&self.store, queue, began, MISSING_MAX).await?;
        if !missing.is_empty() {
            tracing::warn!(
                queue = queue.word(),
                messages = missing.len(),
                "dead letters were missing from their queue; they are published again"
            );
            dead_letter::publish_again(&self.store, &missing).await?;
            count(queue, "published", missing.len());
            self.waker.wake();
        }
        let raws = dead_letter::whole_raws(&self.store, queue.word(), began, BATCH as i64).await?;
        let messages: Vec<Outgoing> = raws
            .into_iter()
            .map(|(_, body, headers)| for_tail(queue, body, None, None, headers))
            .collect();
        let published = messages.len();
        self.publish(messages).await?;
        count(queue, "published", published);
        Ok(())
    }

    /// Publishes copies and waits for the broker's word on each.
    pub(super) async fn publish(&self, copies: Vec<Outgoing>) -> Result<(), PassError> {
        if copies.is_empty() {
            return Ok(());
        }
        let outcomes = self.bus.publisher().publish_all(copies).await?;
        let confirmed = |outcome: &PublishOutcome| *outcome == PublishOutcome::Confirmed;
        if outcomes.iter().all(confirmed) {
            Ok(())
        } else {
            Err(PassError::Unconfirmed)
        }
    }

    async fn depth(&self, queue: DeadQueue) -> Result<i64, PassError> {
        let depth = self.bus.queue_depth(&name(queue)).await?;
        Ok(depth.map_or(0, |depth| i64::from(depth.messages)))
    }
}
