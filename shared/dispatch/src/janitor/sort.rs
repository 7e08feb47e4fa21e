//! One batch of a pass: what each message is about, and what becomes of it.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use sever_bus::{Delivery, Outgoing, Pass, Taken};
use sever_domain::dead_letter::{DeadMessage, Disposal, dispose};
use sever_domain::{DeadRawId, JobId};
use sever_store::dead_letter::{self, About, DeadQueue, NewRaw};

use super::Janitor;
use super::pass::{PassError, count, for_tail};

/// Headers of a dead message that are kept; every other one may hold anything.
const KEPT_HEADERS: [&str; 3] = [
    "x-first-death-queue",
    "x-first-death-reason",
    "sever-source",
];

/// The body of a bell, as a worker reads it.
#[derive(Deserialize)]
struct Bell {
    job: JobId,
}

/// What a pass has met so far: a second copy is one too many.
#[derive(Default)]
pub(super) struct Met {
    jobs: HashSet<JobId>,
    raws: HashSet<DeadRawId>,
}

/// What a batch comes to.
#[derive(Default)]
struct Sorted {
    /// Copies for the tail, each before its message is acked.
    copies: Vec<Outgoing>,
    /// Jobs whose message stays.
    kept: Vec<JobId>,
    /// Jobs whose message goes.
    gone: Vec<JobId>,
    /// Closed messages that go.
    gone_raws: Vec<DeadRawId>,
    /// Jobs that are rung.
    rung: Vec<(JobId, About)>,
    stored: usize,
}

impl Janitor {
    /// Takes at most `limit` messages and deals with them. Returns how many there were.
    pub(super) async fn batch(
        &self,
        queue: DeadQueue,
        pass: &Pass,
        limit: usize,
        met: &mut Met,
    ) -> Result<usize, PassError> {
        let taken = pass.take(limit).await?;
        let messages = taken.len();
        let sorted = self.sort(queue, &taken, met).await?;
        // Whatever the acks rest on is committed or confirmed before them.
        dead_letter::ring_innocent(&self.store, &sorted.rung).await?;
        dead_letter::kept(&self.store, &sorted.kept).await?;
        let copies = sorted.copies.len();
        sever_crash_point::hit("janitor.before_copy");
        self.publish(sorted.copies).await?;
        sever_crash_point::hit("janitor.after_copy");
        for message in taken {
            pass.ack(message).await?;
        }
        sever_crash_point::hit("janitor.after_ack");
        dead_letter::acked(&self.store, &sorted.gone, &sorted.gone_raws).await?;
        if !sorted.rung.is_empty() {
            self.waker.wake();
        }
        count(queue, "kept", copies);
        count(queue, "rung", sorted.rung.len());
        count(queue, "stored", sorted.stored);
        count(queue, "acked", messages - copies - sorted.rung.len());
        Ok(messages)
    }

    async fn sort(
        &self,
        queue: DeadQueue,
        taken: &[Taken],
        met: &mut Met,
    ) -> Result<Sorted, PassError> {
        let bells: Vec<Option<JobId>> = taken
            .iter()
            .map(|message| read(queue, &message.delivery))
            .collect();
        let jobs: Vec<JobId> = bells.iter().copied().flatten().collect();
        let about = dead_letter::about(&self.store, &jobs).await?;
        let mut sorted = Sorted::default();
        for (message, bell) in taken.iter().zip(&bells) {
            let known = bell.and_then(|job| Some((job, *about.get(&job)?)));
            let delivery = &message.delivery;
            match (bell, known) {
                (_, Some((job, about))) => {
                    let message = DeadMessage::Job {
                        state: about.state,
                        letter_stands: about.letter_stands,
                        met: !met.jobs.insert(job),
                    };
                    sorted.job(queue, delivery, job, about, dispose(message));
                }
                (Some(_), None) => {
                    let problem = "it rings a job that the database does not know";
                    self.store_raw(queue, delivery, problem, met, &mut sorted)
                        .await?;
                }
                (None, None) => {
                    let problem = "its body is no bell";
                    self.store_raw(queue, delivery, problem, met, &mut sorted)
                        .await?;
                }
            }
        }
        Ok(sorted)
    }

