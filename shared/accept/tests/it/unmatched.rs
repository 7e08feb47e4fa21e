//! People whom nobody knows yet, and people who could be several.

use serde_json::json;
use sever_accept::{ReleaseError, release_request, retry_unmatched};
use sever_domain::HoldId;
use sever_domain::request::RequestState;
use sever_store::hold_decision::{Approver, HoldError};

use crate::fixture::{Fixture, event, hours_from_now, leaver};

const SECOND: Approver<'static> = Approver {
    actor: "token:second",
    source: None,
};

#[tokio::test]
async fn a_leaver_whom_nobody_knows_waits_for_the_import() {
    let fixture = Fixture::empty().await;
    let waiting = fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(
        (waiting.state, waiting.opt_out),
        (RequestState::Unmatched, None)
    );
    let none = retry_unmatched(&fixture.store, "system:intake")
        .await
        .unwrap();
    assert_eq!((none.matched, none.unmatched), (0, 1));
    fixture.import(&[fixture.person("E1")]).await;
    let found = retry_unmatched(&fixture.store, "system:intake")
        .await
        .unwrap();
    assert_eq!((found.matched, found.unmatched), (1, 0));
    assert_eq!(
        fixture
            .sql("SELECT state, opt_out_id IS NOT NULL FROM request")
            .await,
        "attached|t"
    );
    assert_eq!(fixture.jobs().await.len(), 2);
    assert_eq!(
        fixture
            .sql("SELECT kind, actor FROM audit_event WHERE kind LIKE 'request.%' ORDER BY seq")
            .await,
        "request.unmatched|source:hr\nrequest.matched|system:intake"
    );
    // The sender's repetition gets the present state.
    let again = fixture.hr_sends(&leaver("e-1")).await;
    assert!(again.request == waiting.request && again.opt_out.is_some() && !again.created);
}

#[tokio::test]
async fn one_person_with_the_mail_is_no_match_and_two_are_ambiguous() {
    let (fixture, _) = Fixture::with_person().await;
    let mut event = event("e-9", "leaver", "E9", 1);
    event["data"]["person"]["email"] = json!("E1@EXAMPLE.test");
    assert_eq!(
        fixture.hr_sends(&event).await.state,
        RequestState::Unmatched
    );
    let twin = sever_store::person_import::ImportedPerson {
        emails: vec!["e1@example.test".into()],
        ..fixture.person("E2")
    };
    fixture.import(&[twin]).await;
    event["id"] = json!("e-10");
    let held = fixture.hr_sends(&event).await;
    assert_eq!((held.state, held.opt_out), (RequestState::Held, None));
    assert_eq!(
        fixture
            .sql("SELECT scope, target_id, reason, requested_by FROM hold")
            .await,
        format!("request|{}|ambiguous_identity|source:hr", held.request)
    );
    assert_eq!(fixture.count("job").await, 0, "zero calls");
    assert_eq!(
        fixture
            .count("request WHERE external_id = 'E9' AND octet_length(email_digest) = 32")
            .await,
        2
    );
}

#[tokio::test]
async fn a_person_says_whom_an_ambiguous_request_means() {
    let (fixture, subject) = Fixture::with_person().await;
    let twin = sever_store::person_import::ImportedPerson {
        emails: vec!["e1@example.test".into()],
        ..fixture.person("E2")
    };
    fixture.import(&[twin]).await;
    let mut event = event("e-9", "leaver", "E9", 1);
    event["data"]["person"]["email"] = json!("e1@example.test");
    fixture.hr_sends(&event).await;
    let hold: HoldId = fixture.sql("SELECT id FROM hold").await.parse().unwrap();
    let nobody = release_request(&fixture.store, hold, None, SECOND, "it is E1").await;
    assert!(matches!(
        nobody,
        Err(ReleaseError::Hold(HoldError::NeedsPerson(_)))
    ));
    let asker = Approver {
        actor: "token:x",
        source: Some("hr"),
    };
    let same = release_request(&fixture.store, hold, Some(subject), asker, "it is E1").await;
    assert!(matches!(
        same,
        Err(ReleaseError::Hold(HoldError::Requester { .. }))
    ));
    let placed = release_request(&fixture.store, hold, Some(subject), SECOND, "it is E1")
        .await
        .unwrap();
    assert_eq!(
        (placed.state, placed.subject),
        (RequestState::Attached, Some(subject))
    );
    assert_eq!(fixture.jobs().await.len(), 2);
    assert_eq!(
        fixture.subject("hr", "E9").await,
        subject,
        "from then on the key is known"
    );
    assert_eq!(
        fixture.sql("SELECT state, decided_by FROM hold").await,
        "released|token:second"
    );
}

