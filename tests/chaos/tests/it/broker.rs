//! The broker is away, blocked, full, empty or silent, or refuses one row.

use std::time::{Duration, Instant};

use sever_chaos::Kind;
use sever_testkit::Passage;

use crate::turn::{LIMIT, all_is_well, world};

/// How soon an acceptance is answered, whatever the broker does.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A request is accepted over HTTP without the broker, and what was accepted leaves once it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_intake_goes_on_accepting() {
    let (world, _turn) = world(6, &[]).await;
    let rabbit = &world.ground.servers.rabbit;
    rabbit.kill().await;
    for person in 0..6 {
        let asked = Instant::now();
        let answer = world.ask(person, person % 2).await.unwrap();
        assert_eq!(answer.status(), 202);
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    }
    let waiting = "SELECT count(*) FROM outbox HAVING count(*) = 12";
    world.shows(waiting, LIMIT).await.unwrap();
    rabbit.restart().await.unwrap();
    world.all_done(6, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// An alarm of memory, then a full disk: publishing is blocked, accepting is not, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_blocked_or_full_delays_and_loses_nothing() {
    let (world, _turn) = world(4, &[]).await;
    let rabbit = &world.ground.servers.rabbit;
    rabbit.set_alarm(true).await.unwrap();
    for person in 0..2 {
        assert_eq!(world.ask(person, person % 2).await.unwrap().status(), 202);
    }
    rabbit.set_alarm(false).await.unwrap();
    world.all_done(2, LIMIT).await.unwrap();

    // More free space than any disk has: the broker says that its disk is full.
    rabbit
        .control(&["set_disk_free_limit", "1000000GB"])
        .await
        .unwrap();
    for person in 2..4 {
        assert_eq!(world.ask(person, person % 2).await.unwrap().status(), 202);
    }
    rabbit
        .control(&["set_disk_free_limit", "100MB"])
        .await
        .unwrap();
    world.all_done(4, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// Bells and events go with the broker's data. Every due job runs again within a minute of its return; what was confirmed
/// and not yet taken is sent again by its source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_loss_of_the_brokers_data_everything_due_runs_within_a_minute() {
    let (mut world, _turn) = world(6, &[]).await;
    for kind in [Kind::WorkerOkta, Kind::WorkerScim] {
        for replica in 0..2 {
            world.fleet.member(kind, replica).kill().await;
        }
    }
    for person in 0..4 {
        world.until_accepted(person).await;
    }
    let rung = "SELECT count(*) FROM job WHERE rung_at IS NOT NULL HAVING count(*) = 8";
    world.shows(rung, LIMIT).await.unwrap();
    for replica in 0..2 {
        world.fleet.member(Kind::Intake, replica).kill().await;
    }
    // Nobody is there to take these from the queue.
    world.publish(4);
    world.publish(5);
    world.all_confirmed().await;

    let servers = std::sync::Arc::clone(&world.ground.servers);
    servers.rabbit.wipe().await.unwrap();
    world.ground.make_broker_user().await.unwrap();
    let back = Instant::now();
    world.send_again();
    for kind in [Kind::Intake, Kind::WorkerOkta, Kind::WorkerScim] {
        for replica in 0..2 {
            world.fleet.member(kind, replica).restart().await.unwrap();
        }
    }
    world.all_done(6, LIMIT).await.unwrap();
    assert!(
        back.elapsed() < Duration::from_secs(60),
        "{:?}",
        back.elapsed()
    );
    all_is_well(&world).await;
}

/// A link to the broker that carries nothing is noticed by deadlines, not by the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_broker_stops_one_half_of_the_fleet_only() {
    // Bells that were on the silent link come again once the broker misses the heartbeats.
    let (world, _turn) = world(4, &[("SEVER_AMQP_HEARTBEAT_S", "5")]).await;
    world.ground.links.broker[0].set(Passage::Silent);
    for person in 0..4 {
        assert_eq!(world.ask(person, person % 2).await.unwrap().status(), 202);
    }
    world.all_done(4, LIMIT).await.unwrap();
    world.ground.links.broker[0].set(Passage::Open);
    all_is_well(&world).await;
}

/// A row that cannot be routed backs off by itself; everybody else's bells are rung meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bell_without_a_queue_starves_nobody() {
    let (world, _turn) = world(6, &[]).await;
    let rows = "INSERT INTO outbox (id, exchange, routing_key, body)
                SELECT gen_random_uuid(), 'sever.cmd', 'nowhere', '{}' FROM generate_series(1, 600)";
    world.ground.sql(rows).await.unwrap();
    let asked = Instant::now();
    for person in 0..6 {
        world.until_accepted(person).await;
    }
    world.all_done(6, LIMIT).await.unwrap();
    let took = asked.elapsed();
    let backed_off = "SELECT count(*) FROM outbox WHERE routing_key = 'nowhere' AND tries > 0 AND last_problem LIKE 'no queue%'
                      HAVING count(*) = 600";
    world.shows(backed_off, LIMIT).await.unwrap();
    let tries = world
        .ground
        .sql("SELECT max(tries) FROM outbox")
        .await
        .unwrap();
    let most = f64::from(tries.parse::<u32>().unwrap());
    // At least half a second after the first try, then twice as long each time.
    assert!(
        most <= 2.0 + (took.as_secs_f64() + 5.0).log2().max(0.0) + 1.0,
        "{most} tries in {took:?}"
    );
    world
        .ground
        .sql("DELETE FROM outbox WHERE routing_key = 'nowhere'")
        .await
        .unwrap();
    all_is_well(&world).await;
}
