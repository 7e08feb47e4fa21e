//! Sever's own processes: a crash loop, and a rolling restart under load.

use std::time::Duration;

use sever_chaos::{Kind, REPLICAS};

use crate::turn::{LIMIT, all_is_well, world};

/// One replica of intake dies at every batch that it publishes; the other one dispatches for both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_intake_in_a_crash_loop_stops_nothing() {
    let (mut world, _turn) = world(6, &[("SEVER_DISPATCH_CLAIM_LEASE_S", "2")]).await;
    let looping = world.fleet.member(Kind::Intake, 0);
    looping.kill().await;
    looping.set("SEVER_CRASH_AT", "relay.after_claim");
    let mut deaths = 0;
    for person in 0..6 {
        if world.fleet.member(Kind::Intake, 0).ended().is_some() || person == 0 {
            deaths += 1;
            world.fleet.member(Kind::Intake, 0).restart().await.unwrap();
        }
        world.until_accepted(person).await;
        let claimed = "SELECT 1 FROM job WHERE lease_epoch > 0 HAVING count(*) >= ";
        let claimed = format!("{claimed}{}", 2 * (person + 1));
        world.shows(&claimed, LIMIT).await.unwrap();
    }
    world.all_done(6, LIMIT).await.unwrap();
    assert!(deaths > 1, "the replica did not die");
    all_is_well(&world).await;
}

/// Every process of the fleet is replaced under load: each drains within its grace and ends well, and no client that
/// retries is failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_nobody() {
    let people = 24;
    let (mut world, _turn) = world(people, &[]).await;
    let slow = serde_json::json!({"when": {}, "then": {"latency_ms": 40, "jitter_ms": 40}});
    world.ground.simulator.fault(&slow).await.unwrap();
    let mut next = 0;
    for kind in Kind::ALL {
        for replica in 0..REPLICAS {
            for person in next..next + people / 8 {
                if person % 2 == 0 {
                    world.publish(person);
                } else {
                    world.until_accepted(person).await;
                }
            }
            next += people / 8;
            let process = world.fleet.member(kind, replica);
            assert!(
                process.terminate().await,
                "{kind:?} did not drain: {}",
                process.log_end()
            );
            world.fleet.member(kind, replica).restart().await.unwrap();
            world.fleet.ready_of(kind).await.unwrap();
        }
    }
    let confirmed = tokio::time::timeout(Duration::from_secs(30), world.all_confirmed());
    confirmed.await.unwrap();
    world.all_done(people, LIMIT).await.unwrap();
    all_is_well(&world).await;
}
