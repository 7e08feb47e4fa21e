//! Over HTTP, with two replicas to turn to.

use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Doors, event, key};
use crate::crowd::{SOURCE, external_id};
use crate::promises::{Promises, Way};

/// The client's patience with one try.
const TRY_MAX: Duration = Duration::from_secs(10);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest time for which both replicas of the console may fail a client who retries.
const CONSOLE_PATIENCE: Duration = Duration::from_secs(60);

/// A client who retries.
pub(crate) struct Http {
    client: reqwest::Client,
    intake: [String; 2],
    console: [String; 2],
    token: String,
    effective_at: String,
    promises: Promises,
    give_up: CancellationToken,
}

impl Http {
    pub(crate) fn new(
        doors: &Doors,
        promises: Promises,
        give_up: CancellationToken,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TRY_MAX)
            .build()?;
        Ok(Self {
            client,
            intake: doors.intake.clone(),
            console: doors.console.clone(),
            token: doors.token.clone(),
            effective_at: doors.effective_at.clone(),
            promises,
            give_up,
        })
    }

    /// Sends the request to one replica after the other until one accepts it.
    pub(crate) async fn until_accepted(&self, person: usize, way: Way) {
        for turn in person.. {
            match self.attempt(person, way, &self.intake[turn % 2]).await {
                Some(answer) => {
                    let opt_out = answer["opt_out"].as_str();
                    let opt_out = opt_out.map(str::to_owned);
                    return self
                        .promises
                        .accepted(&key(person, way), person, way, opt_out);
                }
                None => self.promises.record().tries_in_vain += 1,
            }
            let paused = self
                .give_up
                .run_until_cancelled(tokio::time::sleep(PAUSE))
                .await;
            if paused.is_none() {
                return;
            }
        }
    }

    /// One try; the answer, where it is an acceptance.
    async fn attempt(&self, person: usize, way: Way, intake: &str) -> Option<Value> {
        let answer = self.send(person, way, intake).await.ok()?;
        if answer.status() != StatusCode::ACCEPTED {
            return None;
        }
        answer.json().await.ok()
    }

    /// One try; whatever the answer is.
    pub(crate) async fn send(
        &self,
        person: usize,
        way: Way,
        intake: &str,
    ) -> reqwest::Result<reqwest::Response> {
        let request = if way == Way::OptOut {
            let body = json!({
                "person": {"source": SOURCE, "external_id": external_id(person)}, "intent": "remove", "scope": "all",
                "urgency": if person.is_multiple_of(3) { "urgent" } else { "ordinary" }, "reason": "chaos",
            });
            let request = self
                .client
                .post(format!("{intake}/v1/opt-outs"))
                .json(&body);
            request.header("Idempotency-Key", key(person, way))
        } else {
            let request = self.client.post(format!("{intake}/v1/leaver-events"));
            let request = request.header("Content-Type", "application/cloudevents+json");
            request.body(event(person, way, &self.effective_at))
        };
        request.bearer_auth(&self.token).send().await
    }

    /// Looks one accepted opt-out up at either console, until one answers; a wrong answer counts as none.
    pub(crate) async fn ask_console(&self, dice: &mut StdRng) {
        let known: Vec<String> = {
            let record = self.promises.record();
            let accepted = record.accepted.values();
            accepted
                .filter_map(|promise| promise.opt_out.clone())
                .collect()
        };
        if known.is_empty() {
            return;
        }
        let id = &known[dice.random_range(0..known.len())];
        let asked = Instant::now();
        for turn in 0.. {
            let url = format!("{}/v1/opt-outs/{id}", self.console[turn % 2]);
            let answer = self.client.get(url).bearer_auth(&self.token).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                self.promises.record().console_answers += 1;
                return;
            }
            if asked.elapsed() > CONSOLE_PATIENCE {
                self.promises.record().console_silent += 1;
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
