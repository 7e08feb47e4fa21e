//! Whole removals, judged by the simulator's own state and journal.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::{EntitlementKind, Intent};

use crate::drive::{inert, opt_out};
use crate::people;
use crate::sim::Sim;

/// Calls that name no user: they list the whole org, and the answers are matched by the connector.
const ORG_WIDE: [&str; 3] = ["list_api_tokens", "list_apps", "list_device_users"];

/// Whom each call concerned: `user`, an object that was theirs alone, or nobody. Other people never.
fn assert_only(journal: &[Value], user: &str, others: &[&str]) {
    for call in journal {
        let text = call.to_string();
        for other in others {
            assert!(
                !text.contains(other),
                "a call concerned somebody else: {call}"
            );
        }
        let theirs = call["user"] == user || call["path"].as_str().unwrap().contains(user);
        let object = ["revoke_api_token", "deactivate_device", "delete_device"]
            .contains(&call["operation"].as_str().unwrap());
        let org_wide = ORG_WIDE.contains(&call["operation"].as_str().unwrap());
        assert!(
            theirs || object || org_wide,
            "whom did this call concern? {call}"
        );
    }
}

#[tokio::test]
async fn a_rich_person_is_removed_whole_and_nobody_else_is_touched() {
    let sim = Sim::start(json!({})).await;
    let users = sim.seed(&people::rich()).await;
    let (ada, ben) = (users[0].as_str(), users[1].as_str());
    let before = sim.truth(ben).await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused.len()), (1, 0));
    let truth = sim.truth(ada).await;
    assert_eq!(truth["status"], "DEPROVISIONED");
    // The system application stays with Everyone: Okta keeps such assignments on deactivation.
    assert_eq!(truth["live"], json!(["apps:1"]), "{truth}");
    assert_eq!(
        (&truth["factors"], &truth["idps"]),
        (&json!([]), &json!([]))
    );
    // Everyone, and the group that a directory owns; the kiosk that Ben uses too.
    assert_eq!(inert(&outcome.closing, EntitlementKind::Group), 2);
    assert_eq!(inert(&outcome.closing, EntitlementKind::Device), 1);
    assert_eq!(inert(&outcome.closing, EntitlementKind::AppAssignment), 1);
    assert_eq!(sim.truth(ben).await, before);
    assert_only(&sim.journal().await, ada, &[ben]);
}

#[tokio::test]
async fn containing_is_the_first_write_and_sessions_end_again_after_the_last() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    opt_out(&sim.connector(), Intent::Remove, &ada).await;
    let writes: Vec<String> = sim
        .journal()
        .await
        .iter()
        .filter(|call| call["effect"] == "write")
        .map(|call| call["operation"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(writes.first().map(String::as_str), Some("suspend_user"));
    let at = |operation: &str| writes.iter().position(|write| write == operation).unwrap();
    let last = writes.iter().rposition(|write| write == "clear_sessions");
    assert!(at("clear_sessions") < at("remove_member"));
    assert!(at("unassign_role") < at("remove_member"));
    assert!(at("remove_member") < at("unassign_app_user"));
    assert!(last > Some(at("deactivate_user")));
    assert!(!writes.iter().any(|write| write == "delete_user"));
}

#[tokio::test]
async fn the_fixed_person_costs_forty_calls_at_most() {
    let sim = Sim::start(json!({})).await;
    let fixed = sim.seed(&people::fixed()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &fixed).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&fixed).await["live"], json!([]));
    let calls = sim.journal().await.len();
    assert!(calls <= 40, "{calls} calls");
}

#[tokio::test]
async fn a_disabled_person_keeps_what_cannot_act() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Disable, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let truth = sim.truth(&ada).await;
    assert_eq!(
        (&truth["status"], &truth["sessions"]),
        (&json!("SUSPENDED"), &json!(0))
    );
    let live = truth["live"].to_string();
    for gone in ["account", "tokens", "grants", "sessions"] {
        assert!(!live.contains(gone), "{live}");
    }
    assert!(live.contains("groups:3"), "{live}");
}

#[tokio::test]
async fn somebody_deprovisioned_before_loses_what_deactivation_leaves() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    sim.control(
        "POST",
        "/okta/main/mutate",
        &json!({"do": "deactivate", "user": ada}),
    )
    .await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let truth = sim.truth(&ada).await;
    assert_eq!(truth["live"], json!(["apps:1"]), "{truth}");
    assert_eq!(truth["factors"], json!([]));
    let journal = sim.journal().await;
    let lifecycle = journal
        .iter()
        .filter(|call| call["family"] == "users.lifecycle");
    assert_eq!(lifecycle.count(), 0);
}

#[tokio::test]
async fn somebody_deleted_needs_one_read_and_no_write() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    sim.control(
        "POST",
        "/okta/main/mutate",
        &json!({"do": "delete", "user": ada}),
    )
    .await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.journal().await.len(), 1);
}

#[tokio::test]
async fn every_status_ends_deprovisioned() {
    for status in [
        "LOCKED_OUT",
        "PASSWORD_EXPIRED",
        "PROVISIONED",
        "RECOVERY",
        "STAGED",
        "SUSPENDED",
    ] {
        let sim = Sim::start(json!({})).await;
        let mut document = people::fixed();
        document["users"][0]["status"] = json!(status);
        let user = sim.seed(&document).await.remove(0);
        let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{status}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth(&user).await["live"], json!([]), "{status}");
    }
}

#[tokio::test]
async fn a_locked_account_cannot_be_disabled_without_a_person() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::fixed();
    document["users"][0]["status"] = json!("LOCKED_OUT");
    let user = sim.seed(&document).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Disable, &user).await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert_eq!(sim.truth(&user).await["status"], "LOCKED_OUT");
}

#[tokio::test]
async fn a_removal_that_is_done_twice_changes_nothing_the_second_time() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::rich()).await.remove(0);
    opt_out(&sim.connector(), Intent::Remove, &ada).await;
    sim.clear_journal().await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    let journal = sim.journal().await;
    assert!(journal.iter().all(|call| call["changed"] == false));
}
