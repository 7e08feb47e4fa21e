//! The sweep: whom it rings first, and what it brings back to work.

use std::time::Duration;

use sever_store::job;

use crate::world::World;

const RUNG_TOO_LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_urgent_and_the_oldest_are_rung_first() {
    let world = World::removed().await;
    world
        .sql(&format!(
            "UPDATE opt_out SET state = 'open', closed_at = NULL;
             UPDATE job SET state = 'waiting', due_at = now() - interval '1 minute';
             INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             SELECT gen_random_uuid(), provider, 'other' || n, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max
             FROM connection CROSS JOIN generate_series(1, 3) AS n;
             INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, due_at, accepted_at)
             SELECT gen_random_uuid(), 'opt_out', '{}', '{}', id, provider, 'waiting', 'remove',
                    CASE name WHEN 'other1' THEN 'urgent' ELSE 'ordinary' END, now(),
                    CASE name WHEN 'other2' THEN now() - interval '2 hours' ELSE now() - interval '1 second' END, now()
             FROM connection WHERE name LIKE 'other%'",
            world.opt_out, world.subject
        ))
        .await;
    for expected in ["other1", "other1,other2", "okta-main,other1,other2"] {
        let rings = job::sweep(&world.store, RUNG_TOO_LONG, 1).await.unwrap();
        assert_eq!(rings, [("due".to_owned(), 1)]);
        let rung = world
            .sql("SELECT string_agg(connection.name, ',' ORDER BY connection.name) FROM outbox JOIN job ON job.id = job_id JOIN connection ON connection.id = connection_id")
            .await;
        assert_eq!(rung, expected);
    }
}

#[tokio::test]
async fn a_job_that_is_parked_at_an_open_connection_comes_back() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql("UPDATE job SET state = 'parked', due_at = NULL; UPDATE connection SET state = 'parked', state_reason = 'credentials'")
        .await;
    assert_eq!(
        job::sweep(&world.store, RUNG_TOO_LONG, 10).await.unwrap(),
        []
    );
    assert_eq!(world.sql("SELECT state FROM job").await, "parked");
    world
        .sql("UPDATE connection SET state = 'open', state_reason = NULL")
        .await;
    let rings = job::sweep(&world.store, RUNG_TOO_LONG, 10).await.unwrap();
    assert_eq!(rings, [("due".to_owned(), 1)]);
    assert_eq!(world.sql("SELECT state FROM job").await, "waiting");
    assert_eq!(world.kinds().await, ["job.returned"]);
    assert_eq!(
        world.sql("SELECT actor FROM audit_event").await,
        "system:sweeper"
    );
}

#[tokio::test]
async fn the_jobs_of_a_closed_connection_are_held_until_it_is_open_again() {
    let (world, _) = World::held("mass_guard").await;
    world
        .sql(
            "DELETE FROM hold; UPDATE job SET state = 'waiting', state_reason = NULL, due_at = now() + interval '1 day';
              UPDATE connection SET state = 'closed'",
        )
        .await;
    let sweep = async || job::sweep(&world.store, RUNG_TOO_LONG, 10).await.unwrap();
    let state = "SELECT job.state || ' ' || coalesce(job.state_reason, '-') || ' ' || (SELECT string_agg(hold.state || ' ' || hold.reason, ',') FROM hold) FROM job";
    for _ in 0..2 {
        assert_eq!(sweep().await, []);
        assert_eq!(
            world.sql(state).await,
            "held connection_closed open connection_closed"
        );
    }
    assert_eq!(world.kinds().await, ["job.settled", "hold.opened"]);
    world.sql("UPDATE connection SET state = 'open'").await;
    assert_eq!(sweep().await, [("due".to_owned(), 1)]);
    assert_eq!(
        world.sql(state).await,
        "waiting - released connection_closed"
    );
    assert_eq!(world.kinds().await[2..], ["hold.released", "job.returned"]);
}
