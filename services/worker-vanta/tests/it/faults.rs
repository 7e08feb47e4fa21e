//! Faults of the network and of the provider, a process that dies, and servers that do not do as they are asked.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{Intent, OutcomeClass};
use sever_provider::Connector as _;

use crate::drive::{opt_out_attested, try_once};
use crate::removal::{rich, rows};
use crate::sim::Sim;

const ATTESTED: [&str; 1] = ["api_applications"];

#[tokio::test]
async fn whatever_call_breaks_the_end_is_the_same() {
    for (then, operation) in [
        (json!({ "answer_lost": true }), "deactivate_users"),
        (json!({ "answer_lost": true }), "offboard_people"),
        (json!({ "answer_lost": true }), "sync_resources"),
        (json!({ "reset": true }), "deactivate_users"),
        (json!({ "reset": true }), "get_person"),
        (json!({ "reset": true }), "issue_token"),
        (json!({ "status": 500 }), "list_users"),
        (json!({ "status": 503 }), "issue_token"),
        (
            json!({ "status": 500, "after_effect": true }),
            "offboard_people",
        ),
        (json!({ "status": 429 }), "offboard_people"),
        (json!({ "status": 429, "reset_in_s": 1 }), "get_person"),
        (json!({ "twice": true }), "deactivate_users"),
        (json!({ "twice": true }), "offboard_people"),
        (json!({ "half_body": true }), "offboard_people"),
        (json!({ "half_body": true }), "list_users"),
        (json!({ "status": 200, "body": {} }), "offboard_people"),
    ] {
        let sim = Sim::start(json!({})).await;
        let (ada, _) = sim.leaver(rich()).await;
        sim.seed(&rows()).await;
        sim.fault(json!({ "when": { "operation": operation }, "then": then, "count": 1 }))
            .await;
        let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &ATTESTED).await;
        let said = format!("{operation} {then}: {:?}", outcome.closing);
        assert_eq!(outcome.verdict, Verdict::NothingLive, "{said}");
        assert_eq!(sim.live(&ada).await, json!([]), "{said}");
        assert_eq!(outcome.refused, vec![], "{said}");
        sim.only_about(&ada).await;
    }
}

/// The process dies with the answer of each call in turn; another one takes over and comes to the same end.
#[tokio::test]
async fn a_process_that_dies_after_any_call_is_taken_over() {
    let mut call = 0;
    loop {
        let sim = Sim::start(json!({})).await;
        let (ada, ben) = sim.leaver(rich()).await;
        sim.seed(&rows()).await;
        let before = sim.truth(&format!("people/{ben}")).await;
        let then = json!({ "answer_lost": true });
        sim.fault(json!({ "then": then, "after": call, "count": 1 }))
            .await;
        let whole = try_once(&sim.people(), Intent::Remove, &ada).await;
        let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &ATTESTED).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "call {call}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.live(&ada).await, json!([]), "call {call}");
        assert_eq!(
            sim.truth(&format!("people/{ben}")).await,
            before,
            "call {call}"
        );
        sim.only_about(&ada).await;
        if whole {
            break;
        }
        call += 1;
    }
    assert!(call > 8, "only {call} calls were broken");
}

#[tokio::test]
async fn pages_that_come_twice_are_read_whole_and_pages_without_end_are_no_reading() {
    let settings = json!({ "page_size_max": 1, "page_repeats": "twice" });
    let sim = Sim::start(settings).await;
    let (ada, _) = sim.leaver(rich()).await;
    let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &ATTESTED).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    sim.configure(json!({ "page_size_max": 1, "page_repeats": "forever" }))
        .await;
    let error = sim.people().inspect(&ada).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Retry);
}

#[tokio::test]
async fn a_429_is_obeyed_for_as_long_as_it_says() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({})).await;
    let then = json!({ "status": 429, "reset_in_s": 7 });
    sim.fault(json!({ "when": { "operation": "get_person" }, "then": then, "count": 1 }))
        .await;
    let people = sim.people();
    let error = people.inspect(&ada).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(people.blocked_for().unwrap().as_secs() >= 6);
    people.inspect(&ada).await.unwrap_err();
    assert_eq!(
        sim.calls("get_person").await,
        1,
        "the closed bucket was called again"
    );
}

#[tokio::test]
async fn our_own_pace_is_kept_without_being_told() {
    let sim = Sim::start(json!({ "rate_limits": { "manage": 10 } })).await;
    let mut settings = sim.settings("vcs_1");
    let mut credential: serde_json::Value =
        serde_json::from_str(secrecy::ExposeSecret::expose_secret(&settings.credential)).unwrap();
    credential["requests_per_minute"] = json!(10);
    settings.credential = credential.to_string().into();
    let connected = sever_provider::ConnectorFactory::connect(
        &sever_worker_vanta::VantaFactory::default(),
        settings,
    );
    let people = connected.unwrap().people;
    for _ in 0..8 {
        people.canary().await.unwrap();
    }
    let error = people.canary().await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(people.blocked_for().is_some());
    let refused = sim.journal().await;
    assert!(refused.iter().all(|call| call["status"] != 429));
}

#[tokio::test]
async fn what_our_connector_may_not_read_proves_nothing() {
    for (status, verdict) in [(500, Verdict::Unread), (403, Verdict::NeedsPerson)] {
        let sim = Sim::start(json!({})).await;
        let (ada, _) = sim.leaver(json!({})).await;
        let when = json!({ "operation": "list_resources" });
        sim.fault(json!({ "when": when, "then": { "status": status } }))
            .await;
        let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &[]).await;
        assert_eq!(outcome.verdict, verdict, "{status}");
    }
}
