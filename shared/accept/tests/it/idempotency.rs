//! The same key: the same answer, whoever is faster; another body under it is a conflict.

use serde_json::json;
use sever_accept::AcceptError;
use sever_domain::request::RequestState;

use crate::fixture::{Fixture, event, leaver, nobody, opt_out};

#[tokio::test]
async fn a_repeated_event_gets_the_answer_of_the_first() {
    let (fixture, subject) = Fixture::with_person().await;
    let first = fixture.hr_sends(&leaver("e-1")).await;
    assert!(
        first.created && first.state == RequestState::Attached && first.subject == Some(subject)
    );
    // Another layout of the same body, by another way, is the same request.
    let again = fixture
        .send(
            &sever_accept::Asker {
                channel: sever_domain::request::Channel::Http,
                ..fixture.hr_asker()
            },
            &leaver("e-1"),
        )
        .await
        .unwrap();
    assert!(!again.created);
    assert_eq!(
        (again.request, again.opt_out),
        (first.request, first.opt_out)
    );
    assert_eq!(fixture.count("request").await, 1);
}

#[tokio::test]
async fn another_body_under_the_key_is_a_conflict_with_both_digests() {
    let (fixture, subject) = Fixture::with_person().await;
    let first = fixture
        .ask("k", &opt_out(subject, "disable"))
        .await
        .unwrap();
    let refused = fixture
        .ask("k", &opt_out(subject, "remove"))
        .await
        .unwrap_err();
    let AcceptError::KeyReused { accepted, offered } = refused else {
        panic!("{refused}")
    };
    assert_ne!(accepted, offered);
    let kept = fixture
        .sql("SELECT encode(body_digest, 'hex') FROM request")
        .await;
    assert_eq!(kept, accepted.map(|byte| format!("{byte:02x}")).concat());
    assert_eq!(fixture.jobs().await[0], "okta-lab waiting disable ordinary");
    // The same key of another asker is another request.
    let event = event("k", "leaver", "E1", 1);
    assert_eq!(fixture.hr_sends(&event).await.opt_out, first.opt_out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_at_once_are_one_request_and_one_opt_out() {
    let (fixture, _) = Fixture::with_person().await;
    let event = leaver("e-1");
    let known = (0..20).map(|_| fixture.hr_sends(&event));
    let answers = futures_of(known).await;
    assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.opt_out == answers[0].opt_out)
    );
    // The same for somebody whom nobody knows, where there is no row to queue at.
    let stranger = crate::fixture::event("e-2", "leaver", "E9", 1);
    let unknown = (0..20).map(|_| fixture.hr_sends(&stranger));
    let answers = futures_of(unknown).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.request == answers[0].request)
    );
    assert_eq!(fixture.count("request").await, 2);
    assert_eq!(fixture.count("opt_out").await, 1);
    assert_eq!(fixture.count("job").await, 2);
    assert_eq!(
        fixture
            .count("audit_event WHERE kind = 'opt_out.opened'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_askers_at_once_end_in_one_opt_out() {
    let (fixture, subject) = Fixture::with_person().await;
    let bodies: Vec<_> = (0..20)
        .map(|n| {
            (
                format!("k-{n}"),
                opt_out(subject, if n % 2 == 0 { "disable" } else { "remove" }),
            )
        })
        .collect();
    let asked = bodies
        .iter()
        .map(|(key, body)| async { fixture.ask(key, body).await.unwrap() });
    let answers = futures_of(asked).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.created && answer.opt_out == answers[0].opt_out)
    );
    assert_eq!(fixture.count("opt_out").await, 1);
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting remove ordinary",
            "okta-main waiting remove ordinary"
        ]
    );
}

#[tokio::test]
async fn unknown_people_and_connections_are_refused_and_leave_no_row() {
    let (fixture, subject) = Fixture::with_person().await;
    for (body, field) in [
        (opt_out(nobody(), "remove"), "/person/id"),
        (
            json!({"person": {"source": "nosuch", "external_id": "E1"}, "intent": "remove", "reason": "r"}),
            "/person/source",
        ),
        (
            json!({"person": {"source": "hr", "external_id": "E9"}, "intent": "remove", "reason": "r"}),
            "/person/external_id",
        ),
    ] {
        match fixture.ask("k", &body).await.unwrap_err() {
            AcceptError::UnknownPerson { field: named } => assert_eq!(named, field),
            other => panic!("{other}"),
        }
    }
    let mut elsewhere = opt_out(subject, "remove");
    elsewhere["scope"] = json!(["okta-main", "nosuch"]);
    let refused = fixture.ask("k", &elsewhere).await.unwrap_err();
    assert!(refused.to_string().contains("'nosuch'"), "{refused}");
    fixture.sql("UPDATE connection SET state = 'closed'").await;
    assert!(matches!(
        fixture.ask("k", &opt_out(subject, "remove")).await,
        Err(AcceptError::NoConnection)
    ));
    assert_eq!(
        fixture.count("request").await + fixture.count("audit_event").await,
        0
    );
}

/// All of them at once, in order.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures::future::join_all(futures).await
}
