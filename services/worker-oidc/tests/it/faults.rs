//! Faults of the network and of the provider, and servers that do not do as they are asked.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, Intent, OutcomeClass};
use sever_provider::Connector as _;

use crate::drive::opt_out;
use crate::people;
use crate::removal::nobody_else_is_concerned;
use crate::sim::Sim;

/// A removal ends well although this happens to one call, at whichever position.
async fn assert_ends_well_whichever_call(then: Value, when: Value) {
    for after in 0.. {
        let sim = Sim::start(json!({})).await;
        sim.seed(&people::two()).await;
        sim.fault(json!({ "when": when, "then": then, "after": after, "count": 1 }))
            .await;
        let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{then} {after}: {:?}",
            outcome.closing
        );
        assert_eq!(
            sim.truth("u-ada").await["live"],
            json!([]),
            "{then} {after}"
        );
        nobody_else_is_concerned(&sim, "u-ada").await;
        let fired = sim.control("GET", "/faults", &Value::Null).await["rules"][0]["fired"].clone();
        if fired == 0 {
            assert!(after > 8, "the fault met too few calls");
            return;
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_at_any_call_changes_nothing_about_the_end() {
    assert_ends_well_whichever_call(json!({ "answer_lost": true }), json!({ "write": true })).await;
}

#[tokio::test]
async fn a_reset_at_any_call_changes_nothing_about_the_end() {
    assert_ends_well_whichever_call(json!({ "reset": true }), json!({})).await;
}

#[tokio::test]
async fn a_server_error_at_any_call_changes_nothing_about_the_end() {
    assert_ends_well_whichever_call(json!({ "status": 503 }), json!({})).await;
    assert_ends_well_whichever_call(
        json!({ "status": 500, "after_effect": true }),
        json!({ "write": true }),
    )
    .await;
}

#[tokio::test]
async fn a_write_that_takes_effect_twice_changes_nothing_about_the_end() {
    assert_ends_well_whichever_call(json!({ "twice": true }), json!({ "write": true })).await;
}

#[tokio::test]
async fn a_429_at_any_write_is_obeyed() {
    assert_ends_well_whichever_call(
        json!({ "status": 429, "reset_in_s": 1 }),
        json!({ "write": true, "path": "^/admin/" }),
    )
    .await;
}

#[tokio::test]
async fn a_429_stops_the_reading_with_its_time() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    sim.fault(json!({ "when": { "operation": "list_consents" }, "then": { "status": 429, "reset_in_s": 3 } })).await;
    let connector = sim.keycloak();
    let error = connector.inspect("u-ada").await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(error.retry_after.unwrap().as_secs() >= 3 && connector.blocked_for().is_some());
}

#[tokio::test]
async fn pages_that_overlap_are_read_whole_and_pages_that_never_end_are_no_reading() {
    let sim = Sim::start(json!({ "page_size_max": 1, "page_repeats": "twice" })).await;
    sim.seed(&people::two()).await;
    let groups = |reading: sever_domain::entitlement::AccountReading| {
        let mut families = reading.families.into_iter();
        let groups = families
            .find(|family| family.family == EntitlementKind::Group)
            .unwrap();
        (groups.result, groups.entitlements.len())
    };
    let connector = sim.keycloak();
    assert_eq!(
        groups(connector.inspect("u-ada").await.unwrap()),
        (FamilyResult::Complete, 2)
    );
    sim.configure(json!({ "page_size_max": 1, "page_repeats": "forever" }))
        .await;
    assert_eq!(
        groups(connector.inspect("u-ada").await.unwrap()),
        (FamilyResult::Failed, 0)
    );
}

#[tokio::test]
async fn a_server_that_answers_for_another_user_is_not_believed() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let other = json!({ "id": "u-bob", "username": "bob", "enabled": false });
    sim.fault(
        json!({ "when": { "operation": "get_user" }, "then": { "status": 200, "body": other } }),
    )
    .await;
    let connector = sim.keycloak();
    assert_eq!(
        connector.find_by_id("u-ada").await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
    assert_eq!(
        connector.inspect("u-ada").await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
}
