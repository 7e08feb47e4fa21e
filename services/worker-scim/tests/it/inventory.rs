//! The inventory of an application is what is really there, whatever its dialect, page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sever_domain::entitlement::FamilyResult;
use sever_domain::{AccountState, EntitlementKind as Kind};
use sever_provider::{Connector as _, InventoryPage};

use crate::people::two;
use crate::sim::Sim;

/// Reads every page with a new connector each, as another worker would after a crash.
async fn pages(sim: &Sim) -> Vec<InventoryPage> {
    let mut pages = Vec::new();
    let mut cursor: Option<Value> = None;
    loop {
        let page = sim
            .connector()
            .inventory_page(cursor.as_ref())
            .await
            .unwrap();
        cursor.clone_from(&page.next);
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
        assert!(pages.len() < 200, "the inventory does not end");
    }
}

fn held(pages: &[InventoryPage], kind: Kind) -> BTreeSet<(String, String)> {
    let all = pages.iter().flat_map(|page| &page.entitlements);
    all.filter(|held| held.kind == kind)
        .map(|held| (held.account_id.clone(), held.provider_key.clone()))
        .collect()
}

fn results(pages: &[InventoryPage]) -> Vec<(Kind, FamilyResult, Option<u64>)> {
    let ended = pages.iter().flat_map(|page| &page.ended);
    ended
        .map(|end| (end.family, end.result, end.expected))
        .collect()
}

#[tokio::test]
async fn every_account_and_membership_is_listed_in_every_dialect() {
    for settings in [
        json!({}),
        json!({"page_size_max": 1}),
        json!({"total_results": false}),
        json!({"attribute_case": "pascal", "active_as_string": true, "unknown_members": true}),
        json!({"user_groups": false, "empty_resources": false}),
        json!({"pages": "cursor", "page_size_max": 1}),
    ] {
        let sim = Sim::start(settings.clone()).await;
        let ids = sim.seed(&two()).await;
        let pages = pages(&sim).await;
        let accounts = pages.iter().flat_map(|page| &page.accounts);
        let accounts: BTreeSet<(String, bool)> = accounts
            .map(|account| {
                (
                    account.provider_id.clone(),
                    account.state == AccountState::Live,
                )
            })
            .collect();
        assert_eq!(
            accounts,
            ids.iter().map(|id| (id.clone(), true)).collect(),
            "{settings}"
        );
        assert_eq!(held(&pages, Kind::Group).len(), 4, "{settings}");
        assert_eq!(held(&pages, Kind::Role).len(), 3, "{settings}");
        assert_eq!(held(&pages, Kind::Licence).len(), 1, "{settings}");
        let total = (settings["total_results"] != false).then_some(2);
        let expected = [
            (Kind::Account, FamilyResult::Complete, total),
            (Kind::Role, FamilyResult::Complete, None),
            (Kind::Licence, FamilyResult::Complete, None),
            (Kind::Group, FamilyResult::Complete, None),
        ];
        assert_eq!(results(&pages), expected, "{settings}");
        let reading = sim.connector().inspect(&ids[0]).await.unwrap();
        for kind in [Kind::Group, Kind::Role, Kind::Licence] {
            let read = reading.of(kind).iter();
            let read: BTreeSet<_> = read
                .map(|held| (ids[0].clone(), held.provider_key.clone()))
                .collect();
            assert!(
                held(&pages, kind).is_superset(&read),
                "{settings}: {kind} has other keys"
            );
        }
    }
}

#[tokio::test]
async fn a_list_that_ends_too_early_and_one_without_end_have_failed() {
    let sim = Sim::start(json!({"page_size_max": 1})).await;
    sim.seed(&two()).await;
    let empty = json!({"totalResults": 2, "Resources": []});
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 200, "body": empty}, "after": 1})).await;
    let pages = pages(&sim).await;
    assert_eq!(
        results(&pages),
        [(Kind::Account, FamilyResult::Failed, None)]
    );
    let sim = Sim::start(json!({"page_size_max": 1, "page_repeats": "forever"})).await;
    sim.seed(&two()).await;
    assert_eq!(results(&self::pages(&sim).await)[0].1, FamilyResult::Failed);
}

#[tokio::test]
async fn one_record_that_cannot_be_read_is_set_aside_and_groups_that_are_not_offered_are_unsupported()
 {
    let sim = Sim::start(json!({})).await;
    let list = json!({"totalResults": 3, "Resources": [{"id": "u1", "userName": "ada"}, {"userName": "eve"}, "nonsense"]});
    sim.fault(json!({"when": {"operation": "list_users"}, "then": {"status": 200, "body": list}}))
        .await;
    sim.fault(json!({"when": {"operation": "list_groups"}, "then": {"status": 501}}))
        .await;
    let pages = pages(&sim).await;
    assert_eq!(pages[0].accounts.len(), 1);
    assert_eq!(pages[0].unreadable.len(), 2);
    assert!(results(&pages).contains(&(Kind::Account, FamilyResult::Complete, Some(3))));
    assert!(results(&pages).contains(&(Kind::Group, FamilyResult::Unsupported, None)));
}

#[tokio::test]
async fn empty_lists_of_members_are_no_members_only_where_a_group_shows_some() {
    for told in ["empty", "hidden"] {
        let sim = Sim::start(json!({ "group_members": told })).await;
        sim.seed(&two()).await;
        let pages = pages(&sim).await;
        assert!(
            results(&pages).contains(&(Kind::Group, FamilyResult::Unsupported, None)),
            "{told}"
        );
    }
    let sim = Sim::start(json!({})).await;
    let mut document = two();
    let empty = json!({ "name": "Nobody" });
    document["groups"].as_array_mut().unwrap().push(empty);
    sim.seed(&document).await;
    let pages = pages(&sim).await;
    assert!(results(&pages).contains(&(Kind::Group, FamilyResult::Complete, None)));
}

#[tokio::test]
async fn a_cursor_that_expired_ends_the_list_as_not_read() {
    let sim = Sim::start(json!({ "pages": "cursor", "page_size_max": 1 })).await;
    sim.seed(&two()).await;
    let expired =
        json!({ "status": 400, "body": { "status": "400", "scimType": "expiredCursor" } });
    sim.fault(json!({ "when": { "operation": "list_users" }, "then": expired, "after": 1 }))
        .await;
    let pages = pages(&sim).await;
    let ended = &pages.last().unwrap().ended;
    assert_eq!(ended[0].result, FamilyResult::Failed);
    assert!(
        ended[0].detail.as_deref().unwrap().contains("expire"),
        "{ended:?}"
    );
}
