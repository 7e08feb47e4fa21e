//! A provider that is gone for hours, and one whose answers are lost.

use std::time::Duration;

use sever_testkit::Passage;

use crate::turn::{LIMIT, all_is_well, world};

/// Due times advance, nobody is given up, and everything is done once the provider is back. The hours are rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_gone_for_hours_delays_and_buries_nobody() {
    let (world, _turn) = world(3, &[("SEVER_WORKER_CALL_DEADLINE_MS", "1000")]).await;
    world.ground.links.okta.set(Passage::Cut);
    for person in 0..3 {
        world.until_accepted(person).await;
    }
    for hours in [1, 9, 20] {
        let waits = "SELECT 1 FROM job WHERE provider = 'okta' AND state = 'waiting' AND due_at > now() HAVING count(*) = 3";
        world.shows(waits, LIMIT).await.unwrap();
        let age = format!(
            "UPDATE job SET failing_since = now() - interval '{hours} hours', due_at = now() WHERE provider = 'okta' AND state = 'waiting'"
        );
        world.ground.sql(&age).await.unwrap();
    }
    let dead = world
        .ground
        .sql("SELECT count(*) FROM job WHERE state = 'dead'")
        .await
        .unwrap();
    assert_eq!(dead, "0");
    world.ground.links.okta.set(Passage::Open);
    // The breaker's wait has grown with the outage: it is a row as well.
    let now = "UPDATE connection SET blocked_until = NULL; UPDATE breaker SET retry_at = now() WHERE opened_at IS NOT NULL;
               UPDATE job SET due_at = now() WHERE state = 'waiting'";
    world.ground.sql(now).await.unwrap();
    world.all_done(3, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// The provider takes every call and its answers are lost: effects happen, are read, and are not repeated blindly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_link_to_a_provider_is_read_again() {
    let (world, _turn) = world(3, &[("SEVER_WORKER_CALL_DEADLINE_MS", "1000")]).await;
    for person in 0..3 {
        world.until_accepted(person).await;
    }
    for held in [Passage::DeafClient, Passage::Silent] {
        world.ground.links.okta.set(held);
        // Longer than the deadline of a call.
        let failed = "SELECT 1 FROM job WHERE provider = 'okta' AND (failures > 0 OR state = 'done') LIMIT 1";
        world.shows(failed, LIMIT).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        world.ground.links.okta.set(Passage::Open);
    }
    world.all_done(3, LIMIT).await.unwrap();
    all_is_well(&world).await;
}
