//! Integrations: clients of a Keycloak.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{AccountState, Action, BindingId, EntitlementKind, Intent};
use sever_provider::{Connector as _, Effect, FoundAccount, Undo};

use crate::drive::{opt_out, run_until};
use crate::people;
use crate::removal::nobody_else_is_concerned;
use crate::sim::Sim;

#[tokio::test]
async fn a_removed_integration_gets_no_token_and_keeps_no_role() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let before = sim.client_truth("bot").await;
    let outcome = opt_out(&sim.clients(), Intent::Remove, "c-bot").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused), (1, vec![]));
    let after = sim.client_truth("bot").await;
    assert_eq!(after["enabled"], false);
    assert_ne!(
        after["secret"], before["secret"],
        "the old secret is worth nothing"
    );
    assert!(after["not_before"].as_i64() > before["not_before"].as_i64());
    assert_eq!(
        after["live"],
        json!(["service_account:1"]),
        "its user is there and has nothing"
    );
    let journal = sim.journal().await;
    let users: Vec<&str> = journal
        .iter()
        .filter(|call| call["effect"] == "write" && call["family"] != "token")
        .filter_map(|call| call["user"].as_str())
        .collect();
    assert!(
        users
            .iter()
            .all(|user| *user == "c-bot" || user.starts_with("0000")),
        "{users:?}"
    );
}

#[tokio::test]
async fn an_integration_that_people_use_says_how_many_and_ends_nobodys_session() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.clients();
    let reading = connector.inspect("c-web").await.unwrap();
    let radius = connector.blast_radius("c-web", &reading).await.unwrap();
    assert_eq!((radius.people, radius.complete), (2, false));
    let outcome = opt_out(&connector, Intent::Remove, "c-web").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let web = sim.client_truth("web").await;
    assert_eq!(
        web["live"],
        json!(["sessions:2", "offline_sessions:2"]),
        "sessions stay, and renew nothing"
    );
    let ada = sim.truth("u-ada").await;
    assert!(ada["live"].to_string().contains("sessions:2"), "{ada}");
    nobody_else_is_concerned(&sim, "c-web").await;
}

#[tokio::test]
async fn disabling_an_integration_leaves_its_secret_and_roles_inert() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let before = sim.client_truth("bot").await;
    let outcome = opt_out(&sim.clients(), Intent::Disable, "c-bot").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let after = sim.client_truth("bot").await;
    assert_eq!(
        (&after["enabled"], &after["secret"]),
        (&json!(false), &before["secret"])
    );
}

#[tokio::test]
async fn a_process_that_dies_after_any_call_is_followed_by_one_that_ends_the_same() {
    for calls in 0..6 {
        let sim = Sim::start(json!({ "unconfirmed": { "put_client": "replace" } })).await;
        sim.seed(&people::two()).await;
        run_until(&sim.clients(), Intent::Remove, "c-bot", calls).await;
        let outcome = opt_out(&sim.clients(), Intent::Remove, "c-bot").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{calls}: {:?}",
            outcome.closing
        );
        assert_eq!(
            sim.client_truth("bot").await["live"],
            json!(["service_account:1"]),
            "{calls}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_at_any_write_changes_nothing_about_the_end() {
    for after in 0..6 {
        let sim = Sim::start(json!({})).await;
        sim.seed(&people::two()).await;
        let when = json!({ "write": true, "path": "^/admin/" });
        sim.fault(
            json!({ "when": when, "then": { "answer_lost": true }, "after": after, "count": 1 }),
        )
        .await;
        let outcome = opt_out(&sim.clients(), Intent::Remove, "c-bot").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{after}: {:?}",
            outcome.closing
        );
    }
}

#[tokio::test]
async fn our_own_client_is_known_so_that_nobody_removes_it() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let own = sim.clients().own_account().await.unwrap().unwrap();
    let FoundAccount::Present(found) = sim.clients().find_by_id(&own).await.unwrap() else {
        panic!("it is there")
    };
    assert_eq!(found.attributes.login.as_deref(), Some("sever"));
    let person = sim.keycloak().own_account().await.unwrap().unwrap();
    assert_ne!(person, own);
    assert_eq!(
        sim.clients().find_by_id("c-none").await.unwrap(),
        FoundAccount::Absent
    );
}

#[tokio::test]
async fn an_integration_comes_back_without_its_secret() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.clients();
    let pre_image = connector.inspect("c-bot").await.unwrap();
    let steps = connector.plan(Intent::Remove, BindingId::generate(), &pre_image);
    opt_out(&connector, Intent::Remove, "c-bot").await;
    let mut impossible = Vec::new();
    for step in &steps {
        let was = pre_image
            .of(step.target_kind)
            .iter()
            .find(|held| held.provider_key == step.target_key);
        match connector.undo(step, was).await.unwrap() {
            Undo::Step(back) => {
                let effect = Effect {
                    action: back.action,
                    account_id: "c-bot".to_owned(),
                    target_kind: back.target_kind,
                    target_key: back.target_key.clone(),
                    facts: back.facts.clone(),
                };
                connector.apply(&effect).await.unwrap();
            }
            Undo::Impossible { .. } => impossible.push(step.action),
            Undo::Nothing => {}
        }
    }
    assert_eq!(impossible, [Action::RevokeTokens, Action::RemoveSecret]);
    let reading = connector.inspect("c-bot").await.unwrap();
    assert_eq!(reading.account_state, AccountState::Live);
    assert_eq!(reading.of(EntitlementKind::Role).len(), 2);
}
