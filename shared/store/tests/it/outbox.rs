//! What the relay does with rows that it has claimed.

use sever_store::outbox::{self, Refused};
use uuid::Uuid;

use crate::world::World;

/// Both bells of a job were claimed, the second one written while the first was under way, and the broker took neither.
#[tokio::test]
async fn of_two_refused_bells_of_a_job_one_is_put_back() {
    let world = World::removed().await;
    let token = Uuid::now_v7();
    world
        .sql(&format!(
            "INSERT INTO outbox (id, job_id, exchange, routing_key, body, claim_token, claimed_until)
             SELECT gen_random_uuid(), '{}', exchange, 'okta', '', '{token}', now() + interval '1 minute'
             FROM unnest(ARRAY['sever.cmd', 'sever.cmd', 'sever.dead']) AS exchange",
            world.job
        ))
        .await;
    let ids = world
        .sql("SELECT string_agg(id::text, ',') FROM outbox")
        .await;
    let refused: Vec<Refused> = ids
        .split(',')
        .map(|id| Refused {
            id: id.parse().unwrap(),
            problem: "returned".to_owned(),
            wait_s: 1.0,
        })
        .collect();
    assert_eq!(refused.len(), 3);
    outbox::put_back(&world.store, token, &refused)
        .await
        .unwrap();
    let left = "SELECT string_agg(exchange, ',' ORDER BY exchange) FROM outbox WHERE claim_token IS NULL AND last_problem = 'returned'";
    assert_eq!(world.sql(left).await, "sever.cmd,sever.dead");
    assert_eq!(world.sql("SELECT count(*) FROM outbox").await, "2");
}

#[tokio::test]
async fn a_confirmed_bell_is_gone_and_its_job_rung() {
    let world = World::removed().await;
    let token = Uuid::now_v7();
    outbox_row(&world, token, "sever.cmd").await;
    let id = world.sql("SELECT id FROM outbox").await.parse().unwrap();
    let claimed_at = world
        .sql("UPDATE outbox SET claimed_until = now() - interval '5 seconds' RETURNING claimed_until - interval '1 minute'")
        .await;
    outbox::confirm(&world.store, Uuid::now_v7(), &[id], 60.0)
        .await
        .unwrap();
    assert_eq!(
        world.sql("SELECT count(*) FROM outbox").await,
        "1",
        "another's claim"
    );
    outbox::confirm(&world.store, token, &[id], 60.0)
        .await
        .unwrap();
    // Not when it was confirmed: a worker may have settled it since.
    let rung = "SELECT rung_at FROM job WHERE NOT EXISTS (SELECT FROM outbox)";
    assert_eq!(world.sql(rung).await, claimed_at);
}

async fn outbox_row(world: &World, token: Uuid, exchange: &str) {
    world
        .sql(&format!(
            "INSERT INTO outbox (id, job_id, exchange, routing_key, body, claim_token, claimed_until)
             VALUES (gen_random_uuid(), '{}', '{exchange}', 'okta', '', '{token}', now() + interval '1 minute')",
            world.job
        ))
        .await;
}
