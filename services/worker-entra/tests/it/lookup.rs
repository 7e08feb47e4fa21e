//! Finding accounts: what came back is compared before it is believed.

use serde_json::json;
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_domain::{AccountState, OutcomeClass};
use sever_provider::{Account, Connector as _, FoundAccount};

use crate::people;
use crate::sim::Sim;

fn person(emails: &[&str]) -> PersonAttributes {
    PersonAttributes {
        emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        given_name: Some("Ada".into()),
        family_name: Some("Byron".into()),
        external_ids: vec!["E1".into()],
    }
}

async fn found(sim: &Sim, emails: &[&str]) -> Vec<Account> {
    sim.people().find_by_login(&person(emails)).await.unwrap()
}

#[tokio::test]
async fn an_address_finds_its_account_as_login_and_as_mail_whatever_its_case() {
    let sim = Sim::start(json!({"index_lag_ms": 600_000})).await;
    let mut document = people::rich();
    document["users"][0]["email"] = json!("Ada.Byron@example.com");
    sim.seed(&document).await;
    for emails in [
        &["nobody@example.com", "ADA@example.com"][..],
        &["ada.byron@EXAMPLE.com"][..],
        &["ada@example.com", "ada.byron@example.com"][..],
    ] {
        let found = found(&sim, emails).await;
        assert_eq!(found.len(), 1, "{emails:?}");
        assert_eq!(found[0].provider_id, "ada");
        assert!(matches_on_two(&person(emails), &found[0].attributes));
    }
    assert_eq!(found(&sim, &["o'neil@example.com", " "]).await, vec![]);
}

#[tokio::test]
async fn a_server_that_ignores_the_filter_finds_nobody_else() {
    let sim = Sim::start(json!({"ignore_filter": true})).await;
    sim.seed(&people::rich()).await;
    assert_eq!(found(&sim, &["nobody@example.com"]).await, vec![]);
    assert_eq!(found(&sim, &["ada@example.com"]).await.len(), 1);
}

#[tokio::test]
async fn an_id_finds_what_is_there_what_was_deleted_and_nothing_else() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let people = sim.people();
    // By id, an answer to a login is an error: it is another account than the one that was confirmed.
    let error = people.find_by_id("ada@example.com").await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    sim.mutate(json!({"do": "delete", "user": "ada"})).await;
    let FoundAccount::Present(account) = people.find_by_id("ada").await.unwrap() else {
        panic!("a deleted account can be restored, and is not absent");
    };
    assert_eq!(
        (account.state, account.provider_state.as_str()),
        (AccountState::Deactivated, "deleted")
    );
    assert_eq!(
        people.find_by_id("nobody").await.unwrap(),
        FoundAccount::Absent
    );
}

#[tokio::test]
async fn a_login_leads_to_the_user_who_was_deleted_before() {
    for changed in [false, true] {
        let sim = Sim::start(json!({
            "page_size": 1, "unconfirmed": {"deleted_shown_changed": changed}
        }))
        .await;
        sim.seed(&people::rich()).await;
        for user in ["ben", "ada"] {
            sim.mutate(json!({"do": "delete", "user": user})).await;
        }
        let found = found(&sim, &["nobody@example.com", "Ada@example.com"]).await;
        assert_eq!(found.len(), 1, "shown changed: {changed}");
        assert_eq!(
            (found[0].provider_id.as_str(), found[0].state),
            ("ada", AccountState::Deactivated)
        );
        assert!(matches_on_two(
            &person(&["ada@example.com"]),
            &found[0].attributes
        ));
        sim.mutate(json!({"do": "purge", "user": "ada"})).await;
        assert_eq!(self::found(&sim, &["ada@example.com"]).await, vec![]);
    }
}

#[tokio::test]
async fn somebody_found_alive_is_not_looked_for_among_the_deleted() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    assert_eq!(found(&sim, &["ada@example.com"]).await.len(), 1);
    let journal = sim.journal().await;
    assert!(
        !journal.iter().any(|call| call["family"] == "deleted"),
        "{journal:?}"
    );
}

#[tokio::test]
async fn an_address_that_is_no_segment_is_not_taken_for_absent() {
    let sim = Sim::start(json!({})).await;
    for address in ["a/b@example.com", "$a@example.com"] {
        let error = sim
            .people()
            .find_by_login(&person(&[address]))
            .await
            .unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson, "{address}");
    }
}
