//! The breaker of a connection: it opens for all processes, the claim and the sweep respect it, time under it is no time of
//! failing, and a person can close it.

use std::time::Duration;

use jiff::SignedDuration;
use sever_domain::breaker::{BreakerState, Heard, PROVEN};
use sever_domain::{InstanceId, OutcomeClass};
use sever_store::breaker::{self, ClosedByHand};
use sever_store::job::{
    self, Claimed, ClaimedJob, InspectionPurpose, NewInspection, Record, Settlement,
};
use uuid::Uuid;

use crate::world::{INSTANCE, World};

const LEASE: Duration = Duration::from_secs(60);
const RUNG_TOO_LONG: Duration = Duration::from_secs(60);

fn wait(_nth: u32) -> Duration {
    Duration::from_secs(20)
}

async fn hear(world: &World, answered: i64, failed: i64) -> BreakerState {
    let heard = Heard { answered, failed };
    let told = breaker::hear(&world.store, world.connection, heard, "worker:w", wait).await;
    told.unwrap().1
}

/// A job that waits and is due.
async fn due() -> World {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("DELETE FROM hold; UPDATE job SET state = 'waiting', state_reason = NULL, due_at = now()")
        .await;
    world
}

pub(crate) async fn claim(world: &World) -> Claimed {
    let incarnation: Uuid = world
        .sql("SELECT value FROM incarnation")
        .await
        .parse()
        .unwrap();
    world
        .sql("UPDATE worker_instance SET heartbeat_at = now(), incarnation = (SELECT value FROM incarnation)")
        .await;
    let instance = InstanceId(INSTANCE.parse().unwrap());
    job::claim(&world.store, world.job, instance, incarnation, LEASE)
        .await
        .unwrap()
}

async fn taken(world: &World) -> ClaimedJob {
    match claim(world).await {
        Claimed::Taken(claimed) => *claimed,
        other => panic!("the job is due: {other:?}"),
    }
}

async fn settle(world: &World, claimed: &ClaimedJob, settlement: Settlement) {
    settle_after(world, claimed, Record::default(), settlement).await;
}

