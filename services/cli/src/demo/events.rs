//! What the HR system says: 50 leavers, one of them twice, and one message that nobody can read.

use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sever_bus::topology::EXCHANGE_IN;
use sever_bus::{Bus, BusConfig, Outgoing, PublishOutcome, Topology};
use sever_config::SecretString;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cast::{Cast, Leaver, Part};
use crate::dev::fleet::SOURCE;

/// How far ahead the dated one is.
const AHEAD: SignedDuration = SignedDuration::from_secs(20);
/// Where the company's office is.
const ZONE: &str = "Europe/Berlin";
/// Until the broker lets us in.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);

/// Publishes all messages as the HR system, and waits until the broker has each of them.
///
/// # Errors
/// Where the broker cannot be reached within 30 s or does not take every message.
pub(super) async fn publish(cast: &Cast, url: &SecretString, user: &str) -> anyhow::Result<usize> {
    let end = CancellationToken::new();
    let _ends_with_us = end.clone().drop_guard();
    let config = BusConfig::new(url.clone(), "hr.publish", Topology::default());
    let bus = Bus::start(config, &end)?;
    let up = tokio::time::timeout(CONNECT_DEADLINE, bus.up()).await;
    if !matches!(up, Ok(true)) {
        bail!(
            "the HR system could not connect to the broker within {} s",
            CONNECT_DEADLINE.as_secs()
        );
    }
    let messages: Vec<Outgoing> = bodies(cast, Timestamp::now())?
        .into_iter()
        .map(|body| message(body, user))
        .collect();
    let count = messages.len();
    let outcomes = bus
        .publisher()
        .publish_all(messages)
        .await
        .context("publishing the leaver events")?;
    let refused = outcomes
        .iter()
        .find(|outcome| **outcome != PublishOutcome::Confirmed);
    if let Some(outcome) = refused {
        bail!("the broker did not take a leaver event: {outcome:?}");
    }
    end.cancel();
    bus.closed().await;
    Ok(count)
}

fn message(body: Vec<u8>, user: &str) -> Outgoing {
    Outgoing {
        exchange: EXCHANGE_IN.to_owned(),
        routing_key: format!("leaver.{SOURCE}"),
        message_id: Uuid::new_v4(),
        body,
        content_type: Some("application/cloudevents+json".to_owned()),
        // The broker refuses a message that names another user than the connection's.
        user_id: Some(user.to_owned()),
        ..Outgoing::default()
    }
}

/// The bodies, in the order in which they are sent.
fn bodies(cast: &Cast, now: Timestamp) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut bodies = cast
        .leavers
        .iter()
        .map(|leaver| event(leaver, now))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let repeated = bodies.first().context("nobody leaves")?.clone();
    let cut_short = bodies.last().context("nobody leaves")?;
    let malformed = cut_short[..cut_short.len() / 2].to_vec();
    bodies.extend([repeated, malformed]);
    Ok(bodies)
}

fn event(leaver: &Leaver, now: Timestamp) -> anyhow::Result<Vec<u8>> {
    let last_day_ends = if leaver.part == Part::DatedAhead {
        now + AHEAD
    } else {
        now
    };
    let zone = TimeZone::get(ZONE).context("looking up the time zone of the office")?;
    let event = json!({
        "specversion": "1.0",
        "id": Uuid::new_v4(),
        "source": "https://hr.example/employment",
        "type": "sever.employment.leaver.v1",
        "time": now.to_string(),
        "datacontenttype": "application/json",
        "data": {
            "person": {"external_id": leaver.external_id},
            "employment_version": 1,
            "effective_at": last_day_ends.to_zoned(zone).to_string(),
            "reason": "end of contract",
        },
    });
    Ok(event.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_comes_twice_and_one_is_cut_short() {
        let leaver = |place: usize, part| Leaver {
            external_id: format!("E-{place}"),
            part,
            accounts: Vec::new(),
        };
        let cast = Cast {
            people: Vec::new(),
            leavers: vec![leaver(1, Part::Plain), leaver(2, Part::DatedAhead)],
        };
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let bodies = bodies(&cast, now).unwrap();
        assert_eq!(bodies.len(), 4);
        assert_eq!(bodies[0], bodies[2]);
        let parsed = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body);
        assert!(parsed(&bodies[3]).is_err());
        let ahead = parsed(&bodies[1]).unwrap();
        assert_eq!(
            ahead["data"]["effective_at"],
            "2026-11-22T13:00:20+01:00[Europe/Berlin]"
        );
    }
}
