//! Whole opt-outs of people at a Keycloak.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::{AccountState, Action, EntitlementKind, Intent};
use sever_provider::Connector as _;

use crate::drive::{opt_out, run_until};
use crate::people;
use crate::sim::Sim;

/// No call concerned anybody but `subject`, and none the whole realm.
pub async fn nobody_else_is_concerned(sim: &Sim, subject: &str) {
    for call in sim.journal().await {
        let concerned = call["user"].as_str();
        let own = call["family"] == "token" || concerned == Some("sever");
        assert!(
            own || concerned.is_none_or(|concerned| concerned == subject),
            "{call}"
        );
        let write = call["effect"] == "write" && call["family"] != "token";
        assert!(!write || concerned == Some(subject), "{call}");
    }
}

#[tokio::test]
async fn a_removal_leaves_nothing_and_touches_nobody_else() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let bob = sim.truth("u-bob").await;
    let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused), (1, vec![]));
    let truth = sim.truth("u-ada").await;
    assert_eq!(
        (&truth["live"], &truth["credentials"]),
        (&json!([]), &json!(0))
    );
    assert_eq!(
        truth["attributes"],
        json!({ "employeeNumber": ["E7"] }),
        "nothing else changed"
    );
    assert_eq!(sim.truth("u-bob").await, bob);
    nobody_else_is_concerned(&sim, "u-ada").await;
    let journal = sim.journal().await;
    let mut writes = journal
        .iter()
        .filter(|call| call["effect"] == "write" && call["family"] != "token");
    assert_eq!(
        writes.next().unwrap()["operation"],
        "update_user",
        "it is disabled before anything else"
    );
}

#[tokio::test]
async fn what_works_on_is_shown_as_residual() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.keycloak();
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    let cut = outcome
        .plan
        .iter()
        .find(|step| step.action == Action::RevokeSessions)
        .unwrap();
    assert_eq!(cut.residual_s, Some(302));
    assert_eq!(
        sim.truth("u-ada").await["residual"],
        1,
        "the access token itself cannot be recalled"
    );
}

#[tokio::test]
async fn disabling_cuts_what_works_by_itself_and_leaves_the_rest_inert() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let outcome = opt_out(&sim.keycloak(), Intent::Disable, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(outcome.closing.inert.len(), 8);
    let live = sim.truth("u-ada").await["live"].clone();
    assert_eq!(live, json!(["roles:3", "groups:2", "federated:1"]));
}

#[tokio::test]
async fn a_removal_that_is_done_twice_changes_nothing_the_second_time() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
    sim.clear_journal().await;
    let before = sim.truth("u-ada").await;
    let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    let after = sim.truth("u-ada").await;
    assert_eq!(
        (&after["live"], &after["enabled"]),
        (&before["live"], &before["enabled"])
    );
    let journal = sim.journal().await;
    let written = journal
        .iter()
        .filter(|call| call["effect"] == "write" && call["family"] != "token");
    assert!(
        written
            .into_iter()
            .all(|call| call["operation"] == "log_out_user")
    );
}

#[tokio::test]
async fn a_process_that_dies_after_any_call_is_followed_by_one_that_ends_the_same() {
    for calls in 0..14 {
        let sim = Sim::start(json!({})).await;
        sim.seed(&people::two()).await;
        run_until(&sim.keycloak(), Intent::Remove, "u-ada", calls).await;
        let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{calls}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth("u-ada").await["live"], json!([]), "{calls}");
        nobody_else_is_concerned(&sim, "u-ada").await;
    }
}

#[tokio::test]
async fn every_switch_in_either_position_ends_in_the_same_state() {
    for unconfirmed in [
        json!({ "put_user": "replace" }),
        json!({ "offline_session_delete": 404 }),
        json!({ "logout_sets_not_before": false }),
        json!({ "disable_ends_sessions": true }),
        json!({ "introspection_checks_user": false }),
        json!({ "repeat_delete": 404 }),
    ] {
        let sim = Sim::start(json!({ "unconfirmed": unconfirmed, "unknown_members": true })).await;
        sim.seed(&people::two()).await;
        let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{unconfirmed}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{unconfirmed}");
        let truth = sim.truth("u-ada").await;
        assert_eq!(truth["live"], json!([]), "{unconfirmed}");
        assert_eq!(
            (&truth["first_name"], &truth["email"]),
            (&json!("Ada"), &json!("ada@example.com")),
            "{unconfirmed}"
        );
    }
}

#[tokio::test]
async fn somebody_who_changes_meanwhile_is_planned_for_again() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.keycloak();
    run_until(&connector, Intent::Remove, "u-ada", 4).await;
    for change in [
        json!({ "do": "set_enabled", "user": "u-ada", "enabled": true }),
        json!({ "do": "add_to_group", "user": "u-ada", "group": "Other" }),
        json!({ "do": "add_session", "user": "u-ada", "client": "mobile" }),
        json!({ "do": "add_token", "user": "u-ada", "token": { "client": "mobile", "kind": "offline" } }),
    ] {
        sim.mutate(change).await;
    }
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth("u-ada").await["live"], json!([]));
}

#[tokio::test]
async fn somebody_deleted_needs_no_write() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    sim.mutate(json!({ "do": "delete", "user": "u-ada" })).await;
    let connector = sim.keycloak();
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let reading = connector.inspect("u-ada").await.unwrap();
    assert_eq!(reading.account_state, AccountState::Absent);
    connector.canary().await.unwrap();
}

#[tokio::test]
async fn registered_tokens_are_revoked_beside_everything_else() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let token = json!({
        "name": "ada at web", "account": "u-ada", "token": sim.reference("ada", "ada-refresh"),
        "client_id": "web", "client_secret": sim.reference("web", "w"),
    });
    let more = json!({ "profile": "keycloak", "realm": "main", "tokens": [token] });
    let connector = sim.connect(more).people;
    let reading = connector.inspect("u-ada").await.unwrap();
    let keys: Vec<&str> = reading
        .of(EntitlementKind::Token)
        .iter()
        .map(|token| token.provider_key.as_str())
        .collect();
    assert_eq!(keys, ["offline:web", "registered:ada at web"]);
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let journal = sim.journal().await;
    let revoked: Vec<&Value> = journal
        .iter()
        .filter(|call| call["family"] == "revocation")
        .collect();
    assert_eq!(revoked.len(), 1);
    assert!(!json!(journal).to_string().contains("ada-refresh"));
}
