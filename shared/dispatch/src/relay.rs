//! The relay: claim, publish with confirms, delete what was confirmed, give back the rest.

use std::time::Duration;

use sever_backoff::Backoff;
use sever_bus::{Outgoing, PublishOutcome, Publisher};
use sever_store::outbox::{self, ClaimedBell, Refused};
use sever_store::{Store, StoreError};
use sever_telemetry::{catalogue, chain};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::dispatcher::{DispatchSettings, Waker};

/// A row that the broker refuses backs off by itself, so that it starves nobody.
fn refusal_backoff() -> Backoff {
    Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 0.5)
        .expect("one second is less than sixty")
}

/// Runs until `stop`, and finishes the batch in hand.
pub(crate) async fn run(
    store: Store,
    publisher: Publisher,
    settings: DispatchSettings,
    waker: Waker,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        let full = match pass(&store, &publisher, settings).await {
            Ok(claimed) => claimed >= settings.relay_batch,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the relay could not use the database; it tries again");
                false
            }
        };
        if !full {
            tokio::select! {
                () = waker.woken(settings.relay_poll) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// One batch. Returns how many rows were claimed.
async fn pass(
    store: &Store,
    publisher: &Publisher,
    settings: DispatchSettings,
) -> Result<i64, StoreError> {
    let token = Uuid::new_v4();
    let bells = outbox::claim(
        store,
        token,
        settings.relay_batch,
        settings.claim_lease.as_secs_f64(),
    )
    .await?;
    if bells.is_empty() {
        return Ok(0);
    }
    let claimed = i64::try_from(bells.len()).unwrap_or(i64::MAX);
    metrics::histogram!(catalogue::RELAY_BATCH_SIZE.name).record(bells.len() as f64);
    sever_crash_point::hit("relay.after_claim");
    let outcomes = match publisher
        .publish_all(bells.iter().map(outgoing).collect())
        .await
    {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tracing::debug!(%error, rows = claimed, "the broker takes nothing now; the rows go back");
            let refused: Vec<Refused> = bells
                .iter()
                .map(|bell| Refused {
                    id: bell.id,
                    problem: error.to_string(),
                    wait_s: 0.5,
                })
                .collect();
            outbox::put_back(store, token, &refused).await?;
            return Ok(0);
        }
    };
    sever_crash_point::hit("relay.after_publish");
    let (confirmed, refused) = sort(&bells, &outcomes);
    if !confirmed.is_empty() {
        outbox::confirm(store, token, &confirmed, settings.claim_lease.as_secs_f64()).await?;
        sever_crash_point::hit("relay.after_confirm");
    }
    if !refused.is_empty() {
        tracing::warn!(rows = refused.len(), first = %refused[0].problem, "the broker did not take some bells; each backs off by itself");
        outbox::put_back(store, token, &refused).await?;
        sever_crash_point::hit("relay.after_put_back");
    }
    Ok(claimed)
}

fn outgoing(bell: &ClaimedBell) -> Outgoing {
    Outgoing {
        exchange: bell.exchange.clone(),
        routing_key: bell.routing_key.clone(),
        message_id: bell.id,
        body: bell.body.clone(),
        content_type: Some("application/json".to_owned()),
        type_: Some("sever.bell".to_owned()),
        user_id: None,
        headers: std::collections::BTreeMap::new(),
    }
}

fn sort(bells: &[ClaimedBell], outcomes: &[PublishOutcome]) -> (Vec<Uuid>, Vec<Refused>) {
    let backoff = refusal_backoff();
    let mut confirmed = Vec::new();
    let mut refused = Vec::new();
    for (bell, outcome) in bells.iter().zip(outcomes) {
        let (problem, wait) = match outcome {
            PublishOutcome::Confirmed => {
                confirmed.push(bell.id);
                continue;
            }
            PublishOutcome::Returned { reply_code, text } => (
                format!(
                    "no queue for {} {}: {reply_code} {text}",
                    bell.exchange, bell.routing_key
                ),
                backoff.delay(u32::try_from(bell.tries).unwrap_or(1), rand::random()),
            ),
            PublishOutcome::Nacked => (
                "refused by the broker".to_owned(),
                backoff.delay(u32::try_from(bell.tries).unwrap_or(1), rand::random()),
            ),
            PublishOutcome::Unknown => ("no confirm".to_owned(), Duration::from_millis(500)),
        };
        refused.push(Refused {
            id: bell.id,
            problem,
            wait_s: wait.as_secs_f64(),
        });
    }
    (confirmed, refused)
}
