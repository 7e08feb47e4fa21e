//! PostgreSQL is restarted, cut off, silent, or brought back to an earlier point.

use std::time::{Duration, Instant};

use reqwest::header::RETRY_AFTER;
use sever_chaos::{Kind, REPLICAS, World};
use sever_testkit::Passage;
use sever_tests::until;

use crate::turn::{LIMIT, all_is_well, world};

/// The longest time for which a request may be without an answer while the database is away.
const ANSWERED: Duration = Duration::from_secs(12);

/// Asks until the answer is the one for a database that is away.
async fn refused_for_now(world: &World, person: usize, replica: usize) {
    let asked = Instant::now();
    let answer = world.ask(person, replica).await.unwrap();
    assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap());
    assert!(answer.headers().contains_key(RETRY_AFTER), "no Retry-After");
    assert!(asked.elapsed() < ANSWERED, "{:?}", asked.elapsed());
}

/// While PostgreSQL is down a request is refused for now, and an event stays with the broker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_down_nothing_is_acked_too_early() {
    let (world, _turn) = world(4, &[]).await;
    let servers = &world.ground.servers;
    servers.postgres.kill().await;
    for replica in 0..2 {
        refused_for_now(&world, replica, replica).await;
    }
    world.publish(2);
    world.publish(3);
    world.all_confirmed().await;
    // The broker counts a quorum queue every few seconds.
    until("both events are in the queue", LIMIT, || async {
        let kept = servers.rabbit.list_queues().await?;
        let kept = kept.iter().find(|queue| queue.name == "sever.in.leaver.v1");
        Ok(kept.filter(|queue| queue.messages == 2).map(drop))
    })
    .await
    .unwrap();
    servers.postgres.restart().await.unwrap();
    world.until_accepted(0).await;
    world.until_accepted(1).await;
    world.all_done(4, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// Connections to the database end in the middle of the work, for half the fleet and then for all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_to_the_database_cost_a_moment() {
    let (world, _turn) = world(6, &[]).await;
    for person in 0..3 {
        world.until_accepted(person).await;
    }
    let links = &world.ground.links.database;
    links.iter().for_each(|link| link.cut_once());
    for person in 3..6 {
        world.until_accepted(person).await;
    }
    links[0].set(Passage::Cut);
    refused_for_now(&world, 0, 0).await;
    assert_eq!(
        world.ask(0, 1).await.unwrap().status(),
        202,
        "the other half works"
    );
    links[0].set(Passage::Open);
    world.all_done(6, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// A link that carries nothing, and one that loses the answers: a request gets its answer, the other half goes on, and
/// the connections that were silent are never used again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_database_is_noticed_by_deadlines() {
    let (world, _turn) = world(6, &[]).await;
    let link = &world.ground.links.database[0];
    for (first, held) in [(0, Passage::Silent), (2, Passage::DeafClient)] {
        link.set(held);
        refused_for_now(&world, first, 0).await;
        assert_eq!(world.ask(first + 1, 1).await.unwrap().status(), 202);
        world.until_accepted(first).await;
        world.all_done(first + 2, LIMIT).await.unwrap();
        link.set(Passage::Open);
    }
    let asked = Instant::now();
    assert_eq!(
        world.ask(4, 0).await.unwrap().status(),
        202,
        "the half is back"
    );
    assert_eq!(world.ask(5, 0).await.unwrap().status(), 202);
    assert!(asked.elapsed() < ANSWERED, "{:?}", asked.elapsed());
    world.all_done(6, LIMIT).await.unwrap();
    all_is_well(&world).await;
}

/// The database comes back as it was before two opt-outs were accepted. A worker of the lost history ends by itself, the
/// lost ones are named by their keys, and sent again they are done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_brought_back_to_an_earlier_point_names_what_is_lost() {
    let (mut world, _turn) = world(4, &[]).await;
    for person in 0..2 {
        world.until_accepted(person).await;
    }
    world.all_done(2, LIMIT).await.unwrap();
    world.ground.copy().await.unwrap();
    for person in 2..4 {
        world.until_accepted(person).await;
    }
    world.all_done(4, LIMIT).await.unwrap();

    // Everything stops but one worker of the old history, which nobody thought of.
    for kind in Kind::ALL {
        for replica in 0..REPLICAS {
            if (kind, replica) != (Kind::WorkerOkta, 0) {
                assert!(world.fleet.member(kind, replica).terminate().await);
            }
        }
    }
    world.ground.bring_back_the_copy().await.unwrap();
    let report = world.ground.note_restored().await.unwrap();
    let lost: Vec<&str> = report["lost"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|lost| lost["key"].as_str())
        .collect();
    assert_eq!(lost, [World::key(2), World::key(3)], "{report}");
    let http = &report["sources"][0];
    assert!(
        http["send_again"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key"),
        "{report}"
    );

    until("the old worker ends", LIMIT, || {
        let ended = world.fleet.member(Kind::WorkerOkta, 0).ended();
        async move { Ok(ended.map(drop)) }
    })
    .await
    .unwrap();
    for kind in Kind::ALL {
        for replica in 0..REPLICAS {
            world.fleet.member(kind, replica).restart().await.unwrap();
        }
    }
    world.fleet.ready().await.unwrap();
    for person in 0..4 {
        world.until_accepted(person).await;
    }
    world.all_done(4, LIMIT).await.unwrap();
    let mut findings = world.findings().await.unwrap();
    // What the lost history wrote at the provider has its intents there.
    findings.retain(|finding| !finding.starts_with("I5 "));
    assert_eq!(findings, Vec::<String>::new());
}
