//! The inventory of a tenant is what is really there, page by page, whatever page it is resumed at.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind as Kind, OutcomeClass};
use sever_provider::{Connector as _, InventoryPage};

use crate::sim::Sim;

/// Reads every page, now and then with a new connector, as another worker would after a crash.
async fn pages(sim: &Sim, more: &Value) -> Vec<InventoryPage> {
    let mut pages = Vec::new();
    let mut cursor: Option<Value> = None;
    let mut people = sim.connected(more).people;
    loop {
        if pages.len() % 9 == 8 {
            people = sim.connected(more).people;
        }
        let page = people.inventory_page(cursor.as_ref()).await.unwrap();
        cursor.clone_from(&page.next);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
        assert!(pages.len() < 600, "the inventory does not end");
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

fn tenant() -> Value {
    json!({
        "management_groups": [{"name": "root"}],
        "subscriptions": [{"id": "sub-a", "name": "A", "management_group": "root"}, {"id": "sub-b", "name": "B"}],
        "groups": [
            {"id": "g-vpn", "name": "VPN"},
            {"id": "g-admins", "name": "Admins", "kind": "role_assignable", "roles": [{"role": "Global Reader"}], "groups": ["VPN"]},
        ],
        "applications": [
            {"id": "sp-wiki", "name": "Wiki", "assigned": ["ada@example.test"], "owners": ["bob@example.test"],
             "grants": [{"user": "ada@example.test", "scope": "User.Read"}, {"scope": "openid"}],
             "azure": [{"scope": "/subscriptions/sub-a", "role": "Owner"}]},
        ],
        "users": [
            {"id": "u-ada", "login": "ada@example.test", "first_name": "Ada", "last_name": "Byron", "groups": ["VPN", "Admins"],
             "roles": [{"role": "User Administrator"}], "eligible_roles": [{"role": "Global Administrator"}], "licences": ["E5"], "owns": ["VPN"],
             "azure": [{"scope": "/providers/Microsoft.Management/managementGroups/root", "role": "Reader"}]},
            {"id": "u-bob", "login": "bob@example.test", "first_name": "Bob", "last_name": "Stone", "groups": ["VPN"]},
            {"id": "u-cyd", "login": "cyd@example.test", "first_name": "Cyd", "last_name": "Moss", "disabled": true},
        ],
    })
}

#[tokio::test]
async fn every_account_and_what_hangs_on_it_is_listed_once_whatever_the_pages() {
    let sim = Sim::start(json!({})).await;
    for settings in [
        json!({"page_size_max": 2}),
        json!({"page_size_max": 3, "empty_pages": true}),
        json!({"ignore_filter": true}),
    ] {
        sim.anew().await;
        sim.configure(settings.clone()).await;
        sim.seed(&tenant()).await;
        let pages = pages(&sim, &json!({})).await;
        let accounts: Vec<(&str, AccountState)> = pages
            .iter()
            .flat_map(|page| &page.accounts)
            .filter(|account| account.kind == ObservedKind::Account)
            .map(|account| (account.provider_id.as_str(), account.state))
            .collect();
        let expected = [
            ("u-ada", AccountState::Live),
            ("u-bob", AccountState::Live),
            ("u-cyd", AccountState::Contained),
        ];
        assert_eq!(accounts, expected, "{settings}");
        let of = |kind| held(&pages, kind);
        let pairs = |pairs: &[(&str, &str)]| -> BTreeSet<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect()
        };
        let groups = pairs(&[
            ("u-ada", "g-vpn"),
            ("u-ada", "g-admins"),
            ("u-bob", "g-vpn"),
        ]);
        assert_eq!(of(Kind::Group), groups, "{settings}");
        let owned = pairs(&[
            ("u-ada", "groups:g-vpn"),
            ("u-bob", "servicePrincipals:sp-wiki"),
        ]);
        assert!(
            of(Kind::Ownership).is_superset(&owned),
            "{settings}: {:?}",
            of(Kind::Ownership)
        );
        let holders =
            |kind| -> BTreeSet<String> { of(kind).into_iter().map(|(id, _)| id).collect() };
        let only =
            |ids: &[&str]| -> BTreeSet<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
        assert_eq!(
            holders(Kind::Role),
            only(&["u-ada"]),
            "{settings}: a group's role is nobody's"
        );
        assert_eq!(holders(Kind::EligibleRole), only(&["u-ada"]), "{settings}");
        assert_eq!(holders(Kind::AppAssignment), only(&["u-ada"]), "{settings}");
        assert_eq!(holders(Kind::Licence), only(&["u-ada"]), "{settings}");
        assert_eq!(
            holders(Kind::Grant),
            only(&["sp-wiki", "u-ada"]),
            "{settings}"
        );
        assert_eq!(
            holders(Kind::ResourceRole),
            only(&["sp-wiki", "u-ada"]),
            "{settings}"
        );
        let azure = pages.iter().flat_map(|page| &page.entitlements);
        let azure = azure.filter(|held| held.kind == Kind::ResourceRole);
        assert_eq!(azure.count(), 2, "{settings}: each assignment once");
        let complete = [
            Kind::Account,
            Kind::Licence,
            Kind::AppAssignment,
            Kind::Permission,
            Kind::Group,
            Kind::Role,
            Kind::EligibleRole,
            Kind::Ownership,
            Kind::Grant,
            Kind::ResourceRole,
        ];
        assert_eq!(
            results(&pages),
            complete.map(|kind| (kind, FamilyResult::Complete)),
            "{settings}"
        );
    }
}

#[tokio::test]
async fn what_a_reading_finds_of_one_account_has_the_keys_of_the_inventory() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&tenant()).await;
    let pages = pages(&sim, &json!({})).await;
    let reading = sim.people().inspect("u-ada").await.unwrap();
    for kind in [
        Kind::Group,
        Kind::Role,
        Kind::EligibleRole,
        Kind::ResourceRole,
        Kind::Ownership,
        Kind::AppAssignment,
        Kind::Grant,
        Kind::Licence,
    ] {
        let listed: BTreeSet<String> = held(&pages, kind)
            .into_iter()
            .filter(|(account, _)| account == "u-ada")
            .map(|(_, key)| key)
            .collect();
        let read = reading.of(kind).iter();
        let read: BTreeSet<String> = read.map(|held| held.provider_key.clone()).collect();
        assert_eq!(listed, read, "{kind}");
        assert!(!listed.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn families_end_as_they_were_read() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&tenant()).await;
    let without_azure = pages(&sim, &json!({"azure": false})).await;
    assert_eq!(
        results(&without_azure).last(),
        Some(&(Kind::ResourceRole, FamilyResult::Unsupported))
    );
    sim.configure(json!({"forbidden_families": ["grants"], "pim": false}))
        .await;
    let some = results(&pages(&sim, &json!({})).await);
    assert!(
        some.contains(&(Kind::Grant, FamilyResult::Forbidden)),
        "{some:?}"
    );
    assert!(
        some.contains(&(Kind::EligibleRole, FamilyResult::Unsupported)),
        "{some:?}"
    );
    assert!(
        some.contains(&(Kind::ResourceRole, FamilyResult::Complete)),
        "the others go on: {some:?}"
    );
    sim.configure(json!({"forbidden_families": ["service_principals"]}))
        .await;
    let blind = pages(&sim, &json!({})).await;
    let forbidden = results(&blind);
    assert!(
        forbidden.contains(&(Kind::Account, FamilyResult::Complete)),
        "{forbidden:?}"
    );
    assert!(
        forbidden.contains(&(Kind::ResourceRole, FamilyResult::Forbidden)),
        "{forbidden:?}"
    );
    assert!(
        held(&blind, Kind::Role).is_empty(),
        "whose they are is not known"
    );
}

#[tokio::test]
async fn a_fault_stops_the_inventory_at_its_place_and_a_bad_record_is_set_aside() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&tenant()).await;
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 503}, "count": 1}))
        .await;
    let error = sim.people().inventory_page(None).await.unwrap_err();
    assert!(
        matches!(error.class, OutcomeClass::Retry | OutcomeClass::RetryAt),
        "{error:?}"
    );
    let list = json!({"value": [{"id": "u-ada", "accountEnabled": true}, {"id": 7, "mail": "eve@example.test"}, {"id": "u-bob", "accountEnabled": "yes"}]});
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 200, "body": list}, "count": 1})).await;
    let page = sim.people().inventory_page(None).await.unwrap();
    assert_eq!(page.accounts.len(), 1, "the record that can be read counts");
    let reasons: Vec<&str> = page
        .unreadable
        .iter()
        .map(|record| record.reason.as_str())
        .collect();
    assert_eq!(reasons.len(), 2);
    assert!(!reasons.concat().contains("eve"), "{reasons:?}");
}
