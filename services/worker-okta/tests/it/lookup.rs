//! Finding accounts: what came back is compared before it is believed.

use serde_json::json;
use sever_domain::OutcomeClass;
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_provider::{Connector as _, FoundAccount};

use crate::people;
use crate::sim::Sim;

fn person(emails: &[&str]) -> PersonAttributes {
    PersonAttributes {
        emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        given_name: Some("Ada".into()),
        family_name: Some("Byron".into()),
        external_ids: vec![],
    }
}

#[tokio::test]
async fn a_login_finds_its_account_whatever_its_case_and_state() {
    let sim = Sim::start(json!({"search_lag_ms": 60_000})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    let connector = sim.connector();
    let ada_by = |emails: &'static [&'static str]| connector.find_by_login_of(emails);
    let found = ada_by(&["nobody@example.com", "ADA@example.com", "ada@example.com"]).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].provider_id, ada);
    assert!(matches_on_two(
        &person(&["ada@example.com"]),
        &found[0].attributes
    ));
    sim.control(
        "POST",
        "/okta/main/mutate",
        &json!({"do": "deactivate", "user": ada}),
    )
    .await;
    assert_eq!(ada_by(&["ada@example.com"]).await.len(), 1);
}

#[tokio::test]
async fn who_signs_in_by_another_name_is_found_by_the_address() {
    let people = json!({ "users": [
        { "login": "abyron@corp.local", "email": "Ada.Byron@example.com", "first_name": "Ada", "last_name": "Byron" },
        { "login": "ben@example.com", "first_name": "Ben", "last_name": "Costa" },
    ]});
    for settings in [
        json!({ "search_lag_ms": 60_000 }),
        json!({ "ignore_filter": true }),
    ] {
        let sim = Sim::start(settings).await;
        let ada = sim.seed(&people).await.remove(0);
        let connector = sim.connector();
        for address in ["Ada.Byron@example.com", " Ada.Byron@example.com"] {
            let found = connector.find_by_login_of(&[address, address]).await;
            assert_eq!(found.len(), 1, "{address}");
            assert_eq!(found[0].provider_id, ada);
            assert!(matches_on_two(&person(&[address]), &found[0].attributes));
        }
        assert_eq!(
            connector.find_by_login_of(&["nobody@example.com"]).await,
            vec![]
        );
    }
}

#[tokio::test]
async fn an_answer_to_a_shorter_name_or_an_id_is_no_find() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    let connector = sim.connector();
    assert_eq!(connector.find_by_login_of(&["ada"]).await, vec![]);
    let by_id = connector.find_by_login(&person(&[&ada])).await.unwrap();
    assert_eq!(by_id, vec![]);
    // By id, an answer to a login is an error: it is another account than the one that was confirmed.
    let error = connector.find_by_id("ada@example.com").await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    let absent = connector.find_by_id("00u1zzzzzzzzzzzzzzzz").await.unwrap();
    assert_eq!(absent, FoundAccount::Absent);
}

#[tokio::test]
async fn a_login_with_a_slash_is_not_taken_for_absent() {
    let sim = Sim::start(json!({})).await;
    let error = sim
        .connector()
        .find_by_login(&person(&["a/b@example.com"]))
        .await
        .unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
}

#[tokio::test]
async fn the_canary_wants_to_see_somebody() {
    let sim = Sim::start(json!({})).await;
    let connector = sim.connector();
    assert_eq!(
        connector.canary().await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
    sim.seed(&people::fixed()).await;
    connector.canary().await.unwrap();
}

trait FindByLogin {
    async fn find_by_login_of(&self, emails: &[&str]) -> Vec<sever_provider::Account>;
}

impl FindByLogin for sever_worker_okta::OktaConnector {
    async fn find_by_login_of(&self, emails: &[&str]) -> Vec<sever_provider::Account> {
        self.find_by_login(&person(emails)).await.unwrap()
    }
}
