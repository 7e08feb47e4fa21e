//! What no API does: asked of people, and read by machine where a read exists.

use serde_json::json;
use sever_domain::Intent;
use sever_domain::closing::Verdict;

use crate::drive::{opt_out, opt_out_attested};
use crate::sim::Sim;

#[tokio::test]
async fn the_offboarding_waits_for_what_people_are_asked_and_goes_once_a_read_shows_it() {
    let sim = Sim::start(json!({})).await;
    let access =
        json!({ "employment": "CURRENT", "source": "okta", "tasks": ["Return the badge"] });
    let (ada, _) = sim.leaver(access).await;
    let people = sim.people();
    let outcome = opt_out(&people, Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let keys: Vec<&str> = outcome.tasks.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["employment", "task:Return the badge"]);
    assert!(outcome.tasks[0].1.what.contains("integration"));
    assert_eq!(
        sim.calls("offboard_people").await,
        0,
        "it would only be refused"
    );
    sim.mutate(json!({ "do": "set_employment", "person": ada, "status": "FORMER" }))
        .await;
    let outcome = opt_out(&people, Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::Asked);
    assert_eq!(outcome.tasks.len(), 1, "a read showed the first");
    sim.mutate(json!({ "do": "complete_task", "person": ada }))
        .await;
    let outcome = opt_out(&people, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.live(&ada).await, json!([]));
}

#[tokio::test]
async fn api_applications_of_whoever_could_sign_in_are_a_persons_word() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({ "user": {} })).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let (key, task) = &outcome.tasks[0];
    assert_eq!(key, "api_applications");
    assert!(task.what.contains("Developer Console") && task.evidence.contains("export"));
    assert_eq!(sim.live(&ada).await, json!([]), "everything else is done");
    let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::Asked,
        "it is not forgotten when the login is gone"
    );
}

#[tokio::test]
async fn a_tenant_without_the_call_asks_for_the_login_and_sees_it_end() {
    for gone in [404, 405] {
        let sim = Sim::start(json!({ "missing_operations": ["deactivate_users"] })).await;
        let refusal = json!({ "when": { "operation": "none", "path": "deactivate" }, "then": { "status": gone } });
        sim.fault(refusal).await;
        let (ada, _) = sim.leaver(json!({ "user": {} })).await;
        let people = sim.people();
        let attested = ["api_applications"];
        let outcome = opt_out_attested(&people, Intent::Remove, &ada, &attested).await;
        assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
        assert!(outcome.tasks[0].1.what.contains("Settings > Users"));
        let ended = json!({ "do": "set_user", "user": "ada@example.com", "active": false });
        sim.mutate(ended).await;
        let outcome = opt_out_attested(&people, Intent::Remove, &ada, &attested).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{:?}",
            outcome.closing
        );
    }
}

#[tokio::test]
async fn what_vanta_goes_on_refusing_is_asked_of_a_person_and_seen_to_end() {
    let sim = Sim::start(json!({})).await;
    let access = json!({ "user": { "admin": true }, "accounts": [{ "system": "Okta" }] });
    let (ada, _) = sim.leaver(access).await;
    let boss = json!({ "do": "set_user", "user": "boss@example.com", "active": false });
    sim.mutate(boss).await;
    let people = sim.impatient();
    let attested = ["api_applications"];
    let outcome = opt_out_attested(&people, Intent::Remove, &ada, &attested).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let asked: Vec<&str> = outcome.tasks.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(asked, [ada.as_str(), "api_applications", "record"]);
    assert!(outcome.tasks[0].1.what.contains("last administrator"));
    assert!(outcome.tasks[2].1.what.contains("monitors"));
    for done in [
        json!({ "do": "set_user", "user": "ada@example.com", "active": false }),
        json!({ "do": "set_account", "person": ada, "account": "Okta", "active": false }),
    ] {
        sim.mutate(done).await;
    }
    let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &attested).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}
