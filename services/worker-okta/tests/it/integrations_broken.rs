//! An integration's removal when calls fail: the end is the same.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, Intent};
use sever_provider::{Connector, Effect, Sent};

use crate::drive::opt_out;
use crate::integrations::{APP, org};
use crate::sim::Sim;

/// Without what only a person can tell about.
fn plain() -> Value {
    let mut document = org();
    document["event_hooks"] = json!([]);
    document["users"][0]["api_tokens"] = json!([]);
    document
}

async fn assert_ends_well(sim: &Sim, said: &str) {
    let outcome = opt_out(&sim.integrations(), Intent::Remove, APP).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{said}: {:?}",
        outcome.closing
    );
    assert_eq!(sim.app(APP).await["live"], json!([]), "{said}");
}

#[tokio::test]
async fn whatever_call_breaks_the_end_is_the_same() {
    for (then, operation) in [
        (json!({ "answer_lost": true }), "deactivate_app"),
        (json!({ "answer_lost": true }), "revoke_app_tokens"),
        (json!({ "answer_lost": true }), "delete_secret"),
        (json!({ "answer_lost": true }), "deactivate_secret"),
        (json!({ "answer_lost": true }), "unassign_app_user"),
        (json!({ "reset": true }), "deactivate_app"),
        (json!({ "reset": true }), "list_app_users"),
        (
            json!({ "status": 500, "after_effect": true }),
            "revoke_app_grant",
        ),
        (json!({ "status": 503 }), "unassign_client_role"),
        (json!({ "status": 429, "reset_in_s": 1 }), "delete_key"),
        (json!({ "twice": true }), "deactivate_app"),
        (json!({ "twice": true }), "delete_secret"),
        (json!({ "half_body": true }), "list_secrets"),
        (json!({ "status": 500 }), "get_app"),
    ] {
        let sim = Sim::start(json!({})).await;
        sim.seed(&plain()).await;
        sim.fault(json!({ "when": { "operation": operation }, "then": then, "count": 1 }))
            .await;
        assert_ends_well(&sim, &format!("{operation} {then}")).await;
    }
}

#[tokio::test]
async fn people_who_cannot_be_counted_are_not_counted_as_nobody() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&plain()).await;
    sim.fault(json!({ "when": { "operation": "list_app_users" }, "then": { "status": 500 } }))
        .await;
    let integrations = sim.integrations();
    let reading = integrations.inspect(APP).await.unwrap();
    let error = integrations.blast_radius(APP, &reading).await.unwrap_err();
    assert_eq!(error.class, sever_domain::OutcomeClass::Retry, "{error}");
}

/// One plan, step by step, up to the first call that fails; says whether none did.
async fn until_it_dies<C: Connector>(connector: &C, id: &str) -> bool {
    let Ok(reading) = connector.inspect(id).await else {
        return false;
    };
    let complete = |result| result == FamilyResult::Complete || result == FamilyResult::Unsupported;
    if !reading
        .families
        .iter()
        .all(|family| complete(family.result))
    {
        return false;
    }
    let binding = sever_domain::BindingId::generate();
    for step in connector.plan(Intent::Remove, binding, &reading) {
        if step.action == sever_domain::Action::Leave {
            continue;
        }
        let effect = Effect {
            action: step.action,
            account_id: id.to_owned(),
            target_kind: step.target_kind,
            target_key: step.target_key,
            facts: step.facts,
        };
        if let Err(error) = connector.apply(&effect).await {
            assert_ne!(error.sent, Sent::NotApplied, "{error}");
            return false;
        }
    }
    true
}

/// The process dies with the answer of each call in turn; another one takes over and comes to the same end.
#[tokio::test]
async fn a_process_that_dies_after_any_call_is_taken_over() {
    let mut call = 0;
    loop {
        let sim = Sim::start(json!({})).await;
        sim.seed(&plain()).await;
        let then = json!({ "answer_lost": true });
        sim.fault(json!({ "then": then, "after": call, "count": 1 }))
            .await;
        let whole = until_it_dies(&sim.integrations(), APP).await;
        assert_ends_well(&sim, &format!("call {call}")).await;
        if whole {
            break;
        }
        call += 1;
    }
    assert!(call > 20, "only {call} calls were broken");
}

#[tokio::test]
async fn pages_that_come_twice_are_read_whole_and_ignored_filters_change_nothing() {
    let sim =
        Sim::start(json!({ "page_size_max": 1, "page_repeats": "twice", "ignore_filter": true }))
            .await;
    sim.seed(&plain()).await;
    assert_ends_well(&sim, "repeated pages").await;
}

#[tokio::test]
async fn a_family_that_cannot_be_read_proves_nothing() {
    for (operation, kind) in [
        ("list_app_tokens", EntitlementKind::Token),
        ("list_authorization_servers", EntitlementKind::Token),
        ("list_server_tokens", EntitlementKind::Token),
        ("list_app_users", EntitlementKind::Consumer),
        ("list_secrets", EntitlementKind::Secret),
        ("list_app_grants", EntitlementKind::Permission),
        ("list_client_roles", EntitlementKind::Role),
        ("list_event_hooks", EntitlementKind::Hook),
    ] {
        let sim = Sim::start(json!({})).await;
        let mut document = plain();
        let server = json!({ "id": "oar8", "server": "aus1" });
        let tokens = document["users"][1]["clients"][0]["tokens"].as_array_mut();
        tokens.unwrap().push(server);
        sim.seed(&document).await;
        sim.fault(json!({ "when": { "operation": operation }, "then": { "status": 403 } }))
            .await;
        let outcome = opt_out(&sim.integrations(), Intent::Remove, APP).await;
        let closing = &outcome.closing;
        assert_eq!(
            outcome.verdict,
            Verdict::NeedsPerson,
            "{operation}: {closing:?}"
        );
        assert_eq!(outcome.closing.unproven[0].family, kind);
    }
}

#[tokio::test]
async fn an_application_with_ten_thousand_users_is_read_whole() {
    let sim = Sim::start(json!({})).await;
    let mut document = plain();
    let users = document["users"].as_array_mut().unwrap();
    for number in 0..10_000 {
        let login = format!("u{number}@example.com");
        users.push(json!({ "login": login, "apps": ["CRM"] }));
    }
    sim.seed(&document).await;
    let reading = sim.integrations().inspect(APP).await.unwrap();
    assert_eq!(reading.of(EntitlementKind::Consumer).len(), 10_002);
}
