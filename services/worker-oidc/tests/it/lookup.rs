//! Finding a person's account at a Keycloak.

use serde_json::json;
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
async fn a_person_is_found_by_login_however_the_server_searches() {
    for settings in [
        json!({}),
        json!({ "ignore_exact": true }),
        json!({ "ignore_filter": true, "page_size_max": 1 }),
        json!({ "unknown_members": true }),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&people::two()).await;
        sim.seed(&json!({ "users": [{ "id": "u-x", "login": "xada@example.com" }] }))
            .await;
        let found = sim.keycloak().find_by_login(&ada()).await.unwrap();
        let ids: Vec<&str> = found
            .iter()
            .map(|account| account.provider_id.as_str())
            .collect();
        assert_eq!(ids, ["u-ada"], "{settings}");
        assert!(matches_on_two(&ada(), &found[0].attributes));
        assert_eq!(found[0].attributes.employee_number.as_deref(), Some("E7"));
    }
}

#[tokio::test]
async fn an_id_leads_to_its_account_or_to_nothing() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.keycloak();
    let FoundAccount::Present(account) = connector.find_by_id("u-ada").await.unwrap() else {
        panic!("it is there")
    };
    assert_eq!(account.provider_state, "enabled");
    assert_eq!(
        connector.find_by_id("nobody").await.unwrap(),
        FoundAccount::Absent
    );
    assert!(connector.find_by_id("..").await.is_err());
}

#[tokio::test]
async fn our_own_client_is_found_though_its_list_knows_no_pages() {
    for settings in [
        json!({}),
        json!({ "ignore_filter": true, "page_size_max": 2 }),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&people::two()).await;
        let own = sim.clients().own_account().await.unwrap();
        assert!(own.is_some(), "{settings}");
    }
}
