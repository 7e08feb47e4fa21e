//! The way back: the inverse of what was taken, judged by the simulator's state.

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::PlannedStep;
use sever_domain::{Action, EntitlementKind as Kind, Intent};
use sever_provider::{Connector, Undo};

use crate::drive::{opt_out, run};
use crate::people;
use crate::sim::Sim;

fn pre_image<'a>(before: &'a AccountReading, step: &PlannedStep) -> Option<&'a Entitlement> {
    let mut held = before.of(step.target_kind).iter();
    held.find(|held| held.provider_key == step.target_key)
}

/// The inverse steps, accounts first, and what cannot come back.
async fn way_back<C: Connector>(
    connector: &C,
    before: &AccountReading,
    taken: &[PlannedStep],
) -> (Vec<PlannedStep>, Vec<Action>) {
    let (mut accounts, mut others, mut impossible) = (Vec::new(), Vec::new(), Vec::new());
    for step in taken {
        match connector.undo(step, pre_image(before, step)).await.unwrap() {
            Undo::Step(step) if step.target_kind == Kind::Account => accounts.push(*step),
            Undo::Step(step) => others.push(*step),
            Undo::Impossible { .. } => impossible.push(step.action),
            Undo::Nothing => {}
        }
    }
    accounts.truncate(1);
    others.iter_mut().for_each(|step| step.needs = vec![0]);
    accounts.extend(others);
    (accounts, impossible)
}

/// The keys of what an account holds, family by family.
fn keys(reading: &AccountReading) -> Vec<(Kind, String)> {
    let mut keys: Vec<(Kind, String)> = reading
        .entitlements()
        .map(|held| (held.kind, held.provider_key.clone()))
        .collect();
    keys.sort_by(|a, b| (a.0.as_str(), &a.1).cmp(&(b.0.as_str(), &b.1)));
    keys
}

#[tokio::test]
async fn a_person_gets_back_what_can_come_back() {
    for restore_keeps_access in [true, false] {
        let unconfirmed = json!({ "restore_keeps_access": restore_keeps_access });
        let sim = Sim::start(json!({ "unconfirmed": unconfirmed })).await;
        let mut document = people::rich();
        // Memberships that no call ends are no call's to bring back.
        document["users"][0]["groups"] = json!(["Staff", "VPN"]);
        sim.seed(&document).await;
        let people = sim.people();
        let before = people.inspect("ada").await.unwrap();
        let outcome = opt_out(&people, Intent::Remove, "ada").await;
        assert_eq!(outcome.refused, vec![]);
        let (steps, impossible) = way_back(&people, &before, &outcome.answered).await;
        assert_eq!(
            impossible
                .iter()
                .filter(|action| **action == Action::RemoveFactor)
                .count(),
            2
        );
        assert!(impossible.contains(&Action::RevokeSessions));
        assert_eq!(run(&people, "ada", steps).await, vec![]);
        let after = people.inspect("ada").await.unwrap();
        let wanted: Vec<(Kind, String)> = keys(&before)
            .into_iter()
            .filter(|(kind, _)| *kind != Kind::Factor)
            .collect();
        let got: Vec<(Kind, String)> = keys(&after)
            .into_iter()
            .filter(|(kind, _)| *kind != Kind::Factor)
            .collect();
        // Without what Microsoft may keep with a restored account, only the devices' owners are missing.
        let missing: Vec<&(Kind, String)> =
            wanted.iter().filter(|key| !got.contains(key)).collect();
        let devices_only = missing.iter().all(|(kind, _)| *kind == Kind::Device);
        assert!(
            devices_only && (missing.is_empty() || !restore_keeps_access),
            "{missing:?}"
        );
        let truth = sim.truth("ada").await;
        assert_eq!(
            (&truth["enabled"], &truth["sessions"]),
            (&json!(true), &json!(0))
        );
        let scope: Value = truth["grants"][0]["scope"].clone();
        assert_eq!(scope, "Mail.Read");
    }
}

#[tokio::test]
async fn a_restore_that_is_done_twice_changes_nothing_the_second_time() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    let people = sim.people();
    let before = people.inspect("fix").await.unwrap();
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    let (steps, _) = way_back(&people, &before, &outcome.answered).await;
    assert_eq!(run(&people, "fix", steps.clone()).await, vec![]);
    let truth = sim.truth("fix").await;
    assert_eq!(run(&people, "fix", steps).await, vec![]);
    assert_eq!(sim.truth("fix").await["live"], truth["live"]);
}

