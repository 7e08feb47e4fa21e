//! Finding a person's account.

use serde_json::json;
use sever_domain::OutcomeClass;
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_provider::{Connector as _, FoundAccount};

use crate::people;
use crate::sim::Sim;

fn ada() -> PersonAttributes {
    PersonAttributes {
        emails: vec!["ADA@example.com".into(), "nobody@example.com".into()],
        given_name: Some("Ada".into()),
        family_name: Some("Byron".into()),
        external_ids: vec!["E7".into()],
    }
}

#[tokio::test]
async fn a_person_is_found_by_login_however_the_application_filters() {
    for settings in [
        json!({}),
        json!({ "ignore_filter": true }),
        json!({ "refused_filters": ["userName"] }),
        json!({ "refused_filters": ["emails.value"] }),
        json!({ "no_match_status": 404 }),
        json!({ "attribute_case": "lower", "page_size_max": 1, "total_results": false }),
    ] {
        let sim = Sim::start(settings.clone()).await;
        let users = sim.seed(&people::two()).await;
        let found = sim.connector().find_by_login(&ada()).await.unwrap();
        let ids: Vec<&str> = found
            .iter()
            .map(|account| account.provider_id.as_str())
            .collect();
        assert_eq!(ids, [users[0].as_str()], "{settings}");
        assert!(matches_on_two(&ada(), &found[0].attributes));
        assert_eq!(found[0].attributes.employee_number.as_deref(), Some("E7"));
    }
}

#[tokio::test]
async fn an_address_that_is_not_the_login_finds_too_and_a_stranger_does_not() {
    let sim = Sim::start(json!({})).await;
    let document = json!({ "users": [
        { "login": "abyron", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron" },
        { "login": "other", "email": "ada@example.com.test" },
    ] });
    let users = sim.seed(&document).await;
    let found = sim.connector().find_by_login(&ada()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].provider_id, users[0]);
    let stranger = PersonAttributes {
        emails: vec!["x\" or id pr".into(), " ".into()],
        ..PersonAttributes::default()
    };
    assert_eq!(
        sim.connector().find_by_login(&stranger).await.unwrap(),
        vec![]
    );
}

/// How many lists of everybody were read.
async fn lists_of_all(sim: &Sim) -> usize {
    let journal = sim.journal().await;
    let all = journal.iter().filter(|call| {
        call["operation"] == "list_users" && !call["query"].to_string().contains("filter")
    });
    all.count()
}

#[tokio::test]
async fn nobody_is_believed_only_of_a_filter_that_has_found_somebody() {
    let sim = Sim::start(json!({ "unknown_filters": ["emails.value"] })).await;
    let document = json!({ "users": [
        { "login": "abyron", "email": "ada@example.com" }, { "login": "bob@example.com" },
    ] });
    let users = sim.seed(&document).await;
    let connector = sim.connector();
    let found = connector.find_by_login(&ada()).await.unwrap();
    assert_eq!(found.len(), 1, "the filter finds nothing, and she is there");
    assert_eq!(found[0].provider_id, users[0]);
    let bob = PersonAttributes {
        emails: vec!["bob@example.com".into()],
        ..PersonAttributes::default()
    };
    let found = connector.find_by_login(&bob).await.unwrap();
    assert_eq!(found[0].provider_id, users[1]);
    sim.configure(json!({})).await;
    let nobody = PersonAttributes {
        emails: vec!["nobody@example.com".into()],
        ..PersonAttributes::default()
    };
    let connector = sim.connector();
    sim.clear_journal().await;
    assert_eq!(connector.find_by_login(&nobody).await.unwrap(), vec![]);
    assert_eq!(
        lists_of_all(&sim).await,
        1,
        "nothing is known of the filter"
    );
    connector.find_by_login(&ada()).await.unwrap();
    assert_eq!(connector.find_by_login(&nobody).await.unwrap(), vec![]);
    assert_eq!(lists_of_all(&sim).await, 1, "it has found somebody");
}

#[tokio::test]
async fn where_no_list_of_everybody_is_given_nobody_is_not_taken_for_absent() {
    let sim = Sim::start(json!({ "unfiltered_refusal": 400 })).await;
    sim.seed(&people::two()).await;
    let connector = sim.connector();
    let nobody = PersonAttributes {
        emails: vec!["nobody@example.com".into()],
        ..PersonAttributes::default()
    };
    let error = connector.find_by_login(&nobody).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert!(error.what.contains("import"), "{error}");
    assert_eq!(connector.find_by_login(&ada()).await.unwrap().len(), 1);
    assert_eq!(connector.find_by_login(&nobody).await.unwrap(), vec![]);
}

#[tokio::test]
async fn an_id_leads_to_its_account_or_to_nothing() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let connector = sim.connector();
    let FoundAccount::Present(account) = connector.find_by_id(&ada).await.unwrap() else {
        panic!("it is there")
    };
    assert_eq!(
        (
            account.provider_id.as_str(),
            account.provider_state.as_str()
        ),
        (ada.as_str(), "active")
    );
    assert_eq!(
        connector.find_by_id("nobody").await.unwrap(),
        FoundAccount::Absent
    );
    assert!(connector.find_by_id("..").await.is_err());
    let other = json!({ "id": "somebody-else", "userName": "x" });
    sim.fault(
        json!({ "when": { "operation": "get_user" }, "then": { "status": 200, "body": other } }),
    )
    .await;
    assert!(connector.find_by_id(&ada).await.is_err());
}
