//! People: what a removal leaves, and that a second one changes nothing.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::{Action, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Connector as _, Effect};

use crate::drive::{opt_out, opt_out_attested};
use crate::sim::{BOSS, Sim};

/// Somebody with a login, a group, an account elsewhere that has ended, and a row of our own connector.
pub fn rich() -> Value {
    json!({
        "user": {},
        "accounts": [{ "system": "Okta", "inactive": true }, { "system": "Design Tool", "unmonitored": true }],
    })
}

/// A row of our own connector for the leaver, and one for somebody else.
pub fn rows() -> Value {
    let row = |id: &str, email: &str| json!({ "uniqueId": id, "email": email, "status": "ACTIVE" });
    json!({ "resources": [{
        "type": "user_account", "resource_id": "r1",
        "rows": [row("a", "Ada@example.com"), row("b", "ben@example.com")],
    }] })
}

#[tokio::test]
async fn a_removal_ends_the_login_the_row_and_the_record_and_touches_nobody_else() {
    let sim = Sim::start(json!({})).await;
    let (ada, ben) = sim.leaver(rich()).await;
    sim.seed(&rows()).await;
    let before = sim.truth(&format!("people/{ben}")).await;
    let outcome =
        opt_out_attested(&sim.people(), Intent::Remove, &ada, &["api_applications"]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.live(&ada).await, json!([]));
    assert_eq!(sim.truth(&format!("people/{ben}")).await, before);
    sim.only_about(&ada).await;
    assert_eq!(
        sim.calls("issue_token").await,
        2,
        "one for each application"
    );
}

#[tokio::test]
async fn a_second_removal_changes_nothing() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(rich()).await;
    opt_out(&sim.people(), Intent::Remove, &ada).await;
    sim.clear_journal().await;
    let outcome =
        opt_out_attested(&sim.people(), Intent::Remove, &ada, &["api_applications"]).await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    let journal = sim.journal().await;
    let writes = journal.iter().filter(|call| call["effect"] == "write");
    assert!(
        writes
            .clone()
            .all(|call| call["operation"] == "issue_token")
    );
}

#[tokio::test]
async fn somebody_without_a_login_needs_nobody_and_five_calls() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({})).await;
    let mut settings = sim.settings("vcs_1");
    settings.credential =
        json!({ "client_id": "vci_manage", "client_secret": "vcs_1", "acknowledger": BOSS })
            .to_string()
            .into();
    let connected = sever_provider::ConnectorFactory::connect(
        &sever_worker_vanta::VantaFactory::default(),
        settings,
    );
    let people = connected.unwrap().people;
    let outcome = opt_out(&people, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(outcome.tasks, vec![]);
    assert_eq!(sim.live(&ada).await, json!([]));
    let calls = sim.journal().await.len();
    assert!(
        calls <= 7,
        "{calls} calls: token, find, two reads, offboard, two reads"
    );
}

#[tokio::test]
async fn somebody_who_is_disabled_cannot_sign_in_and_keeps_the_record() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(rich()).await;
    let outcome =
        opt_out_attested(&sim.people(), Intent::Disable, &ada, &["api_applications"]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let live = sim.live(&ada).await;
    assert_eq!(live, json!(["person:1", "accounts:1"]));
    assert_eq!(sim.calls("offboard_people").await, 0);
}

#[tokio::test]
async fn a_set_that_is_shown_in_part_is_not_pushed_back() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(rich()).await;
    sim.seed(&rows()).await;
    let people = sim.people();
    let reading = people.inspect(&ada).await.unwrap();
    let row = &reading.of(EntitlementKind::Resource)[0];
    let effect = Effect {
        action: Action::DeleteResource,
        account_id: ada,
        target_kind: EntitlementKind::Resource,
        target_key: row.provider_key.clone(),
        facts: row.facts.clone(),
    };
    let part = json!({ "resources": [{ "uniqueId": "a" }], "pageInfo": { "hasNextPage": true } });
    let then = json!({ "status": 200, "body": part });
    sim.fault(json!({ "when": { "operation": "list_resources" }, "then": then, "count": 1 }))
        .await;
    let error = people.apply(&effect).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert_eq!(sim.calls("sync_resources").await, 0);
    people.apply(&effect).await.unwrap();
    assert_eq!(sim.calls("sync_resources").await, 1);
}

#[tokio::test]
async fn whoever_is_not_there_is_proven_absent() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(rich()).await;
    sim.mutate(json!({ "do": "delete_person", "person": ada }))
        .await;
    let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn an_offboarding_waits_until_the_monitored_account_has_ended() {
    let sim = Sim::start(json!({})).await;
    let accounts = json!({ "accounts": [{ "system": "Okta" }] });
    let (ada, _) = sim.leaver(accounts).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
    let refusal = outcome.refused[0].to_string();
    assert!(refusal.contains("account that it monitors"), "{refusal}");
    assert!(outcome.refused[0].retry_after.is_some());
    assert_eq!(outcome.verdict, Verdict::Live);
    let gone = json!({ "do": "set_account", "person": ada, "account": "Okta", "active": false });
    sim.mutate(gone).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.live(&ada).await, json!([]));
}

#[tokio::test]
async fn a_login_that_an_identity_provider_provisions_ends_there_and_holds_nothing_else_up() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(json!({ "user": { "managed": "scim" } })).await;
    let people = sim.people();
    let outcome = opt_out_attested(&people, Intent::Remove, &ada, &["api_applications"]).await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert!(outcome.refused[0].to_string().contains("identity provider"));
    assert_eq!(
        sim.live(&ada).await,
        json!(["login:1"]),
        "offboarded all the same"
    );
    let ended = json!({ "do": "set_user", "user": "ada@example.com", "active": false });
    sim.mutate(ended).await;
    let outcome = opt_out_attested(&people, Intent::Remove, &ada, &["api_applications"]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn what_the_documents_leave_open_makes_no_difference() {
    for open in [
        json!({ "error_body": "empty" }),
        json!({ "error_body": "errors", "item_errors_say_why": true }),
        json!({ "deactivated_user": "gone", "repeat_deactivate": "error" }),
        json!({ "people_have_user_id": false }),
        json!({ "put_resources_body": false, "omitted_accounts": "gone" }),
        json!({ "retry_after": false, "bare_arrays": false }),
    ] {
        let sim = Sim::start(json!({ "unconfirmed": open })).await;
        let (ada, _) = sim.leaver(rich()).await;
        sim.seed(&rows()).await;
        let attested = ["api_applications"];
        let outcome = opt_out_attested(&sim.people(), Intent::Remove, &ada, &attested).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{open} {:?}",
            outcome.closing
        );
        assert_eq!(sim.live(&ada).await, json!([]), "{open}");
    }
}

#[tokio::test]
async fn a_reading_holds_no_name_and_no_address() {
    let sim = Sim::start(json!({})).await;
    let (ada, _) = sim.leaver(rich()).await;
    sim.seed(&rows()).await;
    let reading = sim.people().inspect(&ada).await.unwrap();
    assert_eq!(reading.of(EntitlementKind::Resource).len(), 1);
    let text = serde_json::to_string(&reading).unwrap().to_lowercase();
    assert!(!text.contains("byron") && !text.contains("ada@"), "{text}");
}
