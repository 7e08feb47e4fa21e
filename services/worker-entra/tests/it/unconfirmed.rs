//! What Microsoft's documents leave open: the connectors survive both outcomes.

use serde_json::json;
use sever_domain::Intent;
use sever_domain::closing::Verdict;

use crate::drive::opt_out;
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn every_switch_in_either_position_ends_in_the_same_state() {
    let mut whole = None;
    for unconfirmed in [
        json!({}),
        json!({"revoke_sessions_status": 204}),
        json!({"repeated_removal": "not_found"}),
        json!({"repeated_removal": "bad_request"}),
        json!({"dynamic_removal": 400}),
        json!({"remove_absent_licence": 200}),
        json!({"pim_gone_on_success": true}),
        json!({"pim_schedule_lingers": true}),
        json!({"roles_of_deleted_listed": true}),
        json!({"delete_default_method": 204}),
        json!({"deleted_shown_changed": false}),
        json!({"inner_error": "innererror"}),
    ] {
        let sim = Sim::start(json!({ "unconfirmed": unconfirmed })).await;
        sim.seed(&people::rich()).await;
        let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{unconfirmed}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{unconfirmed}");
        let truth = sim.truth("ada").await;
        assert_eq!(whole.get_or_insert(truth.clone()), &truth, "{unconfirmed}");
    }
}

#[tokio::test]
async fn without_privileged_identity_management_there_is_nothing_to_activate() {
    for status in [400, 403] {
        let sim =
            Sim::start(json!({"pim": false, "unconfirmed": {"pim_unlicensed": status}})).await;
        let mut document = people::rich();
        for member in ["eligible_roles", "eligible_groups", "active_groups"] {
            document["users"][0][member] = json!([]);
        }
        sim.seed(&document).await;
        let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{status}: {:?}",
            outcome.closing
        );
    }
}

#[tokio::test]
async fn a_schedule_that_outlives_its_assignment_is_ended_too() {
    let sim = Sim::start(
        json!({"unconfirmed": {"pim_schedule_lingers": true, "pim_gone_on_success": true}}),
    )
    .await;
    let mut document = people::plain();
    document["users"][0]["roles"] =
        json!([{"role": "User Administrator", "pim": true}, {"role": "Security Reader"}]);
    sim.seed(&document).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(
        sim.truth("fix").await["left_behind"]["active_roles"],
        json!([])
    );
}

#[tokio::test]
async fn azures_lock_is_a_persons_business_and_the_rest_goes_on() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["subscriptions"][0]["locked"] = json!(true);
    sim.seed(&document).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert!(!outcome.refused.is_empty());
    assert_eq!(outcome.verdict, Verdict::Live);
    let truth = sim.truth("fix").await;
    assert_eq!(
        (&truth["exists"], &truth["left_behind"]["groups"]),
        (&json!(false), &json!([]))
    );
}
