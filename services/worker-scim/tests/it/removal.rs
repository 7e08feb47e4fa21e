//! Whole opt-outs at an application that follows the standard.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, Action, EntitlementKind, Intent};
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_scim::ScimFactory;

use crate::drive::{opt_out, run_until};
use crate::people;
use crate::sim::{Sim, TOKEN};

/// No write, and no read of one user or group, concerned anybody but `user`.
pub async fn nobody_else_is_concerned(sim: &Sim, user: &str) {
    for call in sim.journal().await {
        let concerned = call["user"].as_str();
        assert!(
            concerned.is_none_or(|concerned| concerned == user),
            "{call}"
        );
        assert!(
            call["effect"] != "write" || concerned == Some(user),
            "{call}"
        );
    }
}

#[tokio::test]
async fn a_removal_leaves_nothing_and_touches_nobody_else() {
    let sim = Sim::start(json!({})).await;
    let users = sim.seed(&people::two()).await;
    let bob = sim.truth(&users[1]).await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &users[0]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused), (1, vec![]));
    let truth = sim.truth(&users[0]).await;
    assert_eq!(
        (&truth["exists"], &truth["live"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(sim.truth(&users[1]).await, bob);
    nobody_else_is_concerned(&sim, &users[0]).await;
    let journal = sim.journal().await;
    let first = journal
        .iter()
        .find(|call| call["effect"] == "write")
        .unwrap();
    assert_eq!(
        first["operation"], "patch_user",
        "it is blocked before anything else is taken"
    );
    let last = journal
        .iter()
        .rfind(|call| call["effect"] == "write")
        .unwrap();
    assert_eq!(last["operation"], "delete_user");
}

#[tokio::test]
async fn disabling_blocks_and_leaves_the_rest_inert() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Disable, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(outcome.closing.inert.len(), 5);
    let truth = sim.truth(&ada).await;
    assert_eq!(
        truth["live"],
        json!(["groups:2", "roles:2", "entitlements:1"])
    );
    let sessions = outcome
        .plan
        .iter()
        .find(|step| step.target_kind == EntitlementKind::Session)
        .unwrap();
    assert_eq!(
        (sessions.action, sessions.residual_s),
        (Action::Leave, Some(3602))
    );
}

#[tokio::test]
async fn a_removal_that_is_done_twice_changes_nothing_the_second_time() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    opt_out(&sim.connector(), Intent::Remove, &ada).await;
    sim.clear_journal().await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    let journal = sim.journal().await;
    assert!(
        journal.iter().all(|call| call["effect"] != "write"),
        "{journal:?}"
    );
}

#[tokio::test]
async fn a_process_that_dies_after_any_call_is_followed_by_one_that_ends_the_same() {
    for calls in 0..8 {
        let sim = Sim::start(json!({})).await;
        let ada = sim.seed(&people::two()).await.remove(0);
        let died = run_until(&sim.connector(), Intent::Remove, &ada, calls).await;
        assert_eq!(died.is_none(), calls < 7, "{calls}");
        let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{calls}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth(&ada).await["live"], json!([]), "{calls}");
        nobody_else_is_concerned(&sim, &ada).await;
    }
}

#[tokio::test]
async fn an_application_that_keeps_deleted_users_is_believed_when_they_are_inactive() {
    let sim = Sim::start(json!({ "delete": "soft" })).await;
    let users = sim.seed(&people::two()).await;
    let ada = users[0].clone();
    let connector = sim.connector();
    let outcome = opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let reading = connector.inspect(&ada).await.unwrap();
    assert_eq!(reading.account_state, AccountState::Deactivated);
    assert_eq!(sim.truth(&ada).await["live"], json!([]));
    // What was learnt from one does not stand in for the deletion of the next.
    let next = opt_out(&connector, Intent::Remove, &users[1]).await;
    assert_eq!(next.verdict, Verdict::NothingLive, "{:?}", next.closing);
    let deleted = |call: &&serde_json::Value| {
        call["operation"] == "delete_user" && call["user"] == users[1].as_str()
    };
    let journal = sim.journal().await;
    assert_eq!(journal.iter().filter(deleted).count(), 1);
}

#[tokio::test]
async fn a_process_that_does_not_know_how_deleted_users_look_finds_out() {
    for how in ["soft", "hidden"] {
        let sim = Sim::start(json!({ "delete": how })).await;
        let ada = sim.seed(&people::two()).await.remove(0);
        opt_out(&sim.connector(), Intent::Remove, &ada).await;
        let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{how}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth(&ada).await["live"], json!([]), "{how}");
    }
}

#[tokio::test]
async fn where_there_is_no_delete_a_person_is_asked() {
    let sim = Sim::start(json!({ "delete": "missing" })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let last = outcome.plan.last().unwrap();
    assert!(
        matches!(&last.disposition, Disposition::Manual { task } if task.asked_of == "application-admin")
    );
    assert_eq!(last.target_kind, EntitlementKind::Account);
    assert_eq!(
        sim.truth(&ada).await["live"],
        json!([]),
        "everything else is gone"
    );
}

#[tokio::test]
async fn an_organisation_that_keeps_accounts_says_so() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let credential = json!({ "token": TOKEN, "final_state": "inactive" }).to_string();
    let connector = ScimFactory::default()
        .connect(sim.settings(&credential))
        .unwrap()
        .people;
    let outcome = opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let truth = sim.truth(&ada).await;
    assert_eq!(
        (&truth["exists"], &truth["live"]),
        (&json!(true), &json!([]))
    );
}

#[tokio::test]
async fn somebody_who_changes_meanwhile_is_planned_for_again() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let connector = sim.connector();
    run_until(&connector, Intent::Remove, &ada, 3).await;
    for change in [
        json!({ "do": "set_active", "user": ada, "active": true }),
        json!({ "do": "add_to_group", "user": ada, "group": "Other" }),
        json!({ "do": "change_login", "user": ada, "login": "ada.byron@example.com" }),
    ] {
        sim.control("POST", "/scim/main/mutate", &change).await;
    }
    let outcome = opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(
        sim.truth(&ada).await["live"],
        Value::from(Vec::<Value>::new())
    );
}
