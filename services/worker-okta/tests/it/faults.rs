//! Faults of the network and of the provider, and servers that do not do as they are asked.

use serde_json::json;
use sever_domain::Intent;
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::Connector as _;

use crate::drive::opt_out;
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn a_server_that_ignores_the_filter_changes_nothing() {
    let sim = Sim::start(json!({"ignore_filter": true})).await;
    let users = sim.seed(&people::rich()).await;
    let before = sim.truth(&users[1]).await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &users[0]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&users[0]).await["live"], json!(["apps:1"]));
    assert_eq!(sim.truth(&users[1]).await, before);
}

#[tokio::test]
async fn pages_that_come_twice_are_read_whole() {
    let sim = Sim::start(json!({"page_size_max": 1, "page_repeats": "twice"})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    let reading = sim.connector().inspect(&ada).await.unwrap();
    assert_eq!(reading.of(EntitlementKind::AppAssignment).len(), 4);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn pages_that_never_end_are_no_reading() {
    let sim = Sim::start(json!({"page_size_max": 1, "page_repeats": "forever"})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    let reading = sim.connector().inspect(&ada).await.unwrap();
    let apps = reading
        .families
        .iter()
        .find(|family| family.family == EntitlementKind::AppAssignment)
        .unwrap();
    assert_eq!(
        (apps.result, apps.entitlements.len()),
        (FamilyResult::Failed, 0)
    );
}

#[tokio::test]
async fn a_429_stops_the_reading_with_its_time_and_is_obeyed() {
    let sim = Sim::start(json!({})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    sim.fault(json!({
        "when": {"operation": "list_roles"}, "then": {"status": 429, "reset_in_s": 3}, "count": 1
    }))
    .await;
    let connector = sim.connector();
    let error = connector.inspect(&user).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(error.retry_after.unwrap().as_secs() >= 3);
    assert!(connector.blocked_for().is_some());
    let calls = sim.journal().await.len();
    assert!(connector.inspect(&user).await.is_err());
    let roles = |journal: &[serde_json::Value]| {
        journal
            .iter()
            .filter(|call| call["operation"] == "list_roles")
            .count()
    };
    let journal = sim.journal().await;
    assert_eq!(roles(&journal), 1, "the closed bucket was called again");
    assert!(journal.len() >= calls);
}

#[tokio::test]
async fn an_opt_out_goes_through_429s() {
    let sim = Sim::start(json!({})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    sim.fault(json!({
        "when": {"family": "members"}, "then": {"status": 429, "reset_in_s": 1}, "count": 2
    }))
    .await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&user).await["live"], json!([]));
}

#[tokio::test]
async fn whatever_write_breaks_the_end_is_the_same() {
    for (then, write) in [
        (json!({"answer_lost": true}), "deactivate_user"),
        (json!({"answer_lost": true}), "suspend_user"),
        (json!({"answer_lost": true}), "clear_sessions"),
        (json!({"answer_lost": true}), "remove_member"),
        (json!({"reset": true}), "deactivate_user"),
        (json!({"reset": true}), "unassign_app_user"),
        (json!({"status": 500}), "revoke_tokens"),
        (json!({"status": 503}), "deactivate_user"),
        (
            json!({"status": 500, "after_effect": true}),
            "unenroll_factor",
        ),
        (json!({"twice": true}), "deactivate_user"),
        (json!({"half_body": true}), "suspend_user"),
    ] {
        let sim = Sim::start(json!({})).await;
        let user = sim.seed(&people::fixed()).await.remove(0);
        sim.fault(json!({"when": {"operation": write}, "then": then, "count": 1}))
            .await;
        let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
        let said = format!("{write} {then}: {:?}", outcome.closing);
        assert_eq!(outcome.verdict, Verdict::NothingLive, "{said}");
        assert_eq!(sim.truth(&user).await["live"], json!([]), "{said}");
        assert_eq!(outcome.refused, vec![], "{said}");
    }
}

#[tokio::test]
async fn a_family_that_cannot_be_read_proves_nothing() {
    for (status, result, verdict) in [
        (500, FamilyResult::Failed, Verdict::Unread),
        (403, FamilyResult::Forbidden, Verdict::NeedsPerson),
    ] {
        let sim = Sim::start(json!({})).await;
        let user = sim.seed(&people::fixed()).await.remove(0);
        sim.fault(json!({"when": {"operation": "list_factors"}, "then": {"status": status}}))
            .await;
        let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
        assert_eq!(outcome.verdict, verdict, "{status}");
        let unproven = &outcome.closing.unproven[0];
        assert_eq!(
            (unproven.family, unproven.result),
            (EntitlementKind::Factor, result)
        );
    }
}

#[tokio::test]
async fn a_feature_that_the_org_lacks_is_covered_by_its_rule() {
    let sim = Sim::start(json!({"missing_features": ["devices"]})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let rules: Vec<&str> = outcome
        .closing
        .rules_used
        .iter()
        .map(|used| used.rule)
        .collect();
    assert!(rules.contains(&"okta.device_serves_sign_in"), "{rules:?}");
}
