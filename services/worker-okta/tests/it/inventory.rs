//! The inventory of an org is what is really there, page by page, whatever page it is resumed at.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind, OutcomeClass};
use sever_provider::{Connector as _, InventoryPage};

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

fn org() -> Value {
    json!({
        "groups": [{"name": "VPN"}, {"name": "Empty"}],
        "apps": [{"label": "Wiki"}],
        "users": [
            {"login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "groups": ["VPN"], "apps": ["Wiki"], "roles": [{"type": "HELP_DESK_ADMIN"}]},
            {"login": "bob@example.com", "first_name": "Bob", "last_name": "Stone", "groups": ["VPN"]},
            {"login": "cyd@example.com", "first_name": "Cyd", "last_name": "Moss"},
        ],
    })
}

#[tokio::test]
async fn every_account_and_what_hangs_on_it_is_listed_once_with_pages_of_one() {
    for settings in [
        json!({}),
        json!({"page_size_max": 1}),
        json!({"ignore_filter": true}),
    ] {
        let sim = Sim::start(settings.clone()).await;
        let users = sim.seed(&org()).await;
        sim.control(
            "POST",
            "/okta/main/mutate",
            &json!({"do": "deactivate", "user": users[2]}),
        )
        .await;
        let pages = pages(&sim).await;
        let mut accounts: Vec<_> = pages
            .iter()
            .flat_map(|page| &page.accounts)
            .filter(|account| account.kind == ObservedKind::Account)
            .map(|account| (account.provider_id.clone(), account.state))
            .collect();
        accounts.sort();
        let mut expected = vec![
            (users[0].clone(), AccountState::Live),
            (users[1].clone(), AccountState::Live),
            (users[2].clone(), AccountState::Deactivated),
        ];
        expected.sort();
        assert_eq!(accounts, expected, "{settings}");
        let of = |kind| {
            let all = pages.iter().flat_map(|page| &page.entitlements);
            all.filter(|entitlement| entitlement.kind == kind)
                .map(|entitlement| entitlement.account_id.clone())
                .collect::<BTreeSet<_>>()
        };
        let both = BTreeSet::from([users[0].clone(), users[1].clone()]);
        let ada = BTreeSet::from([users[0].clone()]);
        assert_eq!(of(EntitlementKind::Group), both, "{settings}");
        assert_eq!(of(EntitlementKind::AppAssignment), ada, "{settings}");
        assert_eq!(of(EntitlementKind::Role), ada, "{settings}");
        let ended: Vec<_> = pages
            .iter()
            .flat_map(|page| &page.ended)
            .map(|end| (end.family, end.result))
            .collect();
        let families = [
            EntitlementKind::Account,
            EntitlementKind::AppAssignment,
            EntitlementKind::Group,
            EntitlementKind::Role,
            EntitlementKind::ApiToken,
        ];
        assert_eq!(
            ended,
            families.map(|family| (family, FamilyResult::Complete)),
            "{settings}"
        );
    }
}

#[tokio::test]
async fn a_family_that_is_forbidden_ends_as_such_and_one_that_fails_for_now_is_asked_for_again() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    sim.fault(json!({"when": {"path": "/api-tokens"}, "then": {"status": 403, "body": {"errorCode": "E0000006"}}})).await;
    let all = pages(&sim).await;
    let last = all.iter().flat_map(|page| &page.ended).next_back().unwrap();
    assert_eq!(
        (last.family, last.result),
        (EntitlementKind::ApiToken, FamilyResult::Forbidden)
    );
    sim.fault(json!({"when": {"path": "/groups$"}, "then": {"status": 503}, "count": 1}))
        .await;
    let groups = json!({"list": "groups", "next": null});
    let error = sim
        .connector()
        .inventory_page(Some(&groups))
        .await
        .unwrap_err();
    assert_eq!(error.class, OutcomeClass::Retry);
    assert!(
        sim.connector().inventory_page(Some(&groups)).await.is_ok(),
        "and then it goes on"
    );
}
