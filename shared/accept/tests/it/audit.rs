//! Audit events: one for each transition, in order, without personal data, and never changed.

use serde_json::{Value, json};

use crate::fixture::{Fixture, leaver, opt_out};

#[tokio::test]
async fn every_transition_has_its_event() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = leaver("e-1");
    event["data"]["person"]["email"] = json!("ada@example.test");
    fixture.hr_sends(&event).await;
    fixture
        .hr_sends(&crate::fixture::event("e-2", "rehired", "E1", 2))
        .await;
    let kinds = fixture
        .sql("SELECT kind FROM audit_event ORDER BY seq")
        .await;
    let expected = [
        "request.accepted",
        "employment.recorded",
        "opt_out.opened",
        "job.created",
        "job.created",
        "request.accepted",
        "employment.recorded",
        "hold.opened",
        "job.settled",
        "job.settled",
    ];
    assert_eq!(kinds.lines().collect::<Vec<_>>(), expected);
    assert_eq!(fixture.count("audit_event WHERE digest <> sha256(canonical) OR actor <> 'source:hr' OR subject_id IS NULL").await, 0);
    let texts = fixture
        .sql("SELECT convert_from(canonical, 'UTF8') FROM audit_event")
        .await;
    assert!(
        !texts.contains("example.test") && !texts.contains("Family"),
        "{texts}"
    );
    for text in texts.lines() {
        let event: Value = serde_json::from_str(text).unwrap();
        assert_eq!(event.to_string(), text, "canonical");
    }
}

#[tokio::test]
async fn a_service_may_add_events_and_change_none() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture
        .ask("k-1", &opt_out(subject, "remove"))
        .await
        .unwrap();
    for statement in [
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ] {
        let refused = fixture
            .database
            .sql_as_app(statement)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("permission denied"),
            "{statement}: {refused}"
        );
    }
    assert!(fixture.count("audit_event").await > 0);
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_kept_once_and_counted() {
    let (fixture, _) = Fixture::with_person().await;
    let body = br#"{"specversion":"0.3"}"#;
    let fault = sever_accept::LeaverEvent::parse(body).unwrap_err();
    let why = sever_accept::AcceptError::Field(fault);
    for _ in 0..2 {
        sever_accept::reject(
            &fixture.store,
            "hr",
            sever_domain::request::Channel::Amqp,
            body,
            &why,
        )
        .await
        .unwrap();
    }
    let large = vec![b'x'; 300 * 1024];
    let fault = sever_accept::LeaverEvent::parse(&large).unwrap_err();
    sever_accept::reject(
        &fixture.store,
        "h\0r",
        sever_domain::request::Channel::Amqp,
        &large,
        &fault.into(),
    )
    .await
    .unwrap();
    let rows = fixture.sql("SELECT source_name, times, octet_length(body), body_bytes FROM intake_reject ORDER BY received_at").await;
    assert_eq!(rows, "hr|2|21|21\nhr|1|262144|307200");
}