async fn settle_after(world: &World, claimed: &ClaimedJob, learnt: Record, settlement: Settlement) {
    let names = std::collections::HashMap::new();
    job::settle(&world.store, claimed, &names, learnt, None, &settlement)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_open_breaker_makes_jobs_wait_without_an_attempt_and_rings_nobody() {
    let world = due().await;
    assert_eq!(hear(&world, 3, 4).await, BreakerState::Closed);
    assert_eq!(hear(&world, 0, 1).await, BreakerState::Closed);
    assert_eq!(hear(&world, 0, 5).await, BreakerState::Open);
    assert!(matches!(claim(&world).await, Claimed::NotNow(_)));
    let waits = world
        .sql("SELECT state || ' ' || state_reason || ' ' || attempt || ' ' || (due_at > now() + interval '15 seconds') FROM job")
        .await;
    assert_eq!(waits, "waiting breaker 0 true");
    world.sql("UPDATE job SET due_at = now()").await;
    assert_eq!(
        job::sweep(&world.store, RUNG_TOO_LONG, 10).await.unwrap(),
        []
    );

    world
        .sql("UPDATE breaker SET retry_at = now() - interval '1 second'")
        .await;
    let rings = job::sweep(&world.store, RUNG_TOO_LONG, 10).await.unwrap();
    assert_eq!(rings, [("due".to_owned(), 1)], "half-open: a job tries");
    let probing = taken(&world).await;
    assert!(probing.breaker_listens);
    assert_eq!(hear(&world, PROVEN, 0).await, BreakerState::Closed);
    let kept: f64 = world
        .sql("SELECT open_total_s FROM breaker")
        .await
        .parse()
        .unwrap();
    assert!(kept > 0.0);
    let told = world
        .sql("SELECT string_agg(convert_from(canonical, 'UTF8')::jsonb #>> '{data,breaker}', ',' ORDER BY seq) FROM audit_event WHERE kind = 'connection.changed'")
        .await;
    assert_eq!(told, "open,closed");
}

#[tokio::test]
async fn the_time_of_an_outage_is_no_time_of_failing() {
    let world = due().await;
    let failing = taken(&world).await;
    let after = Duration::from_secs(1);
    let retry = || Settlement::Retry {
        after,
        what: "no answer".to_owned(),
    };
    assert_eq!(retry().class(), OutcomeClass::Retry);
    settle(&world, &failing, retry()).await;
    // Two days pass, of which the breaker was open for all but one hour.
    world
        .sql("UPDATE job SET failing_since = now() - interval '48 hours', due_at = now();
              INSERT INTO breaker (connection_id, open_total_s) SELECT id, 47 * 3600 FROM connection")
        .await;
    let again = taken(&world).await;
    let hours = again.failing_for.as_secs_f64() / 3600.0;
    assert!((hours - 1.0).abs() < 0.01, "{hours}");
    settle(&world, &again, retry()).await;
    // And while it is open the time stands still.
    world
        .sql("UPDATE job SET due_at = now();
              UPDATE breaker SET opened_at = now() - interval '30 minutes', retry_at = now() - interval '1 second'")
        .await;
    let probing = taken(&world).await;
    let hours = probing.failing_for.as_secs_f64() / 3600.0;
    assert!((hours - 0.5).abs() < 0.01, "{hours}");
}

#[tokio::test]
async fn a_read_before_a_wait_ends_the_time_of_failing() {
    let world = due().await;
    let failing = taken(&world).await;
    let after = Duration::from_secs(1);
    let what = "no answer".to_owned();
    settle(&world, &failing, Settlement::Retry { after, what }).await;
    for (why, standing) in [("propagation", "1|f"), ("task", "0|t")] {
        world.sql("UPDATE job SET due_at = now()").await;
        let reading = taken(&world).await;
        let learnt = Record {
            inspection: Some(NewInspection {
                purpose: InspectionPurpose::Closing,
                started_at: reading.now,
                ended_at: reading.now,
                accounts: Vec::new(),
                proofs: Vec::new(),
            }),
            ..Record::default()
        };
        settle_after(&world, &reading, learnt, Settlement::Wait { why, after }).await;
        let said = world
            .sql("SELECT failures, failing_since IS NULL FROM job")
            .await;
        assert_eq!(said, standing, "{why}");
    }
}

#[tokio::test]
async fn a_person_closes_it_and_the_jobs_come_back() {
    let world = due().await;
    let close = async |name: &str| {
        let mut client = world.client().await;
        let tx = client.begin().await.unwrap();
        let closed = breaker::close(&tx, name, "token:ops", "the provider is back")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        closed
    };
    assert_eq!(close("nowhere").await, ClosedByHand::NoConnection);
    assert_eq!(close("okta-main").await, ClosedByHand::WasClosed);
    hear(&world, 0, 9).await;
    assert!(matches!(claim(&world).await, Claimed::NotNow(_)));
    assert_eq!(close("okta-main").await, ClosedByHand::Closed { jobs: 1 });
    assert_eq!(close("okta-main").await, ClosedByHand::WasClosed);
    taken(&world).await;
    let said = world
        .sql("SELECT actor || ' ' || (convert_from(canonical, 'UTF8')::jsonb #>> '{data,reason}') FROM audit_event WHERE kind = 'connection.changed' ORDER BY seq DESC LIMIT 1")
        .await;
    assert_eq!(said, "token:ops the provider is back");
}

#[tokio::test]
async fn a_block_is_leased_once_and_a_refusal_is_known_to_all() {
    use sever_domain::rate::{Grant, Priority};
    use sever_store::rate::{self, HeardWindow};
    let world = due().await;
    let heard = Some(HeardWindow {
        limit: 100,
        remaining: 100,
        ends_in: SignedDuration::from_secs(60),
        declared: false,
    });
    let lease = async |heard, priority| {
        let leased = rate::lease(&world.store, world.connection, "users", heard, priority).await;
        leased.unwrap()
    };
    assert_eq!(lease(None, Priority::Ordinary).await.0, Grant::Unbounded);
    let asks = (0..20).map(|_| lease(heard, Priority::Ordinary));
    let grants = futures::future::join_all(asks).await;
    let tokens: u32 = grants
        .iter()
        .map(|(grant, _)| match grant {
            Grant::Block { tokens, .. } => *tokens,
            Grant::Unbounded | Grant::Later { .. } => 0,
        })
        .sum();
    assert_eq!(tokens, 80, "one fifth is kept for what is urgent");
    let (grant, _) = lease(None, Priority::Containing).await;
    assert!(
        matches!(grant, Grant::Block { tokens: 10, .. }),
        "{grant:?}"
    );
    rate::refused(
        &world.store,
        world.connection,
        "users",
        SignedDuration::from_secs(90),
    )
    .await
    .unwrap();
    let (grant, now) = lease(None, Priority::Containing).await;
    let Grant::Later { at } = grant else {
        panic!("{grant:?}")
    };
    assert!(at.duration_since(now) > SignedDuration::from_secs(80));
}
