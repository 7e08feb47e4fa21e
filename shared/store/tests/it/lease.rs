//! Leases: the cap of a connection holds against any race, a long job's lease is extended by its holder only, and a stale
//! worker writes nothing.

use std::collections::HashMap;
use std::time::Duration;

use sever_domain::{InstanceId, JobId};
use sever_store::StoreError;
use sever_store::job::{self, Claimed, ClaimedJob, Record, Settlement, instance};
use uuid::Uuid;

use crate::breaker::claim;
use crate::world::{INSTANCE, World};

const LEASE: Duration = Duration::from_secs(60);

/// So many jobs that are due at the one connection, which has room for `jobs_max` leases.
async fn crowd(jobs: usize, jobs_max: usize) -> (World, Vec<JobId>) {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql(&format!(
            "DELETE FROM hold; DELETE FROM request; DELETE FROM job; UPDATE connection SET jobs_max = {jobs_max};
             INSERT INTO subject (id, kind) SELECT gen_random_uuid(), 'person' FROM generate_series(1, {jobs} - 1);
             INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state)
             SELECT gen_random_uuid(), id, 'remove', 'ordinary', now(), 'open' FROM subject WHERE id <> '{}';
             INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, due_at, accepted_at)
             SELECT gen_random_uuid(), 'opt_out', opt_out.id, opt_out.subject_id, connection.id, 'okta', 'waiting', 'remove', 'ordinary', now(), now(), now()
             FROM opt_out CROSS JOIN connection;
             UPDATE worker_instance SET slots = 16, heartbeat_at = now()",
            world.subject
        ))
        .await;
    let ids = world.sql("SELECT string_agg(id::text, ',') FROM job").await;
    let ids: Vec<JobId> = ids
        .split(',')
        .map(|id| JobId(id.parse().unwrap()))
        .collect();
    assert_eq!(ids.len(), jobs);
    (world, ids)
}

#[tokio::test]
async fn the_cap_holds_when_everybody_claims_at_once() {
    let (world, jobs) = crowd(24, 5).await;
    let incarnation: Uuid = world
        .sql("SELECT value FROM incarnation")
        .await
        .parse()
        .unwrap();
    let instance = InstanceId(INSTANCE.parse().unwrap());
    let claims = jobs
        .iter()
        .map(|id| job::claim(&world.store, *id, instance, incarnation, LEASE));
    let claims = futures::future::join_all(claims).await;
    let taken = claims
        .iter()
        .filter(|claim| matches!(claim, Ok(Claimed::Taken(_))))
        .count();
    assert_eq!(taken, 5);
    let refused = world
        .sql("SELECT count(*) FROM job WHERE state = 'waiting' AND state_reason = 'cap' AND attempt = 0")
        .await;
    assert_eq!(refused, "19");
}

/// Two bells of one job at two workers: the one that waits for the row's lock sees the lease that was taken meanwhile.
#[tokio::test]
async fn a_lease_taken_while_the_claim_waited_is_a_living_one() {
    let (world, jobs) = crowd(1, 5).await;
    let incarnation: Uuid = world
        .sql("SELECT value FROM incarnation")
        .await
        .parse()
        .unwrap();
    let instance = InstanceId(INSTANCE.parse().unwrap());
    let claims = (0..3).map(|_| job::claim(&world.store, jobs[0], instance, incarnation, LEASE));
    let claims = world
        .behind_a_lock(3, "NULL", futures::future::join_all(claims))
        .await;
    let taken = claims
        .iter()
        .filter(|claim| matches!(claim, Ok(Claimed::Taken(_))))
        .count();
    assert_eq!(taken, 1);
    let job = "SELECT lease_epoch, unsettled_epochs, rung_again FROM job";
    assert_eq!(world.sql(job).await, "1|1|t");
}

/// Behind a slow provider: the leases are taken and everybody else waits, for an hour of sweeps.
#[tokio::test]
async fn ten_thousand_jobs_behind_a_slow_provider_are_not_rung_again_and_again() {
    let (world, _) = crowd(10_000, 4).await;
    let too_long = Duration::from_secs(60);
    // Their first bells are in the broker's queue, where they lie.
    world
        .sql("UPDATE job SET rung_at = due_at + interval '1 millisecond'")
        .await;
    let mut bells = 0;
    for _ in 0..12 {
        world
            .sql("UPDATE job SET due_at = due_at - interval '5 minutes', rung_at = rung_at - interval '5 minutes'")
            .await;
        let rings = job::sweep(&world.store, too_long, 2_000).await.unwrap();
        bells += rings.iter().map(|(_, count)| count).sum::<i64>();
        world
            .sql("UPDATE job SET rung_at = now() FROM outbox WHERE outbox.job_id = job.id; DELETE FROM outbox")
            .await;
    }
    assert!(bells <= 12 * 4 * 8, "{bells} bells in an hour");
    world
        .sql("UPDATE job SET state = 'running', due_at = NULL, lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour', lease_instance = (SELECT id FROM worker_instance)
              WHERE id IN (SELECT id FROM job LIMIT 4)")
        .await;
    world
        .sql("UPDATE job SET rung_at = NULL; UPDATE worker_instance SET heartbeat_at = now() + interval '1 hour'")
        .await;
    assert_eq!(
        job::sweep(&world.store, too_long, 2_000).await.unwrap(),
        [],
        "no lease is free, so that a bell would say nothing"
    );
}

async fn taken(world: &World) -> ClaimedJob {
    match claim(world).await {
        Claimed::Taken(claimed) => *claimed,
        other => panic!("the job can be taken: {other:?}"),
    }
}

#[tokio::test]
async fn a_stale_worker_neither_extends_nor_settles() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("DELETE FROM hold; UPDATE job SET state = 'waiting', state_reason = NULL, due_at = now()")
        .await;
    let first = taken(&world).await;
    let left = "SELECT lease_until > now() + interval '90 seconds' FROM job";
    let extended = instance::extend(&world.store, &[first.lease], LEASE * 2).await;
    assert_eq!(extended.unwrap(), 1);
    assert_eq!(world.sql(left).await, "t");
    world
        .sql("UPDATE job SET lease_until = now() - interval '1 second'")
        .await;
    let second = taken(&world).await;
    assert_eq!(second.lease.epoch, first.lease.epoch + 1);
    let extended = instance::extend(&world.store, &[first.lease], LEASE * 2).await;
    assert_eq!(extended.unwrap(), 0);
    assert_eq!(world.sql(left).await, "f");
    let mut forged = first.clone();
    forged.lease.epoch = second.lease.epoch;
    let names = HashMap::new();
    for stale in [&first, &forged] {
        let settled = job::settle(
            &world.store,
            stale,
            &names,
            Record::default(),
            None,
            &Settlement::Done,
        );
        assert!(matches!(settled.await, Err(StoreError::Conflict { .. })));
    }
    assert_eq!(world.sql("SELECT state FROM job").await, "running");
}
