//! What came back is taken away again only from whom it may be, as things stand under the subject's lock.

use serde_json::json;
use sever_accept::{AcceptError, Accepted, Asker, OptOutRequest, Repair, accept_repair};
use sever_domain::employment::EmploymentState;
use sever_domain::request::{Channel, RequestState};
use sever_domain::standing::Hindrance;
use sever_domain::{Situation, SubjectId};
use sever_store::drift::RECONCILER;

use crate::fixture::{CONNECTIONS, Fixture, event, leaver};

/// A leaver whose access is removed everywhere.
async fn removed() -> (Fixture, SubjectId) {
    let (fixture, person) = Fixture::with_person().await;
    fixture.hr_sends(&leaver("e-1")).await;
    fixture.finish_jobs(&CONNECTIONS).await;
    (fixture, person)
}

async fn repair(
    fixture: &Fixture,
    person: SubjectId,
    intent: &str,
    by_hand: bool,
) -> Result<Accepted, AcceptError> {
    let body = json!({"person": {"id": person}, "intent": intent, "scope": [CONNECTIONS[0]], "reason": "resurrected"});
    let asked = OptOutRequest::parse(body.to_string().as_bytes()).unwrap();
    let asker = Asker {
        name: RECONCILER.to_owned(),
        source: None,
        channel: Channel::Console,
    };
    let repair = Repair {
        situation: Situation::Resurrected,
        connection: fixture.connection(CONNECTIONS[0]).await,
        by_hand,
    };
    let key = format!("finding:{intent}:{by_hand}");
    accept_repair(&fixture.store, &asker, &key, &asked, repair).await
}

#[tokio::test]
async fn a_leavers_repair_is_an_opt_out_and_a_rehire_stops_it() {
    let (fixture, person) = removed().await;
    let accepted = repair(&fixture, person, "remove", false).await.unwrap();
    assert_eq!(accepted.state, RequestState::Attached);
    let back = fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    assert_eq!(back.opt_out, accepted.opt_out, "it rests on the leave");
    assert_eq!(
        fixture
            .count("job WHERE state = 'held' AND state_reason = 'newer_employment_event'")
            .await,
        1
    );
}

#[tokio::test]
async fn an_import_that_calls_somebody_active_again_stops_the_repair_of_the_leave_it_had_told() {
    let (fixture, person) = Fixture::with_person().await;
    let told = |employment| sever_store::person_import::ImportedPerson {
        employment,
        ..fixture.person("E1")
    };
    fixture.import(&[told(EmploymentState::Left)]).await;
    let accepted = repair(&fixture, person, "remove", false).await.unwrap();
    fixture.import(&[told(EmploymentState::Active)]).await;
    let held = "job WHERE state = 'held' AND state_reason = 'newer_employment_event'";
    assert_eq!(fixture.count(held).await, 1);
    assert_eq!(
        fixture
            .sql("SELECT target_id, reason, policy, requested_by, detail ->> 'kind' FROM hold")
            .await,
        format!(
            "{}|newer_employment_event|nothing|system:import|import",
            accepted.opt_out.unwrap()
        )
    );
    // The same list again changes nothing.
    fixture.import(&[told(EmploymentState::Active)]).await;
    assert_eq!(fixture.count("hold").await, 1);
}

#[tokio::test]
async fn nobody_is_removed_again_who_is_back() {
    let (fixture, person) = removed().await;
    fixture.hr_sends(&event("e-2", "rehired", "E1", 2)).await;
    for by_hand in [false, true] {
        let refused = repair(&fixture, person, "remove", by_hand).await;
        assert!(
            matches!(refused, Err(AcceptError::NotJustified(Hindrance::Stays))),
            "{refused:?}"
        );
    }
    assert_eq!(fixture.count("opt_out WHERE state = 'open'").await, 0);
}

#[tokio::test]
async fn what_a_person_rejected_is_done_by_a_person_only_and_never_further_than_it_was() {
    let (fixture, person) = removed().await;
    fixture
        .sql("UPDATE job SET intent = 'disable'; UPDATE opt_out SET intent = 'disable'")
        .await;
    let further = repair(&fixture, person, "remove", false).await;
    assert!(matches!(further, Err(AcceptError::Field(_))), "{further:?}");
    fixture
        .sql("UPDATE opt_out SET state = 'cancelled'; UPDATE job SET state = 'cancelled'")
        .await;
    let refused = repair(&fixture, person, "disable", false).await;
    assert!(
        matches!(refused, Err(AcceptError::NotJustified(Hindrance::Declined))),
        "{refused:?}"
    );
    let by_hand = repair(&fixture, person, "disable", true).await.unwrap();
    assert_eq!(by_hand.state, RequestState::Attached);
}
