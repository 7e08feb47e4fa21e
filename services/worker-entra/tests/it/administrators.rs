//! Administrators, whom Graph protects, synced accounts, last owners.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{AccountState, Intent, OutcomeClass};
use sever_provider::{Connector as _, FoundAccount};

use crate::drive::opt_out;
use crate::people;
use crate::sim::{CLIENT, SECRET, Sim};

fn push(list: &mut serde_json::Value, item: serde_json::Value) {
    list.as_array_mut().unwrap().push(item);
}

fn administrator() -> serde_json::Value {
    let mut document = people::plain();
    push(
        &mut document["groups"],
        json!({"name": "Operators", "kind": "role_assignable"}),
    );
    document["users"][0]["groups"] = json!(["One", "Two", "Operators"]);
    document["users"][0]["roles"] = json!([
        {"role": "User Administrator", "pim": true}, {"role": "Security Reader"},
        {"role": "Helpdesk Administrator", "scope": "/administrativeUnits/au1"},
    ]);
    let root = json!({"id": "root", "login": "root@example.com", "roles": [{"role": "Global Administrator"}]});
    push(&mut document["users"], root);
    document
}

#[tokio::test]
async fn an_administrator_is_disabled_after_the_roles_are_gone() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&administrator()).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    // The containing call, before anything was read, was refused.
    assert_eq!(outcome.refused.len(), 1);
    assert_eq!(outcome.refused[0].class, OutcomeClass::NeedsPerson);
    let writes = sim.writes().await;
    let at = |operation: &str| writes.iter().position(|write| write == operation).unwrap();
    for first in ["request_active_role", "remove_role", "remove_member"] {
        assert!(at(first) < at("update_user"), "{first}: {writes:?}");
    }
    assert!(at("update_user") < at("revoke_sessions"));
    assert_eq!(sim.truth("fix").await["exists"], false);
}

#[tokio::test]
async fn with_a_stronger_role_of_our_own_an_administrator_is_contained_first() {
    let app = json!({"client_id": CLIENT, "secret": SECRET, "directory_roles": ["Privileged Authentication Administrator"]});
    let sim = Sim::start(json!({"apps": [app]})).await;
    sim.seed(&administrator()).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        (outcome.verdict, outcome.refused),
        (Verdict::NothingLive, vec![])
    );
    assert_eq!(sim.writes().await[0], "update_user");
}

#[tokio::test]
async fn an_administrator_cannot_be_only_disabled_without_a_stronger_role() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&administrator()).await;
    let outcome = opt_out(&sim.people(), Intent::Disable, "fix").await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert!(
        outcome
            .refused
            .iter()
            .all(|error| error.class == OutcomeClass::NeedsPerson)
    );
    assert_eq!(sim.truth("fix").await["enabled"], true);
}

#[tokio::test]
async fn somebody_who_is_no_administrator_any_more_is_waited_for() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&administrator()).await;
    // The first refusal is the real one, of the containing call.
    sim.fault(json!({"when": {"operation": "update_user"}, "then": {"status": 403}, "after": 1, "count": 2}))
        .await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    assert_eq!(outcome.refused.len(), 1, "{:?}", outcome.refused);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_said_at_once_and_the_rest_goes_on() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    sim.fault(json!({"when": {"operation": "update_user"}, "then": {"status": 403}}))
        .await;
    sim.fault(json!({"when": {"operation": "delete_user"}, "then": {"status": 403}}))
        .await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert!(
        outcome
            .refused
            .iter()
            .all(|error| error.class == OutcomeClass::NeedsPerson)
    );
    let truth = sim.truth("fix").await;
    assert_eq!(
        (&truth["enabled"], &truth["groups"], &truth["sessions"]),
        (&json!(true), &json!([]), &json!(0))
    );
}

#[tokio::test]
async fn a_synced_account_is_stripped_here_and_deleted_there() {
    for (status, state) in [(204, AccountState::Contained), (400, AccountState::Live)] {
        let sim = Sim::start(json!({"unconfirmed": {"disable_synced_user": status}})).await;
        let mut document = people::plain();
        document["users"][0]["synced"] = json!(true);
        sim.seed(&document).await;
        let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
        let truth = sim.truth("fix").await;
        assert_eq!(
            (&truth["groups"], &truth["sessions"]),
            (&json!([]), &json!(0)),
            "{status}"
        );
        let FoundAccount::Present(account) = sim.people().find_by_id("fix").await.unwrap() else {
            panic!("a synced account was deleted");
        };
        assert_eq!(account.state, state);
        assert_eq!(account.facts["synced"], true);
        match status {
            204 => assert_eq!((outcome.verdict, outcome.refused), (Verdict::Asked, vec![])),
            _ => {
                assert!(
                    outcome
                        .refused
                        .iter()
                        .all(|error| error.what.contains("local directory"))
                );
                assert!(!outcome.closing.asked.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_last_owner_stays_or_is_followed_by_the_custodian() {
    let document = json!({
        "subscriptions": [{"id": "11111111-1111-4111-a111-111111111111", "name": "Production"}],
        "groups": [{"id": "g-team", "name": "Team", "kind": "team"}],
        "users": [
            {"id": "ada", "login": "ada@example.com", "owns": ["Team"], "groups": ["Team"]},
            {"id": "custodian", "login": "custodian@example.com"},
        ],
    });
    let sim = Sim::start(json!({})).await;
    sim.seed(&document).await;
    let outcome = opt_out(&sim.people(), Intent::Disable, "ada").await;
    assert_eq!(outcome.verdict, Verdict::NothingLive);
    sim.mutate(json!({"do": "set_enabled", "user": "ada", "enabled": true}))
        .await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(outcome.refused.len(), 1);
    assert!(outcome.refused[0].what.contains("custodian"));

    let sim = Sim::start(json!({})).await;
    sim.seed(&document).await;
    let people = sim.connected(&json!({"custodian": "custodian"})).people;
    let outcome = opt_out(&people, Intent::Remove, "ada").await;
    assert_eq!(
        (outcome.verdict, outcome.refused),
        (Verdict::NothingLive, vec![])
    );
    assert_eq!(sim.truth("custodian").await["owns"][0]["id"], "g-team");
}
