//! Integrations: connected systems, our own connector, and applications that no read shows.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{AccountState, Intent, OutcomeClass};
use sever_provider::{Connector as _, FoundAccount};

use crate::drive::{opt_out, opt_out_attested};
use crate::removal::rows;
use crate::sim::Sim;

async fn with_aws(settings: serde_json::Value) -> Sim {
    let sim = Sim::start(settings).await;
    let aws = json!({ "id": "aws", "name": "AWS", "connections": ["c1", "c2"] });
    let other = json!({ "id": "github", "name": "GitHub" });
    sim.seed(&json!({ "integrations": [aws, other] })).await;
    sim
}

#[tokio::test]
async fn a_connected_system_is_asked_for_and_seen_to_end_however_the_pages_do_it() {
    for outcome in ["integration_gone", "connection_gone", "disabled"] {
        let sim = with_aws(json!({ "unconfirmed": { "disconnected": outcome } })).await;
        let integrations = sim.integrations();
        let asked = opt_out(&integrations, Intent::Remove, "aws").await;
        assert_eq!(asked.verdict, Verdict::Asked, "{:?}", asked.closing);
        assert!(asked.tasks[0].1.what.contains("\"AWS\""));
        sim.mutate(json!({ "do": "disconnect_integration", "integration": "aws" }))
            .await;
        let done = opt_out(&integrations, Intent::Remove, "aws").await;
        assert_eq!(
            done.verdict,
            Verdict::NothingLive,
            "{outcome}: {:?}",
            done.closing
        );
        let writes = sim.journal().await;
        assert!(
            writes
                .iter()
                .all(|call| call["effect"] != "write" || call["operation"] == "issue_token")
        );
        assert_eq!(
            sim.truth("integrations/github").await["live"],
            json!(["connections:1"])
        );
    }
}

#[tokio::test]
async fn what_the_other_side_revoked_is_contained_and_enough_for_a_disabling() {
    let sim = with_aws(json!({})).await;
    let broken =
        json!({ "do": "break_connection", "integration": "aws", "message": "access denied" });
    sim.mutate(broken).await;
    let integrations = sim.integrations();
    let FoundAccount::Present(found) = integrations.find_by_id("aws").await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(found.state, AccountState::Contained);
    let disabled = opt_out(&integrations, Intent::Disable, "aws").await;
    assert_eq!(disabled.verdict, Verdict::NothingLive);
    assert_eq!(
        opt_out(&integrations, Intent::Remove, "aws").await.verdict,
        Verdict::Asked
    );
}

#[tokio::test]
async fn our_connector_is_emptied_on_purpose_and_its_end_is_seen() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&rows()).await;
    let kept = opt_out(&sim.integrations(), Intent::Disable, "vci_own").await;
    assert_eq!(kept.verdict, Verdict::Asked);
    assert_eq!(
        sim.truth("resources").await["resources"][0]["live"],
        2,
        "not by a disabling"
    );
    let asked = opt_out(&sim.integrations(), Intent::Remove, "vci_own").await;
    assert_eq!(asked.verdict, Verdict::Asked, "{:?}", asked.closing);
    assert!(asked.tasks[0].1.what.contains("vci_own"));
    assert_eq!(sim.truth("resources").await["resources"][0]["live"], 0);
    sim.mutate(json!({ "do": "delete_application", "client_id": "vci_own" }))
        .await;
    let done = opt_out(&sim.integrations(), Intent::Remove, "vci_own").await;
    assert_eq!(done.verdict, Verdict::NothingLive, "{:?}", done.closing);
    assert_eq!(sim.truth("applications/vci_own").await["live"], json!([]));
}

#[tokio::test]
async fn only_a_refused_secret_proves_our_connector_dead() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&rows()).await;
    for (then, expected) in [
        (
            json!({ "status": 403, "body": "<html>maintenance" }),
            OutcomeClass::Retry,
        ),
        (json!({ "status": 404 }), OutcomeClass::Retry),
        (
            json!({ "status": 400, "body": { "error": "invalid_scope" } }),
            OutcomeClass::NeedsPerson,
        ),
    ] {
        let integrations = sim.integrations();
        // The Manage token is there before the trouble begins.
        integrations.canary().await.unwrap();
        let when = json!({ "operation": "issue_token" });
        sim.fault(json!({ "when": when, "then": then, "count": 1 }))
            .await;
        let error = integrations.find_by_id("vci_own").await.unwrap_err();
        assert_eq!(error.class, expected, "{error}");
    }
}

#[tokio::test]
async fn a_set_that_grows_between_plan_and_push_is_not_emptied() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&rows()).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect("vci_own").await.unwrap();
    let steps = integrations.plan(
        Intent::Remove,
        sever_domain::BindingId::generate(),
        &reading,
    );
    let mut grown = rows();
    let row = json!({ "uniqueId": "c", "email": "cy@example.com", "status": "ACTIVE" });
    grown["resources"][0]["rows"]
        .as_array_mut()
        .unwrap()
        .push(row);
    sim.seed(&grown).await;
    let effect = sever_provider::Effect {
        action: steps[0].action,
        account_id: "vci_own".into(),
        target_kind: steps[0].target_kind,
        target_key: steps[0].target_key.clone(),
        facts: steps[0].facts.clone(),
    };
    let error = integrations.apply(&effect).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert_eq!(sim.truth("resources").await["resources"][0]["live"], 3);
}

#[tokio::test]
async fn an_application_that_no_read_shows_is_a_persons_word() {
    let sim = Sim::start(json!({})).await;
    let integrations = sim.integrations();
    let asked = opt_out(&integrations, Intent::Remove, "vci_somebody").await;
    assert_eq!(asked.verdict, Verdict::Asked);
    let done = opt_out_attested(
        &integrations,
        Intent::Remove,
        "vci_somebody",
        &["vci_somebody"],
    )
    .await;
    assert_eq!(done.verdict, Verdict::NothingLive, "{:?}", done.closing);
    assert_eq!(
        sim.journal().await.len(),
        0,
        "nothing can be asked of Vanta"
    );
}

#[tokio::test]
async fn an_integration_concerns_nobody_else() {
    let sim = with_aws(json!({})).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect("aws").await.unwrap();
    let radius = integrations.blast_radius("aws", &reading).await.unwrap();
    assert_eq!(
        (radius.people, radius.complete, radius.last_sign_in_path),
        (0, true, false)
    );
}
