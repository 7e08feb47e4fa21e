//! The inventory of a tenant is what is really there, page by page, whatever page it is resumed at.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind as Kind, OutcomeClass};
use sever_provider::{Connector as _, InventoryPage};

use crate::sim::{BOSS, Sim};

/// Reads every page; with another connector for the second half, as after a crash.
async fn pages(sim: &Sim) -> Vec<InventoryPage> {
    let mut pages = Vec::new();
    let mut cursor: Option<Value> = None;
    let mut people = sim.people();
    loop {
        let page = people.inventory_page(cursor.as_ref()).await.unwrap();
        cursor.clone_from(&page.next);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
        if pages.len() == 2 {
            people = sim.people();
        }
        assert!(pages.len() < 100, "the inventory does not end");
    }
}

fn tenant() -> Value {
    json!({
        "groups": [{"id": "g1", "name": "All"}],
        "people": [
            {"id": "p-ada", "email": "ada@example.com", "groups": ["g1"], "user": {}},
            {"id": "p-bob", "email": "bob@example.com", "employment": "FORMER", "user": {"inactive": true}, "tasks": ["Return the badge"]},
            {"id": "p-cyd", "email": "cyd@example.com", "employment": "FORMER", "user": {}},
            {"id": "p-dan", "email": "dan@example.com", "employment": "FORMER", "offboarded": true},
            {"id": "p-eve", "email": "eve@example.com"},
        ],
        "integrations": [{"id": "aws", "name": "AWS"}],
    })
}

#[tokio::test]
async fn every_person_is_listed_with_what_the_record_and_the_login_can_do() {
    for settings in [
        json!({}),
        json!({"page_size_max": 1}),
        json!({"unconfirmed": {"people_have_user_id": false}}),
    ] {
        let mut generous = settings.clone();
        generous["token_rate_limit"] = json!(1000);
        let sim = Sim::start(generous).await;
        sim.seed(&tenant()).await;
        let pages = pages(&sim).await;
        let of = |kind| -> BTreeMap<&str, AccountState> {
            let accounts = pages.iter().flat_map(|page| &page.accounts);
            let accounts = accounts.filter(|account| account.kind == kind);
            accounts
                .map(|account| (account.provider_id.as_str(), account.state))
                .collect()
        };
        use AccountState::{Deactivated, Live};
        let expected = BTreeMap::from([
            (BOSS, Live),
            ("p-ada", Live),
            ("p-bob", Deactivated),
            ("p-cyd", Live),
            ("p-dan", Deactivated),
            ("p-eve", Live),
        ]);
        assert_eq!(of(ObservedKind::Account), expected, "{settings}");
        assert!(
            of(ObservedKind::Application).contains_key("aws"),
            "{settings}"
        );
        for person in ["p-ada", "p-bob", "p-dan"] {
            let reading = sim.people().inspect(person).await.unwrap();
            for kind in [Kind::Group, Kind::MonitoredAccount] {
                let read: Vec<&str> = reading
                    .of(kind)
                    .iter()
                    .map(|held| held.provider_key.as_str())
                    .collect();
                let listed = pages.iter().flat_map(|page| &page.entitlements);
                let listed = listed.filter(|held| held.account_id == person && held.kind == kind);
                let listed: Vec<&str> = listed.map(|held| held.provider_key.as_str()).collect();
                assert_eq!(listed, read, "{settings}: {person} {kind}");
            }
        }
        let ended = pages.iter().flat_map(|page| &page.ended);
        let ended: Vec<_> = ended.map(|end| (end.family, end.result)).collect();
        let complete = [Kind::Account, Kind::Group, Kind::MonitoredAccount];
        assert_eq!(
            ended,
            complete.map(|kind| (kind, FamilyResult::Complete)),
            "{settings}"
        );
    }
}

#[tokio::test]
async fn without_the_logins_nothing_is_said_of_accounts_and_a_fault_is_asked_again() {
    let sim = Sim::start(json!({"token_rate_limit": 1000})).await;
    sim.seed(&tenant()).await;
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 403}, "count": 1}))
        .await;
    let page = sim.people().inventory_page(None).await.unwrap();
    assert_eq!(page.ended[0].result, FamilyResult::Forbidden);
    assert!(page.accounts.is_empty());
    sim.fault(json!({"when": {"operation": "list_people"}, "then": {"status": 503}, "count": 1}))
        .await;
    let error = sim.people().inventory_page(None).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Retry);
    let body = json!({"results": {"data": [{"id": "p-ada"}, {"id": 7}], "pageInfo": {"hasNextPage": false}}});
    sim.fault(json!({"when": {"operation": "list_people"}, "then": {"status": 200, "body": body}, "count": 1})).await;
    let page = sim.people().inventory_page(None).await.unwrap();
    assert_eq!((page.accounts.len(), page.unreadable.len()), (1, 1));
}
