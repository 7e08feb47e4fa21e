//! Replicas that lag, in both directions.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{AccountState, EntitlementKind as Kind, Intent};
use sever_provider::Connector as _;

use crate::drive::{opt_out, settled};
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn a_membership_that_comes_and_goes_is_believed_when_readings_agree() {
    let sim = Sim::start(json!({"replica_lag_reads": 5, "replica_flapping": true})).await;
    sim.seed(&people::plain()).await;
    let people = sim.connected(&json!({"agreeing_reads": 3})).people;
    sim.mutate(json!({"do": "add_to_group", "user": "fix", "group": "One"}))
        .await;
    sim.mutate(json!({"do": "remove_from_group", "user": "fix", "group": "Two"}))
        .await;
    let reading = settled(|| people.inspect("fix")).await;
    let groups = reading.of(Kind::Group).iter();
    let names: Vec<&str> = groups
        .map(|group| group.facts["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["One"]);
}

#[tokio::test]
async fn a_removal_is_proven_though_every_read_lags() {
    for settings in [
        json!({"replica_lag_reads": 3}),
        json!({"replica_lag_reads": 4, "replica_flapping": true}),
        json!({"replica_lag_ms": 120}),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&people::plain()).await;
        let people = sim
            .connected(&json!({"agreeing_reads": 3, "agreeing_pause_ms": 60}))
            .people;
        let outcome = opt_out(&people, Intent::Remove, "fix").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{settings}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{settings}");
        assert_eq!(
            sim.truth("fix").await["left_behind"]["groups"],
            json!([]),
            "{settings}"
        );
    }
}

#[tokio::test]
async fn a_deleted_account_that_is_still_seen_is_not_gone_yet() {
    let sim = Sim::start(json!({"replica_lag_ms": 60_000})).await;
    sim.seed(&people::plain()).await;
    sim.mutate(json!({"do": "delete", "user": "fix"})).await;
    let people = sim.people();
    let seen = people.inspect("fix").await.unwrap();
    assert_eq!(seen.account_state, AccountState::Live);
    sim.control("POST", "/clock", &json!({"advance_ms": 61_000}))
        .await;
    let seen = people.inspect("fix").await.unwrap();
    assert_eq!(seen.account_state, AccountState::Deactivated);
}

#[tokio::test]
async fn no_query_goes_to_the_lagging_index() {
    let sim = Sim::start(json!({"index_lag_ms": 600_000})).await;
    sim.seed(&people::rich()).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}