/// The import gave the key to somebody while a person was still looking at the request.
#[tokio::test]
async fn a_key_that_is_another_person_s_since_is_not_taken_from_them() {
    let (fixture, subject) = Fixture::with_person().await;
    let mut twin = fixture.person("E2");
    twin.emails = vec!["e1@example.test".to_owned()];
    fixture.import(&[twin]).await;
    let mut event = event("e-9", "leaver", "E9", 1);
    event["data"]["person"]["email"] = json!("e1@example.test");
    assert_eq!(fixture.hr_sends(&event).await.state, RequestState::Held);
    fixture.import(&[fixture.person("E9")]).await;
    let owner = fixture.subject("hr", "E9").await;
    let hold: HoldId = fixture.sql("SELECT id FROM hold").await.parse().unwrap();
    let refused = release_request(&fixture.store, hold, Some(subject), SECOND, "it is E1").await;
    assert!(matches!(
        refused,
        Err(ReleaseError::KeyTaken { owner: named }) if named == owner
    ));
    assert_eq!(fixture.count("hold WHERE state = 'open'").await, 1);
    assert_eq!(fixture.jobs().await.len(), 0);
    let placed = release_request(&fixture.store, hold, Some(owner), SECOND, "it is E9")
        .await
        .unwrap();
    assert_eq!(placed.subject, Some(owner));
}

#[tokio::test]
async fn an_approved_old_request_joins_what_is_under_way() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture
        .ask("k-1", &crate::fixture::opt_out(subject, "disable"))
        .await
        .unwrap();
    let mut old = leaver("e-1");
    old["data"]["effective_at"] = json!(hours_from_now(-24 * 31));
    assert_eq!(fixture.hr_sends(&old).await.state, RequestState::Held);
    let hold: HoldId = fixture.sql("SELECT id FROM hold").await.parse().unwrap();
    fixture.import(&[fixture.person("E2")]).await;
    let other = fixture.subject("hr", "E2").await;
    let refused = release_request(&fixture.store, hold, Some(other), SECOND, "it is E2").await;
    assert!(matches!(
        refused,
        Err(ReleaseError::OtherPerson { stored }) if stored == subject
    ));
    let placed = release_request(&fixture.store, hold, None, SECOND, "checked with HR")
        .await
        .unwrap();
    assert_eq!(placed.state, RequestState::Attached);
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting remove ordinary",
            "okta-main waiting remove ordinary"
        ]
    );
    assert_eq!(fixture.count("hold WHERE state = 'open'").await, 0);
}

#[tokio::test]
async fn a_rehire_that_waited_too_is_placed_before_the_leaver() {
    let fixture = Fixture::empty().await;
    fixture.hr_sends(&leaver("e-1")).await;
    fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    fixture.import(&[fixture.person("E1")]).await;
    assert_eq!(
        retry_unmatched(&fixture.store, "system:intake")
            .await
            .unwrap()
            .matched,
        2
    );
    assert_eq!(fixture.count("job WHERE state = 'held'").await, 2);
    assert_eq!(
        fixture.count("outbox").await,
        0,
        "no work started in between"
    );
}

#[tokio::test]
async fn a_request_that_waits_long_is_alerted_once() {
    let fixture = Fixture::empty().await;
    fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(
        retry_unmatched(&fixture.store, "system:intake")
            .await
            .unwrap()
            .alerted,
        0
    );
    fixture
        .sql("UPDATE request SET received_at = now() - interval '16 minutes'")
        .await;
    assert_eq!(
        retry_unmatched(&fixture.store, "system:intake")
            .await
            .unwrap()
            .alerted,
        1
    );
    let later = retry_unmatched(&fixture.store, "system:intake")
        .await
        .unwrap();
    assert_eq!((later.alerted, later.unmatched), (0, 1));
}

#[tokio::test]
async fn a_leaver_event_waits_for_the_first_connection() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture.sql("UPDATE connection SET state = 'closed'").await;
    let waiting = fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(
        (waiting.state, waiting.subject),
        (RequestState::Unmatched, Some(subject))
    );
    assert_eq!(
        retry_unmatched(&fixture.store, "system:intake")
            .await
            .unwrap()
            .matched,
        0
    );
    fixture
        .sql("UPDATE connection SET state = 'open' WHERE name = 'okta-main'")
        .await;
    assert_eq!(
        retry_unmatched(&fixture.store, "system:intake")
            .await
            .unwrap()
            .matched,
        1
    );
    assert_eq!(fixture.jobs().await, ["okta-main waiting remove ordinary"]);
}
