//! What changed in a tenant is told by its delta queries: whom they name, whatever comes twice, and when everything must be read anew.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sever_provider::{Changes, Connector as _};

use crate::sim::Sim;

/// Everybody who is named from a mark on, and the mark behind it; `None` where it is lost.
async fn named(sim: &Sim, mut mark: Value) -> Option<(BTreeSet<String>, Value)> {
    let mut all = BTreeSet::new();
    for _ in 0..50 {
        // Each page by a new connector, as another worker would go on.
        match sim.people().changes_since(&mark).await.unwrap() {
            Changes::Lost => return None,
            Changes::Named {
                accounts,
                mark: next,
                more,
            } => {
                all.extend(accounts);
                mark = next;
                if !more {
                    return Some((all, mark));
                }
            }
        }
    }
    panic!("the changes do not end");
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

async fn marked(sim: &Sim) -> Value {
    sim.people().changes_mark().await.unwrap().unwrap()
}

async fn seeded() -> Sim {
    let sim = Sim::start(json!({})).await;
    let user = |name: &str| {
        let groups: &[&str] = if name == "u-dan" { &["VPN"] } else { &[] };
        json!({"id": name, "login": format!("{name}@example.test"), "groups": groups})
    };
    let users = ["u-ada", "u-bob", "u-cyd", "u-dan", "u-eve"].map(user);
    sim.seed(&json!({
        "groups": [{"id": "g-vpn", "name": "VPN"}],
        "users": users,
        "applications": [{"id": "sp-wiki", "name": "Wiki"}],
    }))
    .await;
    sim
}

#[tokio::test]
async fn whoever_was_changed_removed_or_let_in_or_out_of_a_group_is_named_and_nobody_else() {
    let sim = seeded().await;
    for disorder in [false, true] {
        sim.configure(json!({"delta_disorder": disorder})).await;
        let mark = marked(&sim).await;
        let (nobody, mark) = named(&sim, mark).await.unwrap();
        assert_eq!(nobody, set(&[]), "nothing has changed");
        for change in [
            json!({"do": "set_enabled", "user": "u-ada", "enabled": disorder}),
            json!({"do": "add_to_group", "user": "u-bob", "group": "VPN"}),
            json!({"do": "add_to_group", "user": "sp-wiki", "group": "VPN"}),
            json!({"do": "remove_from_group", "user": "u-dan", "group": "VPN"}),
        ] {
            sim.mutate(change).await;
        }
        let (changed, next) = named(&sim, mark.clone()).await.unwrap();
        assert_eq!(changed, set(&["u-ada", "u-bob", "u-dan"]), "{disorder}");
        let (nobody, _) = named(&sim, next).await.unwrap();
        assert_eq!(nobody, set(&[]), "the mark behind it names nobody again");
        let (again, _) = named(&sim, mark).await.unwrap();
        assert_eq!(again, changed, "a mark can be read from twice");
        sim.mutate(json!({"do": "remove_from_group", "user": "u-bob", "group": "VPN"}))
            .await;
        sim.mutate(json!({"do": "add_to_group", "user": "u-dan", "group": "VPN"}))
            .await;
    }
    let mark = marked(&sim).await;
    sim.mutate(json!({"do": "delete", "user": "u-cyd"})).await;
    sim.mutate(json!({"do": "delete", "user": "u-eve"})).await;
    sim.mutate(json!({"do": "purge", "user": "u-eve"})).await;
    let (gone, _) = named(&sim, mark).await.unwrap();
    assert!(gone.is_superset(&set(&["u-cyd", "u-eve"])), "{gone:?}");
}

#[tokio::test]
async fn a_token_that_is_too_old_is_lost_and_a_fault_is_none() {
    let sim = seeded().await;
    let mark = marked(&sim).await;
    sim.fault(json!({"when": {"operation": "delta_users"}, "then": {"status": 503}, "count": 1}))
        .await;
    assert!(sim.people().changes_since(&mark).await.is_err());
    assert!(named(&sim, mark.clone()).await.is_some());
    sim.mutate(json!({"do": "expire_delta"})).await;
    assert_eq!(named(&sim, mark).await, None);
    assert!(named(&sim, marked(&sim).await).await.is_some());
}

#[tokio::test]
async fn a_credential_that_may_not_see_changes_has_no_mark_and_one_that_cannot_ask_now_says_so() {
    let sim = seeded().await;
    let refuse = |status: u16| json!({"when": {"operation": "delta_groups"}, "then": {"status": status, "body": {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}}, "count": 1});
    sim.fault(refuse(403)).await;
    assert_eq!(sim.people().changes_mark().await, Ok(None));
    sim.fault(refuse(503)).await;
    assert!(sim.people().changes_mark().await.is_err());
}
