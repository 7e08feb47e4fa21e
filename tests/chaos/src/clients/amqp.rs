//! Over AMQP, with confirms. After a loss of the broker's data the HR system sends again what it sent shortly before, as
//! the runbook tells its owner: what the broker confirmed and nobody had taken yet went with the data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sever_bus::{Bus, BusConfig, Outgoing, PublishOutcome, Topology};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{event, key};
use crate::crowd::SOURCE;
use crate::promises::{Promises, Way};

/// Events published at once.
const BATCH_MAX: usize = 64;
/// The pause after a try in vain, and the longest wait for something to send.
const PAUSE: Duration = Duration::from_millis(250);

/// The HR system. Dropping it ends it.
#[derive(Clone)]
pub(crate) struct HrSystem(Arc<Inner>);

struct Inner {
    promises: Promises,
    waiting: Arc<Waiting>,
    publishing: JoinHandle<()>,
    _connection_ends: DropGuard,
}

#[derive(Default)]
struct Waiting {
    people: Mutex<BTreeSet<usize>>,
    more: Notify,
}

impl Waiting {
    fn add(&self, people: impl IntoIterator<Item = usize>) {
        self.people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(people);
        self.more.notify_one();
    }

    fn some(&self) -> Vec<usize> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.iter().copied().take(BATCH_MAX).collect()
    }

    fn done(&self, person: usize) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.remove(&person);
    }
}

impl HrSystem {
    /// Connects as the HR system's own broker user.
    pub(crate) fn start(
        url: String,
        promises: Promises,
        effective_at: String,
    ) -> anyhow::Result<Self> {
        let end = CancellationToken::new();
        let bus = Bus::start(
            BusConfig::new(url.into(), "hr.publish", Topology::default()),
            &end,
        )?;
        let waiting = Arc::new(Waiting::default());
        let publishing = tokio::spawn(publish(
            bus,
            Arc::clone(&waiting),
            promises.clone(),
            effective_at,
        ));
        Ok(Self(Arc::new(Inner {
            promises,
            waiting,
            publishing,
            _connection_ends: end.drop_guard(),
        })))
    }

    /// Publishes the event until the broker has confirmed it.
    pub(crate) fn publish(&self, person: usize) {
        self.0.waiting.add([person]);
    }

    /// Publishes once more what was confirmed since `since`, or ever.
    pub(crate) fn send_again(&self, since: Option<Instant>) {
        let mut record = self.0.promises.record();
        let accepted = record.accepted.values();
        let again: Vec<usize> = accepted
            .filter(|promise| {
                promise.way == Way::Amqp && since.is_none_or(|since| promise.at >= since)
            })
            .map(|promise| promise.person)
            .collect();
        record.sent_again += again.len() as u64;
        drop(record);
        self.0.waiting.add(again);
    }

    /// Waits until everything is confirmed.
    pub(crate) async fn all_accepted(&self, give_up: &CancellationToken) {
        while !self.0.waiting.some().is_empty() && !give_up.is_cancelled() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.publishing.abort();
    }
}

async fn publish(bus: Bus, waiting: Arc<Waiting>, promises: Promises, effective_at: String) {
    loop {
        let people = waiting.some();
        if people.is_empty() {
            // Nothing to send is the ordinary end of this wait.
            let _ = tokio::time::timeout(PAUSE, waiting.more.notified()).await;
            continue;
        }
        let messages = people
            .iter()
            .map(|person| message(*person, &effective_at))
            .collect();
        let outcomes = bus
            .publisher()
            .publish_all(messages)
            .await
            .unwrap_or_default();
        let mut all = outcomes.len() == people.len();
        for (person, outcome) in people.iter().zip(&outcomes) {
            if *outcome == PublishOutcome::Confirmed {
                promises.accepted(&key(*person, Way::Amqp), *person, Way::Amqp, None);
                waiting.done(*person);
            } else {
                all = false;
            }
        }
        if !all {
            promises.record().tries_in_vain += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn message(person: usize, effective_at: &str) -> Outgoing {
    Outgoing {
        exchange: "sever.in".to_owned(),
        routing_key: "leaver.hr".to_owned(),
        message_id: Uuid::now_v7(),
        body: event(person, Way::Amqp, effective_at).into_bytes(),
        content_type: Some("application/cloudevents+json".to_owned()),
        type_: None,
        user_id: Some(SOURCE.to_owned()),
        headers: BTreeMap::new(),
    }
}
