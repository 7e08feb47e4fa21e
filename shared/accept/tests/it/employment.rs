//! Employment events that contradict each other, in both orders.

use sever_domain::request::RequestState;

use crate::fixture::{Fixture, event, leaver, opt_out};

#[tokio::test]
async fn a_leaver_event_makes_the_person_one_who_left() {
    let (fixture, _) = Fixture::with_person().await;
    fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(
        fixture.sql("SELECT employment_state FROM person").await,
        "left"
    );
    // A list that still says active does not bring the person back.
    fixture.import(&[fixture.person("E1")]).await;
    assert_eq!(
        fixture.sql("SELECT employment_state FROM person").await,
        "left"
    );
}

#[tokio::test]
async fn a_newer_rehire_stops_the_open_opt_out() {
    for kind in ["rehired", "leave-cancelled", "last-day-changed"] {
        let (fixture, _) = Fixture::with_person().await;
        let left = fixture.hr_sends(&leaver("e-1")).await;
        let version = fixture.sql("SELECT version FROM subject").await;
        let back = fixture.hr_sends(&event("e-2", kind, "E1", 2)).await;
        assert_eq!(
            (back.state, back.opt_out),
            (RequestState::Recorded, left.opt_out),
            "{kind}"
        );
        assert_eq!(fixture.count("job WHERE state = 'held' AND state_reason = 'newer_employment_event' AND due_at IS NULL").await, 2);
        assert_eq!(
            fixture.sql("SELECT scope, reason, policy FROM hold").await,
            "opt_out|newer_employment_event|nothing"
        );
        assert_eq!(
            fixture.sql("SELECT employment_state FROM person").await,
            "active"
        );
        assert_ne!(
            fixture.sql("SELECT version FROM subject").await,
            version,
            "running intents must notice"
        );
    }
}

#[tokio::test]
async fn a_leaver_event_that_a_newer_event_contradicts_is_held_and_never_dropped() {
    let (fixture, _) = Fixture::with_person().await;
    fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    let late = fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(late.state, RequestState::Attached);
    assert_eq!(
        fixture
            .count("job WHERE state = 'held' AND state_reason = 'newer_employment_event'")
            .await,
        2
    );
    assert_eq!(
        fixture
            .sql("SELECT detail ->> 'kind', detail ->> 'version' FROM hold")
            .await,
        "rehired|2"
    );
    assert_eq!(
        fixture.sql("SELECT employment_state FROM person").await,
        "active"
    );
    assert_eq!(fixture.count("outbox").await, 0);
}

#[tokio::test]
async fn an_older_rehire_changes_nothing() {
    let (fixture, _) = Fixture::with_person().await;
    fixture.hr_sends(&event("e-3", "leaver", "E1", 3)).await;
    let late = fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    assert_eq!((late.state, late.opt_out), (RequestState::Recorded, None));
    assert_eq!(fixture.count("hold").await, 0);
    assert_eq!(
        fixture.sql("SELECT employment_state FROM person").await,
        "left"
    );
    assert_eq!(fixture.sql("SELECT version FROM subject").await, "1");
}

#[tokio::test]
async fn a_rehire_does_not_stop_what_an_operator_asked_for() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture
        .ask("k-1", &opt_out(subject, "disable"))
        .await
        .unwrap();
    fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    assert_eq!(fixture.count("hold").await, 0);
    assert_eq!(fixture.count("job WHERE state = 'waiting'").await, 2);
}

#[tokio::test]
async fn after_a_rehire_the_next_leave_opens_a_successor() {
    let (fixture, _) = Fixture::with_person().await;
    let first = fixture.hr_sends(&leaver("e-1")).await;
    fixture.finish_jobs(&["okta-main", "okta-lab"]).await;
    fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    assert_eq!(fixture.count("hold").await, 0, "nothing is left to stop");
    let next = fixture.hr_sends(&event("e-3", "leaver", "E1", 3)).await;
    assert!(next.opt_out.is_some() && next.opt_out != first.opt_out);
    assert_eq!(fixture.count("job WHERE state = 'waiting'").await, 2);
}
