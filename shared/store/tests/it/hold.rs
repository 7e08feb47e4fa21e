//! Holds: who may decide them, and what a decision sets going or ends.

use sever_domain::hold::HoldState;
use sever_domain::{HoldId, JobState, OptOutId};
use sever_store::hold::{self, HoldFilter};
use sever_store::hold_decision::{Approver, Decided, HoldError};
use sever_store::{hold_reject, hold_release, job_view, restore};

use crate::world::World;

const OTHER: Approver<'_> = Approver {
    actor: "token:on-call",
    source: None,
};

async fn release(world: &World, hold: HoldId, who: Approver<'_>) -> Result<Decided, HoldError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let decided = hold_release::release(&tx, hold, who, "checked").await?;
    tx.commit().await.unwrap();
    Ok(decided)
}

async fn reject(world: &World, hold: HoldId, who: Approver<'_>) -> Result<Decided, HoldError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let decided = hold_reject::reject(&tx, hold, who, "a mistake").await?;
    tx.commit().await.unwrap();
    Ok(decided)
}

async fn job_state(world: &World) -> JobState {
    let jobs = job_view::of_opt_out(&world.client().await, world.opt_out).await;
    jobs.unwrap()[0].state
}

#[tokio::test]
async fn whoever_asked_for_any_of_it_decides_none_of_it() {
    let (world, hold) = World::held("mass_guard").await;
    let asker = Approver {
        actor: "token:asker",
        source: None,
    };
    let source = Approver {
        actor: "token:hr-token",
        source: Some("hr"),
    };
    for who in [asker, source] {
        let released = release(&world, hold, who).await.unwrap_err();
        let rejected = reject(&world, hold, who).await.unwrap_err();
        for error in [released, rejected] {
            assert!(matches!(error, HoldError::Requester { .. }), "{error}");
        }
    }
    assert_eq!(job_state(&world).await, JobState::Held);
    assert_eq!(world.sql("SELECT state FROM hold").await, "open");
}

#[tokio::test]
async fn whoever_asks_for_the_way_back_decides_nothing_that_stops_it() {
    let world = World::removed().await;
    let by = OptOutId::generate();
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let standing = restore::lock(&tx, world.opt_out).await.unwrap().unwrap();
    let reversed = restore::reverse(&tx, &standing, by, "token:alice", "a mistake").await;
    reversed.unwrap();
    tx.commit().await.unwrap();
    let hold = HoldId::generate();
    world
        .sql(&format!(
            "INSERT INTO hold (id, scope, target_id, reason, policy, requested_by) VALUES ('{hold}', 'opt_out', '{by}', 'protected', 'nothing', 'token:alice')"
        ))
        .await;
    let alice = Approver {
        actor: "token:alice",
        source: None,
    };
    let refused = release(&world, hold, alice).await.unwrap_err();
    assert!(matches!(refused, HoldError::Requester { .. }), "{refused}");
    release(&world, hold, OTHER).await.unwrap();
}

#[tokio::test]
async fn a_release_returns_the_jobs_rings_them_and_records_the_charge() {
    let (world, hold) = World::held("mass_guard").await;
    let decided = release(&world, hold, OTHER).await.unwrap();
    assert_eq!(
        (decided.state, decided.jobs),
        (HoldState::Released, vec![world.job])
    );
    assert_eq!(job_state(&world).await, JobState::Waiting);
    let counts = "SELECT (SELECT count(*) FROM outbox WHERE routing_key = 'okta'), (SELECT due_at <= now() FROM job),
                         (SELECT guard || ' ' || released_by FROM guard_charge)";
    assert_eq!(world.sql(counts).await, format!("1|t|mass {hold}"));
    assert_eq!(world.kinds().await, ["hold.released", "job.returned"]);
    let again = release(&world, hold, OTHER).await.unwrap_err();
    assert!(
        matches!(
            again,
            HoldError::NotOpen {
                state: HoldState::Released,
                ..
            }
        ),
        "{again}"
    );
}

#[tokio::test]
async fn a_job_that_another_hold_stops_stays_held() {
    let (world, hold) = World::held("mass_guard").await;
    world
        .sql(&format!(
            "INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
             VALUES (gen_random_uuid(), 'job', '{}', 'protected', 'nothing', 'source:hr')",
            world.job
        ))
        .await;
    assert_eq!(release(&world, hold, OTHER).await.unwrap().jobs, []);
    assert_eq!(job_state(&world).await, JobState::Held);
}

#[tokio::test]
async fn a_released_job_waits_for_its_effective_time() {
    let (world, hold) = World::held("mass_guard").await;
    world
        .sql("UPDATE job SET effective_at = now() + interval '2 days'")
        .await;
    release(&world, hold, OTHER).await.unwrap();
    let due = world
        .sql("SELECT due_at = effective_at, (SELECT count(*) FROM outbox) FROM job")
        .await;
    assert_eq!(due, "t|0");
}

#[tokio::test]
async fn a_rejection_ends_the_jobs_the_opt_out_and_its_other_holds() {
    let (world, hold) = World::held("newer_employment_event").await;
    world
        .sql(&format!(
            "INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
             VALUES (gen_random_uuid(), 'job', '{}', 'protected', 'nothing', 'source:hr')",
            world.job
        ))
        .await;
    let decided = reject(&world, hold, OTHER).await.unwrap();
    assert_eq!(decided.ended, Some(world.opt_out));
    assert_eq!(job_state(&world).await, JobState::Cancelled);
    let states = "SELECT (SELECT state FROM opt_out), (SELECT string_agg(state, ',') FROM hold)";
    assert_eq!(world.sql(states).await, "cancelled|rejected,rejected");
    assert_eq!(
        world.kinds().await,
        [
            "hold.rejected",
            "job.cancelled",
            "hold.rejected",
            "opt_out.cancelled"
        ]
    );
}

#[tokio::test]
async fn nothing_is_rejected_under_a_running_worker() {
    let (world, hold) = World::held("mass_guard").await;
    world.sql("UPDATE job SET state = 'running', lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute'").await;
    let error = reject(&world, hold, OTHER).await.unwrap_err();
    assert!(
        matches!(error, HoldError::JobRunning(job) if job == world.job),
        "{error}"
    );
    assert_eq!(world.sql("SELECT state FROM hold").await, "open");
}

#[tokio::test]
async fn holds_are_listed_by_state_and_reason_with_what_they_stop() {
    let (world, hold) = World::held("mass_guard").await;
    let client = world.client().await;
    let found = hold::find(&client, hold).await.unwrap().unwrap();
    assert_eq!(
        (found.opt_out, found.subject),
        (Some(world.opt_out), Some(world.subject))
    );
    for (state, expected) in [(HoldState::Open, 1), (HoldState::Released, 0)] {
        let filter = HoldFilter {
            state: Some(state),
            ..HoldFilter::default()
        };
        assert_eq!(
            hold::page(&client, filter, 10).await.unwrap().len(),
            expected
        );
    }
    let after = HoldFilter {
        after: Some(hold),
        ..HoldFilter::default()
    };
    assert_eq!(hold::page(&client, after, 10).await.unwrap(), []);
    assert_eq!(
        hold::of_opt_out(&client, world.opt_out).await.unwrap(),
        [found]
    );
    assert!(
        hold::find(&client, HoldId::generate())
            .await
            .unwrap()
            .is_none()
    );
}
