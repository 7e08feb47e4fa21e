//! Finding people: by id, by address, and believing neither a filter nor another record.

use serde_json::json;
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_domain::{Intent, OutcomeClass};
use sever_provider::{Connector as _, FoundAccount};

use crate::drive::opt_out;
use crate::sim::{BOSS, Sim};

fn ada() -> PersonAttributes {
    PersonAttributes {
        emails: vec!["ADA@example.com ".into(), String::new()],
        given_name: Some("Ada".into()),
        family_name: Some("Byron".into()),
        external_ids: vec![],
    }
}

#[tokio::test]
async fn a_person_is_found_by_address_whatever_the_filter_does() {
    for settings in [
        json!({}),
        json!({ "ignore_filter": true, "page_size_max": 1 }),
    ] {
        let sim = Sim::start(settings).await;
        let (id, _) = sim.leaver(json!({})).await;
        sim.seed(&json!({ "people": [{ "email": "not-ada@example.com" }] }))
            .await;
        let found = sim.people().find_by_login(&ada()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].provider_id, id);
        assert!(matches_on_two(&ada(), &found[0].attributes));
    }
}

#[tokio::test]
async fn two_records_with_one_address_are_both_told() {
    let sim = Sim::start(json!({})).await;
    sim.leaver(json!({})).await;
    sim.leaver(json!({})).await;
    let found = sim.people().find_by_login(&ada()).await.unwrap();
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn nobody_is_absent_until_the_tenant_shows_somebody() {
    let sim = Sim::start(json!({})).await;
    let people = sim.people();
    assert!(matches!(
        people.find_by_id("nobody").await.unwrap(),
        FoundAccount::Absent
    ));
    people.canary().await.unwrap();
    sim.mutate(json!({ "do": "delete_person", "person": BOSS }))
        .await;
    let error = people.canary().await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
}

#[tokio::test]
async fn a_login_that_outlives_its_record_is_no_absence() {
    let sim = Sim::start(json!({})).await;
    let (id, _) = sim.leaver(json!({ "user": {} })).await;
    sim.mutate(json!({ "do": "delete_person", "person": id }))
        .await;
    let people = sim.people();
    let error = people.find_by_login(&ada()).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert!(!error.to_string().to_lowercase().contains("ada"), "{error}");
    sim.mutate(json!({ "do": "set_user", "user": "ada@example.com", "active": false }))
        .await;
    assert_eq!(people.find_by_login(&ada()).await.unwrap(), vec![]);
}

#[tokio::test]
async fn another_record_in_the_answer_is_an_error() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({})).await;
    let other = json!({ "id": "other", "emailAddress": "ada@example.com" });
    let then = json!({ "status": 200, "body": other });
    sim.fault(json!({ "when": { "operation": "get_person" }, "then": then }))
        .await;
    let error = sim.people().find_by_id(&ada).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
}

#[tokio::test]
async fn whoever_acknowledges_is_known_as_our_own() {
    let sim = Sim::start(json!({})).await;
    let own = sim.people().own_account().await.unwrap();
    assert_eq!(own.as_deref(), Some(BOSS));
    let own = sim.integrations().own_account().await.unwrap();
    assert_eq!(own.as_deref(), Some("vci_manage"));
    let outcome = opt_out(&sim.people(), Intent::Disable, "nobody").await;
    assert_eq!(outcome.refused, vec![]);
}
