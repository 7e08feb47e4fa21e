//! Further requests for the same person: one open opt-out, and what each of them adds to it.

use serde_json::json;
use sever_domain::request::RequestState;

use crate::fixture::{Fixture, event, hours_from_now, leaver, opt_out};

#[tokio::test]
async fn two_sources_that_report_the_same_leaver_end_in_one_opt_out() {
    let (fixture, subject) = Fixture::with_person().await;
    let twin = sever_store::person_import::ImportedPerson {
        source: fixture.idp,
        external_id: "u-17".to_owned(),
        ..fixture.person("E1")
    };
    fixture.import(&[twin]).await;
    assert_eq!(
        fixture.subject("idp", "u-17").await,
        subject,
        "mail and name agree"
    );
    let first = fixture.hr_sends(&leaver("e-1")).await;
    let second = fixture
        .send(&fixture.idp_asker(), &event("x-1", "leaver", "u-17", 1))
        .await
        .unwrap();
    assert!(second.created);
    assert_eq!(first.opt_out, second.opt_out);
    assert_eq!(
        fixture.sql("SELECT revision FROM opt_out").await,
        "1",
        "nothing changed for the workers"
    );
    // Even after all is done the second report of the same leave opens nothing.
    fixture.finish_jobs(&["okta-main", "okta-lab"]).await;
    let third = fixture
        .send(&fixture.idp_asker(), &event("x-2", "leaver", "u-17", 1))
        .await
        .unwrap();
    assert_eq!(
        (third.state, third.opt_out),
        (RequestState::Attached, first.opt_out)
    );
    assert_eq!(fixture.count("opt_out").await, 1);
    // A removal after it was reversed: access was given back, and the old proof says nothing any more.
    let again = fixture.ask("k-2", &opt_out(subject, "remove")).await;
    fixture.finish_jobs(&["okta-main", "okta-lab"]).await;
    fixture
        .sql(&format!(
            "UPDATE opt_out SET state = 'reversed' WHERE id = '{}'",
            again.unwrap().opt_out.unwrap()
        ))
        .await;
    let fourth = fixture
        .send(&fixture.idp_asker(), &event("x-3", "leaver", "u-17", 1))
        .await
        .unwrap();
    assert_ne!(fourth.opt_out, first.opt_out);
    assert_eq!(fixture.count("opt_out WHERE state = 'open'").await, 1);
}

#[tokio::test]
async fn scope_is_the_union_and_each_connection_gets_the_strongest_and_earliest_of_its_requests() {
    let (fixture, subject) = Fixture::with_person().await;
    let mut narrow = opt_out(subject, "disable");
    narrow["scope"] = json!(["okta-main"]);
    narrow["effective_at"] = json!(hours_from_now(48));
    let first = fixture.ask("k-1", &narrow).await.unwrap();
    assert_eq!(fixture.jobs().await, ["okta-main waiting disable ordinary"]);
    assert_eq!(fixture.count("outbox").await, 0, "its time has not come");

    let mut other = opt_out(subject, "remove");
    other["scope"] = json!(["okta-lab"]);
    other["urgency"] = json!("urgent");
    let second = fixture.ask("k-2", &other).await.unwrap();
    assert_eq!(first.opt_out, second.opt_out);
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting remove urgent",
            "okta-main waiting disable ordinary"
        ]
    );
    assert_eq!(
        fixture.sql("SELECT routing_key FROM outbox").await,
        "okta.urgent"
    );
    assert_eq!(
        fixture
            .sql("SELECT intent, cardinality(scope), revision FROM opt_out")
            .await,
        "remove|2|2"
    );

    fixture.hr_sends(&leaver("e-1")).await;
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting remove urgent",
            "okta-main waiting remove ordinary"
        ]
    );
    assert_eq!(
        fixture
            .sql("SELECT scope IS NULL, revision FROM opt_out")
            .await,
        "t|3"
    );
    assert_eq!(
        fixture.count("job WHERE due_at <= now()").await,
        2,
        "the later one is pulled forward"
    );
    assert_eq!(fixture.count("outbox").await, 2);
}

#[tokio::test]
async fn a_done_job_of_an_open_opt_out_gets_a_new_one_when_more_is_asked() {
    let (fixture, subject) = Fixture::with_person().await;
    let opened = fixture
        .ask("k-1", &opt_out(subject, "disable"))
        .await
        .unwrap();
    fixture.finish_jobs(&["okta-main"]).await;
    let stronger = fixture
        .ask("k-2", &opt_out(subject, "remove"))
        .await
        .unwrap();
    assert_eq!(stronger.opt_out, opened.opt_out);
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab waiting remove ordinary",
            "okta-main done disable ordinary",
            "okta-main waiting remove ordinary"
        ]
    );
}

#[tokio::test]
async fn a_closed_opt_out_gets_a_successor() {
    let (fixture, subject) = Fixture::with_person().await;
    let first = fixture
        .ask("k-1", &opt_out(subject, "disable"))
        .await
        .unwrap();
    fixture.finish_jobs(&["okta-main", "okta-lab"]).await;
    let leaver = fixture.hr_sends(&leaver("e-1")).await;
    assert_ne!(leaver.opt_out, first.opt_out);
    fixture.finish_jobs(&["okta-main", "okta-lab"]).await;
    // A newer leave of the same source is a new fact.
    let newer = fixture.hr_sends(&event("e-2", "leaver", "E1", 2)).await;
    assert_ne!(newer.opt_out, leaver.opt_out);
    assert_eq!(fixture.count("opt_out").await, 3);
}

#[tokio::test]
async fn a_running_job_is_strengthened_in_place_and_told_to_look_again() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture
        .ask("k-1", &opt_out(subject, "disable"))
        .await
        .unwrap();
    fixture
        .sql("UPDATE job SET state = 'running', lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute', lease_epoch = 1, due_at = NULL")
        .await;
    fixture
        .ask("k-2", &opt_out(subject, "remove"))
        .await
        .unwrap();
    assert_eq!(
        fixture
            .count("job WHERE state = 'running' AND intent = 'remove' AND rung_again")
            .await,
        2
    );
    assert_eq!(fixture.sql("SELECT revision FROM opt_out").await, "2");
}

#[tokio::test]
async fn a_job_of_a_parked_connection_is_parked_and_the_others_start() {
    let (fixture, subject) = Fixture::with_person().await;
    fixture.sql("UPDATE connection SET state = 'parked', state_reason = 'credentials' WHERE name = 'okta-lab'").await;
    fixture
        .ask("k-1", &opt_out(subject, "remove"))
        .await
        .unwrap();
    assert_eq!(
        fixture.jobs().await,
        [
            "okta-lab parked remove ordinary",
            "okta-main waiting remove ordinary"
        ]
    );
    assert_eq!(fixture.count("outbox").await, 1);
}