#[tokio::test]
async fn nobody_comes_back_into_a_group_that_became_privileged() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["groups"][0]["id"] = json!("g-one");
    sim.seed(&document).await;
    let people = sim.people();
    let before = people.inspect("fix").await.unwrap();
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    let step = outcome
        .answered
        .iter()
        .find(|step| step.target_key == "g-one")
        .unwrap();
    assert!(matches!(
        people.undo(step, None).await.unwrap(),
        Undo::Step(_)
    ));
    let now = json!({"status": 200, "body": {"id": "g-one", "isAssignableToRole": true, "groupTypes": []}});
    sim.fault(json!({"when": {"operation": "get_group"}, "then": now}))
        .await;
    let undo = people.undo(step, pre_image(&before, step)).await.unwrap();
    assert!(matches!(undo, Undo::Impossible { .. }), "{undo:?}");
    sim.no_faults().await;
    let gone = json!({"status": 404});
    sim.fault(json!({"when": {"operation": "get_group"}, "then": gone}))
        .await;
    assert!(matches!(
        people.undo(step, None).await.unwrap(),
        Undo::Impossible { .. }
    ));
}

#[tokio::test]
async fn somebody_who_was_disabled_before_comes_back_disabled() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    sim.mutate(json!({"do": "set_enabled", "user": "fix", "enabled": false}))
        .await;
    let people = sim.people();
    let before = people.inspect("fix").await.unwrap();
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    assert_eq!(sim.truth("fix").await["exists"], false);
    let (steps, _) = way_back(&people, &before, &outcome.answered).await;
    assert_eq!(run(&people, "fix", steps.clone()).await, vec![]);
    assert_eq!(run(&people, "fix", steps).await, vec![], "and once more");
    let truth = sim.truth("fix").await;
    assert_eq!(
        (&truth["exists"], &truth["enabled"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(truth["groups"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_given_for_a_time_does_not_come_back_for_good() {
    const LATER: &str = "2099-01-01T00:00:00Z";
    const OVER: &str = "2020-01-01T00:00:00Z";
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["users"][0]["roles"] = json!([
        {"role": "User Administrator", "pim": true, "activated": true, "until": LATER},
        {"role": "Security Reader", "pim": true, "until": LATER},
    ]);
    document["users"][0]["eligible_roles"] = json!([
        {"role": "Helpdesk Administrator", "until": OVER}, {"role": "Security Reader", "until": LATER},
    ]);
    document["users"][0]["groups"] = json!([]);
    document["users"][0]["active_groups"] =
        json!([{"group": "One", "activated": true}, {"group": "Two", "until": LATER}]);
    sim.seed(&document).await;
    let people = sim.people();
    let before = people.inspect("fix").await.unwrap();
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    let (steps, impossible) = way_back(&people, &before, &outcome.answered).await;
    let count = |wanted: Action| {
        impossible
            .iter()
            .filter(|action| **action == wanted)
            .count()
    };
    assert_eq!(
        [
            Action::RevokeRole,
            Action::RevokeEligibleRole,
            Action::RemoveFromGroup
        ]
        .map(count),
        [1, 1, 1]
    );
    assert_eq!(run(&people, "fix", steps).await, vec![]);
    let after = people.inspect("fix").await.unwrap();
    for kind in [Kind::Role, Kind::EligibleRole, Kind::Group] {
        let ends: Vec<&Value> = after
            .of(kind)
            .iter()
            .map(|held| &held.facts["ends"])
            .collect();
        assert_eq!(ends, [LATER], "{kind}");
    }
}

#[tokio::test]
async fn a_membership_by_schedule_does_not_open_a_group_that_became_privileged() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["groups"][0]["id"] = json!("g-one");
    document["users"][0]["groups"] = json!([]);
    document["users"][0]["active_groups"] = json!([{"group": "One"}]);
    sim.seed(&document).await;
    let people = sim.people();
    let before = people.inspect("fix").await.unwrap();
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    let mut answered = outcome.answered.iter();
    let step = answered.find(|step| step.target_key == "g-one").unwrap();
    let now = json!({"status": 200, "body": {"id": "g-one", "isAssignableToRole": true, "groupTypes": []}});
    sim.fault(json!({"when": {"operation": "get_group"}, "then": now}))
        .await;
    let undo = people.undo(step, pre_image(&before, step)).await.unwrap();
    assert!(matches!(undo, Undo::Impossible { .. }), "{undo:?}");
}

#[tokio::test]
async fn an_application_gets_back_all_but_its_secrets() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let integrations = sim.integrations();
    let before = integrations.inspect("sp-crm").await.unwrap();
    let outcome = opt_out(&integrations, Intent::Remove, "sp-crm").await;
    assert_eq!(outcome.refused, vec![]);
    let (steps, impossible) = way_back(&integrations, &before, &outcome.answered).await;
    assert_eq!(impossible, vec![Action::RemoveSecret; 5]);
    assert_eq!(run(&integrations, "sp-crm", steps).await, vec![]);
    let after = integrations.inspect("sp-crm").await.unwrap();
    let but_secrets = |reading: &AccountReading| -> Vec<(Kind, String)> {
        keys(reading)
            .into_iter()
            .filter(|(kind, _)| *kind != Kind::Secret)
            .collect()
    };
    assert_eq!(but_secrets(&after), but_secrets(&before));
    assert_eq!(sim.application("sp-crm").await["enabled"], true);
}
