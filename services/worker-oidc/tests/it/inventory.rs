//! The inventory of a realm is what is really there, page by page, whatever page it is resumed at.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_domain::{EntitlementKind as Kind, OutcomeClass};
use sever_provider::{Connector as _, InventoryPage};

use crate::people::two;
use crate::sim::Sim;

/// Reads every page with a new connector each, as another worker would after a crash.
async fn pages(sim: &Sim) -> Vec<InventoryPage> {
    let mut pages = Vec::new();
    let mut cursor: Option<Value> = None;
    loop {
        let page = sim
            .keycloak()
            .inventory_page(cursor.as_ref())
            .await
            .unwrap();
        cursor.clone_from(&page.next);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
        assert!(pages.len() < 400, "the inventory does not end");
    }
}

fn held(pages: &[InventoryPage], kind: Kind) -> BTreeSet<(String, String)> {
    let all = pages.iter().flat_map(|page| &page.entitlements);
    all.filter(|held| held.kind == kind)
        .map(|held| (held.account_id.clone(), held.provider_key.clone()))
        .collect()
}

fn results(pages: &[InventoryPage]) -> Vec<(Kind, FamilyResult)> {
    let ended = pages.iter().flat_map(|page| &page.ended);
    ended.map(|end| (end.family, end.result)).collect()
}

#[tokio::test]
async fn every_user_client_role_and_membership_is_listed_with_the_keys_of_a_reading() {
    for settings in [
        json!({}),
        json!({"page_size_max": 1, "unknown_members": true}),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&two()).await;
        let pages = pages(&sim).await;
        let of = |kind| -> BTreeSet<&str> {
            let accounts = pages.iter().flat_map(|page| &page.accounts);
            let accounts = accounts.filter(|account| account.kind == kind);
            accounts
                .map(|account| account.provider_id.as_str())
                .collect()
        };
        assert_eq!(
            of(ObservedKind::Account),
            BTreeSet::from(["u-ada", "u-bob"]),
            "{settings}"
        );
        assert!(
            of(ObservedKind::Application)
                .is_superset(&BTreeSet::from(["c-bot", "c-mobile", "c-web"])),
            "{settings}"
        );
        for user in ["u-ada", "u-bob"] {
            let reading = sim.keycloak().inspect(user).await.unwrap();
            for kind in [Kind::Role, Kind::Group] {
                let read = reading.of(kind).iter();
                let read: BTreeSet<String> = read.map(|held| held.provider_key.clone()).collect();
                let listed = held(&pages, kind).into_iter();
                let listed: BTreeSet<String> = listed
                    .filter(|(id, _)| id == user)
                    .map(|(_, key)| key)
                    .collect();
                assert_eq!(listed, read, "{settings}: {user} {kind}");
            }
        }
        let bots = held(&pages, Kind::Role)
            .into_iter()
            .filter(|(id, _)| id == "c-bot");
        assert_eq!(
            bots.count(),
            2,
            "{settings}: a service account's roles are its client's"
        );
        let complete = [Kind::Account, Kind::Role, Kind::Group];
        assert_eq!(
            results(&pages),
            complete.map(|kind| (kind, FamilyResult::Complete)),
            "{settings}"
        );
    }
}

#[tokio::test]
async fn a_family_that_is_forbidden_ends_as_such_and_a_fault_is_asked_again() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&two()).await;
    sim.fault(json!({"when": {"operation": "list_realm_roles"}, "then": {"status": 403}}))
        .await;
    let some = results(&pages(&sim).await);
    let expected = [
        (Kind::Account, FamilyResult::Complete),
        (Kind::Role, FamilyResult::Forbidden),
        (Kind::Group, FamilyResult::Complete),
    ];
    assert_eq!(some, expected);
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 503}, "count": 1}))
        .await;
    let error = sim.keycloak().inventory_page(None).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Retry);
    let bad = json!([{"id": "u-ada"}, {"username": "eve@example.com"}]);
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 200, "body": bad}, "count": 1})).await;
    let page = sim.keycloak().inventory_page(None).await.unwrap();
    assert_eq!((page.accounts.len(), page.unreadable.len()), (1, 1));
}

#[tokio::test]
async fn a_provider_without_administration_lists_nobody_and_says_so() {
    let sim = Sim::start(json!({})).await;
    let people = sim.connect(json!({})).people;
    let page = people.inventory_page(None).await.unwrap();
    assert_eq!(
        results(&[page]),
        [(Kind::Account, FamilyResult::Unsupported)]
    );
}