    /// A message that no job belongs to is kept once, and stays in the queue until a person closes it.
    async fn store_raw(
        &self,
        queue: DeadQueue,
        delivery: &Delivery,
        problem: &str,
        met: &mut Met,
        sorted: &mut Sorted,
    ) -> Result<(), PassError> {
        let headers = kept_headers(delivery);
        let raw = NewRaw {
            provider: queue.word(),
            problem,
            body: &delivery.body,
            headers: &headers,
        };
        let stored = dead_letter::store_raw(&self.store, &raw).await?;
        if stored.new {
            sorted.stored += 1;
            tracing::error!(queue = queue.word(), id = %stored.id, bytes = delivery.body.len(), problem, "a dead message belongs to no job; 'sever dlq show' has it");
        }
        if !stored.stands {
            sorted.gone_raws.push(stored.id);
        } else if met.raws.insert(stored.id) {
            sorted.copies.push(copy(queue, delivery, headers));
        }
        Ok(())
    }
}

impl Sorted {
    fn job(
        &mut self,
        queue: DeadQueue,
        delivery: &Delivery,
        job: JobId,
        about: About,
        disposal: Disposal,
    ) {
        match disposal {
            Disposal::Keep | Disposal::StoreAndKeep => {
                self.copies.push(copy(queue, delivery, BTreeMap::new()));
                self.kept.push(job);
            }
            Disposal::Ack => self.gone.push(job),
            Disposal::RingAndAck => {
                self.rung.push((job, about));
                self.gone.push(job);
            }
        }
    }
}

/// The job that a message rings. Intake's queue holds events of others, never bells.
fn read(queue: DeadQueue, delivery: &Delivery) -> Option<JobId> {
    match queue {
        DeadQueue::Intake => None,
        DeadQueue::Of(_) => serde_json::from_slice::<Bell>(&delivery.body)
            .ok()
            .map(|bell| bell.job),
    }
}

fn kept_headers(delivery: &Delivery) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = delivery
        .headers
        .iter()
        .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.chars().take(256).collect()))
        .collect();
    for (name, value) in [
        ("content-type", &delivery.content_type),
        ("type", &delivery.type_),
    ] {
        if let Some(value) = value {
            kept.insert(name.to_owned(), value.chars().take(256).collect());
        }
    }
    kept
}

/// The broker's own headers are left behind: a copy is a new message.
fn copy(queue: DeadQueue, delivery: &Delivery, mut headers: BTreeMap<String, String>) -> Outgoing {
    headers.retain(|name, _| !name.starts_with("x-"));
    for_tail(
        queue,
        delivery.body.clone(),
        delivery.content_type.clone(),
        delivery.type_.clone(),
        headers,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::Provider;

    fn delivery(body: &[u8]) -> Delivery {
        Delivery {
            body: body.to_vec(),
            exchange: "sever.dead".to_owned(),
            routing_key: "okta".to_owned(),
            message_id: None,
            user_id: None,
            content_type: Some("application/json".to_owned()),
            type_: None,
            headers: [
                ("x-first-death-queue", "q"),
                ("authorization", "Bearer x"),
                ("x-death", "[]"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            redelivered: false,
            delivery_count: None,
        }
    }

    #[test]
    fn only_a_bell_rings_a_job_and_only_harmless_headers_are_kept() {
        let okta = DeadQueue::Of(Provider::Okta);
        let job = JobId::generate();
        let bell = delivery(format!(r#"{{"v":1,"job":"{job}"}}"#).as_bytes());
        assert_eq!(read(okta, &bell), Some(job));
        assert_eq!(read(DeadQueue::Intake, &bell), None);
        for garbage in [&b"\xff\x00"[..], b"{}", b"{\"v\":1,\"job\":\"x\"}"] {
            assert_eq!(read(okta, &delivery(garbage)), None);
        }
        let kept = kept_headers(&bell);
        assert_eq!(
            kept.keys().collect::<Vec<_>>(),
            ["content-type", "x-first-death-queue"]
        );
        assert!(
            copy(okta, &bell, kept)
                .headers
                .keys()
                .all(|name| !name.starts_with("x-"))
        );
    }
}
