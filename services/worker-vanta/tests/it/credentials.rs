//! The one token: kept, fetched once at a time, replaced when it was ended, and never fetched too often.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{Action, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Connector as _, ConnectorFactory as _, Effect, Sent};
use sever_worker_vanta::VantaFactory;

use crate::drive::opt_out;
use crate::sim::Sim;

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let sim = Sim::start(json!({})).await;
    let connected = sim.connect();
    let canaries = (0..8).map(|_| connected.people.canary());
    for result in futures::future::join_all(canaries).await {
        result.unwrap();
    }
    connected.integrations.unwrap().canary().await.unwrap();
    assert_eq!(
        sim.calls("issue_token").await,
        1,
        "both connectors share it"
    );
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_replaced_and_nothing_is_lost() {
    for operation in ["list_users", "offboard_people", "deactivate_users"] {
        let sim = Sim::start(json!({})).await;
        let (ada, _) = sim.leaver(json!({ "user": {} })).await;
        let when = json!({ "operation": operation });
        sim.fault(json!({ "when": when, "then": { "status": 401 }, "count": 1 }))
            .await;
        let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
        assert_eq!(
            outcome.verdict,
            Verdict::Asked,
            "{operation}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.live(&ada).await, json!([]), "{operation}");
        assert_eq!(
            sim.calls("issue_token").await,
            3,
            "two for managing, one of our connector"
        );
    }
}

#[tokio::test]
async fn a_token_displaced_by_another_program_is_fetched_anew() {
    let sim = Sim::start(json!({})).await;
    let people = sim.people();
    people.canary().await.unwrap();
    sim.control("POST", "/vanta/main/tokens/revoke", &json!({}))
        .await;
    let error = people.canary().await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Retry);
    people.canary().await.unwrap();
}

#[tokio::test]
async fn a_refused_secret_and_two_refused_tokens_are_wrong_credentials() {
    let sim = Sim::start(json!({})).await;
    let wrong = VantaFactory::default()
        .connect(sim.settings("vcs_wrong"))
        .unwrap();
    let error = wrong.people.canary().await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Credentials);
    assert!(!format!("{error} {error:?} {:?}", wrong.people).contains("vcs_wrong"));
    sim.fault(json!({ "when": { "operation": "list_people" }, "then": { "status": 401 } }))
        .await;
    let people = sim.people();
    let first = people.canary().await.unwrap_err();
    assert_eq!(first.class, OutcomeClass::Retry, "another token may work");
    let second = people.canary().await.unwrap_err();
    assert_eq!(second.class, OutcomeClass::Credentials);
}

#[tokio::test]
async fn tokens_are_never_fetched_more_often_than_vanta_takes() {
    let sim = Sim::start(json!({})).await;
    let people = sim.people();
    let mut last = None;
    for _ in 0..12 {
        last = people.canary().await.err();
        sim.control("POST", "/vanta/main/tokens/revoke", &json!({}))
            .await;
    }
    let error = last.unwrap();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(error.retry_after.unwrap().as_secs() <= 61);
    let journal = sim.journal().await;
    let minted = journal
        .iter()
        .filter(|call| call["operation"] == "issue_token");
    assert!(minted.clone().count() <= 4 && minted.clone().all(|call| call["status"] == 200));
}

#[tokio::test]
async fn a_call_whose_token_was_not_fetched_was_not_sent() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({})).await;
    sim.fault(json!({ "when": { "operation": "issue_token" }, "then": { "answer_lost": true } }))
        .await;
    let effect = Effect {
        action: Action::OffboardPerson,
        account_id: ada,
        target_kind: EntitlementKind::MonitoredAccount,
        target_key: "record".into(),
        facts: json!({}),
    };
    let error = sim.people().apply(&effect).await.unwrap_err();
    assert_eq!(error.sent, Sent::NotApplied);
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_their_field() {
    let sim = Sim::start(json!({})).await;
    let refused = |change: &dyn Fn(&mut sever_provider::ConnectionSettings)| {
        let mut settings = sim.settings("vcs_1");
        change(&mut settings);
        VantaFactory::default().connect(settings).unwrap_err().field
    };
    assert_eq!(refused(&|it| it.credential = "vcs_1".into()), "credential");
    let elsewhere = "http://api.vanta.test";
    assert_eq!(
        refused(&|it| it.base_url = elsewhere.parse().unwrap()),
        "base_url"
    );
    assert_eq!(refused(&|it| it.in_flight_max = 0), "in_flight_max");
}
