//! Effective times: at once, later, held, refused.

use serde_json::json;
use sever_accept::AcceptError;

use crate::fixture::{Fixture, hours_from_now, leaver};

#[tokio::test]
async fn up_to_thirty_days_past_starts_at_once_with_its_bell_in_the_same_transaction() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = leaver("e-1");
    event["data"]["effective_at"] = json!(hours_from_now(-24 * 29));
    fixture.hr_sends(&event).await;
    assert_eq!(
        fixture
            .count("job WHERE state = 'waiting' AND due_at = accepted_at")
            .await,
        2
    );
    assert_eq!(
        fixture
            .sql("SELECT DISTINCT exchange, routing_key FROM outbox")
            .await,
        "sever.cmd|okta"
    );
    let bell: serde_json::Value = serde_json::from_str(
        &fixture
            .sql("SELECT convert_from(body, 'UTF8') FROM outbox LIMIT 1")
            .await,
    )
    .unwrap();
    assert_eq!(
        bell.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["job", "v"]
    );
}

#[tokio::test]
async fn a_future_one_waits_without_a_bell() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = leaver("e-1");
    event["data"]["effective_at"] = json!(hours_from_now(24));
    fixture.hr_sends(&event).await;
    assert_eq!(fixture.count("job WHERE state = 'waiting' AND due_at = effective_at AND due_at > now() + interval '23 hours'").await, 2);
    assert_eq!(fixture.count("outbox").await, 0);
}

#[tokio::test]
async fn an_older_one_is_held() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = leaver("e-1");
    event["data"]["effective_at"] = json!(hours_from_now(-24 * 31));
    fixture.hr_sends(&event).await;
    assert_eq!(
        fixture
            .count("job WHERE state = 'held' AND state_reason = 'effective_too_old'")
            .await,
        2
    );
    assert_eq!(
        fixture
            .sql("SELECT scope, reason, policy, requested_by FROM hold")
            .await,
        "opt_out|effective_too_old|nothing|source:hr"
    );
    assert_eq!(fixture.count("outbox").await, 0);
}

#[tokio::test]
async fn more_than_four_hundred_days_ahead_is_refused_and_names_the_field() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = leaver("e-1");
    event["data"]["effective_at"] = json!(hours_from_now(24 * 401));
    match fixture.send(&fixture.hr_asker(), &event).await.unwrap_err() {
        AcceptError::Field(fault) => assert_eq!(fault.field, "/data/effective_at"),
        other => panic!("{other}"),
    }
    assert_eq!(
        fixture.count("request").await + fixture.count("employment_event").await,
        0
    );
}

#[tokio::test]
async fn an_old_event_does_not_stop_or_strengthen_what_is_under_way() {
    let (fixture, subject) = Fixture::with_person().await;
    let mut later = crate::fixture::opt_out(subject, "disable");
    later["effective_at"] = json!(hours_from_now(24));
    fixture.ask("k-1", &later).await.unwrap();
    let mut old = leaver("e-1");
    old["data"]["effective_at"] = json!(hours_from_now(-24 * 31));
    let held = fixture.hr_sends(&old).await;
    assert_eq!(
        (held.state, held.opt_out),
        (sever_domain::request::RequestState::Held, None)
    );
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting disable ordinary",
            "okta-main waiting disable ordinary"
        ]
    );
    assert_eq!(
        fixture
            .count("hold WHERE scope = 'request' AND reason = 'effective_too_old'")
            .await,
        1
    );
}
