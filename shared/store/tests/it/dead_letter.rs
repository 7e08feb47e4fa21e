//! Dead letters: what goes back to work and how, what two people decide, what is kept once, and how fast the list is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sever_domain::replay::{MemberState, ReplayState};
use sever_domain::{DeadLetterId, ReplayId};
use sever_store::dead_letter::{self, DeadQueue, DecisionError, NewRaw, RawDecision};
use sever_store::replay::{self, Bounds, OrderError, Selection};
use sever_store::{invariants, leader};
use uuid::Uuid;

use crate::world::World;

/// `n` dead removals at the world's connection, with this fingerprint, each of a leaver of its own.
async fn dead(world: &World, n: usize, fingerprint: &str) {
    let connection = world.connection;
    world
        .sql(&format!(
            "CREATE TEMP TABLE made AS SELECT gen_random_uuid() AS subject, gen_random_uuid() AS opt_out, gen_random_uuid() AS job, n FROM generate_series(1, {n}) AS n;
             INSERT INTO subject (id, kind) SELECT subject, 'person' FROM made;
             INSERT INTO person (id, employment_state) SELECT subject, 'left' FROM made;
             INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state) SELECT opt_out, subject, 'remove', 'ordinary', now() - interval '1 hour', 'open' FROM made;
             INSERT INTO request (id, source_id, asked_by, channel, idem_key, body_digest, event_kind, external_id, subject_id, opt_out_id, intent, urgency, reason, effective_at, employment_version, occurred_at, state)
             SELECT gen_random_uuid(), '00000000-0000-7000-8000-0000000000d1', 'source:hr', 'amqp', opt_out::text, sha256('a'), 'leaver', n::text, subject, opt_out, 'remove', 'ordinary', 'last day', now(), 3, now(), 'attached' FROM made;
             INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, opt_out_revision, accepted_at, unsettled_epochs)
             SELECT job, 'opt_out', opt_out, subject, '{connection}', 'okta', 'dead', 'remove', 'ordinary', now() - interval '1 hour', 1, now(), 3 FROM made;
             INSERT INTO dead_letter (id, job_id, fingerprint, reason, state, opened_at)
             SELECT gen_random_uuid(), job, '{fingerprint}', 'refused', 'open', now() - interval '10 minutes' + n * interval '1 millisecond' FROM made;
             DROP TABLE made;"
        ))
        .await;
}

fn of(fingerprint: &str) -> Selection {
    Selection {
        fingerprint: Some(fingerprint.to_owned()),
        ..Selection::default()
    }
}

async fn order(world: &World, selection: &Selection) -> Result<(ReplayId, u64), OrderError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let ordered = replay::order(&tx, selection, Bounds::default(), "token:ops", "fixed").await?;
    tx.commit().await.unwrap();
    Ok(ordered)
}

async fn value(world: &World, sql: &str) -> String {
    world.database.sql(sql).await.unwrap().trim().to_owned()
}

async fn letters(world: &World) -> Vec<DeadLetterId> {
    let rows = value(world, "SELECT id FROM dead_letter ORDER BY opened_at").await;
    rows.lines().map(|id| id.parse().unwrap()).collect()
}

/// What work would do to every released job.
async fn end_jobs(world: &World, state: &str) {
    world
        .sql(&format!(
            "UPDATE job SET state = '{state}', due_at = NULL, settled_at = now() WHERE state = 'waiting'; DELETE FROM outbox"
        ))
        .await;
}

#[tokio::test]
async fn a_canary_goes_first_then_steps_that_double_and_everything_comes_to_its_end() {
    let world = World::removed().await;
    dead(&world, 10, "okta:revoke_role:permanent:E1").await;
    let (id, members) = order(&world, &of("okta:revoke_role:permanent:E1"))
        .await
        .unwrap();
    assert_eq!(members, 10);
    assert!(
        matches!(
            order(&world, &of("okta:revoke_role:permanent:E1")).await,
            Err(OrderError::Nothing)
        ),
        "a dead letter is in one replay"
    );
    let mut sizes = Vec::new();
    for _ in 0..4 {
        let moved = replay::drive(&world.store).await.unwrap().moved;
        sizes.push(moved[0].released);
        assert_eq!(
            replay::drive(&world.store).await.unwrap().moved,
            [],
            "a step is out"
        );
        assert_eq!(
            value(
                &world,
                "SELECT count(*) FROM outbox WHERE exchange = 'sever.cmd'"
            )
            .await,
            moved[0].released.to_string(),
            "each released job is rung in the same transaction"
        );
        end_jobs(&world, "done").await;
    }
    assert_eq!(sizes, [1, 2, 4, 3]);
    let moved = replay::drive(&world.store).await.unwrap().moved;
    assert!(moved[0].done, "{moved:?}");
    let client = world.client().await;
    let seen = replay::find(&client, id).await.unwrap().unwrap();
    assert_eq!(seen.state, ReplayState::Done);
    assert_eq!(
        seen.members
            .iter()
            .map(|count| (count.state, count.members))
            .collect::<Vec<_>>(),
        [(MemberState::Done, 10)]
    );
    assert_eq!(
        value(
            &world,
            "SELECT DISTINCT state, closed_by, closed_reason FROM dead_letter"
        )
        .await,
        "replayed|token:ops|fixed"
    );
    assert_eq!(
        value(
            &world,
            "SELECT count(*) FROM audit_event WHERE kind = 'job.returned'"
        )
        .await,
        "10"
    );
    assert_eq!(
        value(
            &world,
            "SELECT max(unsettled_epochs) FROM job WHERE kind = 'opt_out'"
        )
        .await,
        "0"
    );
}

#[tokio::test]
async fn a_canary_that_fails_stops_the_replay_and_the_rest_stays_dead() {
    let world = World::removed().await;
    dead(&world, 5, "okta:revoke_role:permanent:E1").await;
    let (id, _) = order(&world, &of("okta:revoke_role:permanent:E1"))
        .await
        .unwrap();
    replay::drive(&world.store).await.unwrap();
    world
        .sql("INSERT INTO dead_letter (id, job_id, fingerprint, reason, state)
              SELECT gen_random_uuid(), id, 'okta:revoke_role:permanent:E1', 'again', 'open' FROM job WHERE state = 'waiting'")
        .await;
    end_jobs(&world, "dead").await;
    let moved = replay::drive(&world.store).await.unwrap().moved;
    assert_eq!(moved[0].stopped.as_deref(), Some("the canary failed"));
    let client = world.client().await;
    let seen = replay::find(&client, id).await.unwrap().unwrap();
    assert_eq!(
        (seen.state, seen.stopped_by.as_deref()),
        (ReplayState::Stopped, Some("system:replay"))
    );
    assert_eq!(
        value(
            &world,
            "SELECT count(*) FROM dead_letter WHERE state = 'open'"
        )
        .await,
        "5"
    );
    assert_eq!(
        value(
            &world,
            "SELECT count(*) FROM replay_member WHERE state = 'skipped'"
        )
        .await,
        "4"
    );
    assert!(
        order(&world, &of("okta:revoke_role:permanent:E1"))
            .await
            .is_ok(),
        "they may be replayed again"
    );
}

#[tokio::test]
async fn a_rehire_turns_the_replay_into_a_hold_until_a_person_releases_it() {
    let world = World::removed().await;
    dead(&world, 1, "okta:x:permanent:1").await;
    world
        .sql("INSERT INTO employment_event (person_id, source_id, version, kind, occurred_at)
              SELECT subject_id, '00000000-0000-7000-8000-0000000000d1', 4, 'rehired', now() FROM job WHERE state = 'dead'")
        .await;
    let client = world.client().await;
    let letter = letters(&world).await[0];
    let foreseen = dead_letter::find(&client, letter)
        .await
        .unwrap()
        .unwrap()
        .foreseen;
    assert_eq!(
        foreseen.newer_event.as_deref(),
        Some("rehired"),
        "show says so beforehand"
    );
    order(&world, &of("okta:x:permanent:1")).await.unwrap();
    replay::drive(&world.store).await.unwrap();
    assert_eq!(
        value(&world, "SELECT job.state, hold.reason, hold.state, hold.requested_by FROM job JOIN hold ON hold.target_id = job.opt_out_id WHERE job.kind = 'opt_out'").await,
        "held|newer_employment_event|open|source:hr"
    );
    assert_eq!(
        value(&world, "SELECT state FROM replay_member").await,
        "held"
    );
    // Released by a person and dead again, it goes back to work.
    world
        .sql("UPDATE hold SET state = 'released', decided_by = 'token:boss', decided_at = now() + interval '1 second';
              UPDATE job SET state = 'dead' WHERE state = 'held';
              INSERT INTO dead_letter (id, job_id, fingerprint, reason, state) SELECT gen_random_uuid(), id, 'okta:x:permanent:1', 'again', 'open' FROM job WHERE state = 'dead'")
        .await;
    replay::drive(&world.store).await.unwrap();
    order(&world, &of("okta:x:permanent:1")).await.unwrap();
    replay::drive(&world.store).await.unwrap();
    assert_eq!(
        value(&world, "SELECT count(*) FROM job WHERE state = 'waiting'").await,
        "1"
    );
}

#[tokio::test]
async fn what_belongs_to_a_connection_that_takes_no_work_waits_and_a_person_may_stop() {
    let world = World::removed().await;
    dead(&world, 2, "okta:x:permanent:1").await;
    world
        .sql("UPDATE connection SET blocked_until = now() + interval '1 hour'")
        .await;
    let (id, _) = order(&world, &of("okta:x:permanent:1")).await.unwrap();
    assert_eq!(replay::drive(&world.store).await.unwrap().moved, []);
    assert_eq!(
        value(&world, "SELECT count(*) FROM job WHERE state = 'dead'").await,
        "2"
    );
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    replay::stop(&tx, id, "token:ops", "not now").await.unwrap();
    tx.commit().await.unwrap();
    let tx = client.begin().await.unwrap();
    assert!(matches!(
        replay::stop(&tx, id, "token:ops", "not now").await,
        Err(OrderError::Ended(_))
    ));
}

#[tokio::test]
async fn giving_up_takes_two_people_and_ends_the_opt_out() {
    let world = World::removed().await;
    dead(&world, 1, "okta:x:permanent:1").await;
    let letter = letters(&world).await[0];
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    assert!(matches!(
        dead_letter::confirm_discard(&tx, letter, "token:a", "r").await,
        Err(DecisionError::NotAsked(_))
    ));
    drop(tx);
    let tx = client.begin().await.unwrap();
    dead_letter::ask_discard(&tx, letter, "token:a", "never existed")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let tx = client.begin().await.unwrap();
    assert!(matches!(
        dead_letter::confirm_discard(&tx, letter, "token:a", "r").await,
        Err(DecisionError::SamePerson { .. })
    ));
    drop(tx);
    let tx = client.begin().await.unwrap();
    dead_letter::confirm_discard(&tx, letter, "token:b", "agreed")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        value(&world, "SELECT job.state, opt_out.state, letter.state, letter.closed_by FROM dead_letter AS letter JOIN job ON job.id = letter.job_id JOIN opt_out ON opt_out.id = job.opt_out_id").await,
        "cancelled|cancelled|discarded|token:b"
    );
}

#[tokio::test]
async fn work_by_hand_is_not_believed_but_read_again() {
    let world = World::removed().await;
    dead(&world, 1, "okta:x:permanent:1").await;
    let letter = letters(&world).await[0];
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    dead_letter::resolve(&tx, letter, "token:a", "ticket 7", "by hand")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        value(&world, "SELECT job.state, job.resolving, letter.state FROM dead_letter AS letter JOIN job ON job.id = letter.job_id").await,
        "waiting|t|resolving"
    );
    assert!(
        matches!(
            order(&world, &of("okta:x:permanent:1")).await,
            Err(OrderError::Nothing)
        ),
        "the re-read decides first"
    );
    let tx = client.begin().await.unwrap();
    assert!(matches!(
        dead_letter::ask_discard(&tx, letter, "token:a", "r").await,
        Err(DecisionError::NotOpen { .. })
    ));
}

#[tokio::test]
async fn a_crash_loop_goes_back_by_itself_once() {
    let world = World::removed().await;
    dead(&world, 1, "okta:job:permanent:crash_loop").await;
    dead(&world, 1, "okta:job:permanent:other").await;
    let rest = Duration::from_secs(60);
    assert_eq!(
        dead_letter::return_crash_loops(&world.store, Duration::from_secs(3600), 10)
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        dead_letter::return_crash_loops(&world.store, rest, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        value(
            &world,
            "SELECT fingerprint FROM dead_letter WHERE state = 'open'"
        )
        .await,
        "okta:job:permanent:other"
    );
    world
        .sql("UPDATE job SET state = 'dead' WHERE state = 'waiting';
              INSERT INTO dead_letter (id, job_id, fingerprint, reason, state, opened_at)
              SELECT gen_random_uuid(), job_id, fingerprint, 'again', 'open', now() - interval '2 minutes' FROM dead_letter WHERE state = 'replayed'")
        .await;
    assert_eq!(
        dead_letter::return_crash_loops(&world.store, rest, 10)
            .await
            .unwrap(),
        [],
        "once; then it stays"
    );
}

#[tokio::test]
async fn a_dead_message_is_kept_once_and_emptied_when_it_is_closed() {
    let world = World::removed().await;
    let headers = BTreeMap::from([("type".to_owned(), "x".to_owned())]);
    let long = vec![b'x'; dead_letter::BODY_KEPT_BYTES_MAX + 1];
    let raw = NewRaw {
        provider: "okta",
        problem: "its body is no bell",
        body: &long,
        headers: &headers,
    };
    let first = dead_letter::store_raw(&world.store, &raw).await.unwrap();
    let again = dead_letter::store_raw(&world.store, &raw).await.unwrap();
    assert_eq!(
        (first.id, first.new, again.new, again.stands),
        (again.id, true, false, true)
    );
    let mut client = world.client().await;
    let kept = dead_letter::find_raw(&client, first.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.body.len(), kept.body_bytes, kept.times),
        (65_536, 65_537, 1)
    );
    let tx = client.begin().await.unwrap();
    let word = RawDecision::Resolve {
        evidence: "sent again",
    };
    dead_letter::close_raw(&tx, first.id, "token:a", "test", word)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let closed = dead_letter::find_raw(&client, first.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((closed.body.len(), closed.state.as_str()), (0, "resolved"));
    // Its message leaves the queue; the same body later is a new one.
    assert!(
        !dead_letter::store_raw(&world.store, &raw)
            .await
            .unwrap()
            .stands
    );
    dead_letter::acked(&world.store, &[], &[first.id])
        .await
        .unwrap();
    let later = dead_letter::store_raw(&world.store, &raw).await.unwrap();
    assert_eq!((later.id, later.stands), (first.id, true));
    assert_eq!(
        dead_letter::find_raw(&client, first.id)
            .await
            .unwrap()
            .unwrap()
            .times,
        2
    );
}

#[tokio::test]
async fn what_a_whole_pass_did_not_meet_is_missing_or_gone() {
    let world = World::removed().await;
    dead(&world, 3, "okta:x:permanent:1").await;
    let queue = DeadQueue::Of(sever_domain::Provider::Okta);
    let expected = dead_letter::expected(&world.store, queue).await.unwrap();
    assert_eq!((expected.messages, expected.leaving), (3, false));
    assert!(dead_letter::needs_pass(
        &expected,
        2,
        Duration::from_secs(600)
    ));
    let one: Uuid = value(
        &world,
        "SELECT job_id FROM dead_letter ORDER BY opened_at LIMIT 1",
    )
    .await
    .parse()
    .unwrap();
    dead_letter::kept(&world.store, &[sever_domain::JobId(one)])
        .await
        .unwrap();
    let missing = dead_letter::missing(&world.store, queue, expected.now, 10)
        .await
        .unwrap();
    assert_eq!(missing.len(), 2);
    dead_letter::publish_again(&world.store, &missing)
        .await
        .unwrap();
    assert_eq!(
        dead_letter::expected(&world.store, queue)
            .await
            .unwrap()
            .messages,
        1,
        "what is in the outbox is not there yet"
    );
    assert_eq!(
        dead_letter::missing(&world.store, queue, expected.now, 10)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn one_leads_until_its_lease_is_over() {
    let world = World::removed().await;
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let lease = Duration::from_secs(60);
    assert!(leader::lead(&world.store, "x", one, lease).await.unwrap());
    assert!(leader::lead(&world.store, "x", one, lease).await.unwrap());
    assert!(!leader::lead(&world.store, "x", other, lease).await.unwrap());
    world
        .sql("UPDATE leader_lease SET lease_until = now() - interval '1 second'")
        .await;
    assert!(leader::lead(&world.store, "x", other, lease).await.unwrap());
    leader::resign(&world.store, "x", one).await.unwrap();
    assert!(!leader::lead(&world.store, "x", one, lease).await.unwrap());
}

/// Not a timed test: it prints what the listing costs, and proves that it reads no job's history.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
async fn ten_thousand_dead_letters_are_listed_in_one_look() {
    let world = World::removed().await;
    for n in 0..5 {
        dead(&world, 2_000, &format!("okta:revoke_role:permanent:E{n}")).await;
    }
    world.sql("ANALYZE").await;
    let client = world.client().await;
    let began = Instant::now();
    let dead = dead_letter::clusters(&client, None).await.unwrap();
    println!("10,000 open dead letters listed in {:?}", began.elapsed());
    assert_eq!(
        dead.clusters
            .iter()
            .map(|cluster| cluster.letters)
            .sum::<i64>(),
        10_000
    );
    assert_eq!(dead.clusters.len(), 5);
    let began = Instant::now();
    let plan = replay::foresee(
        &client,
        &Selection {
            provider: Some(sever_domain::Provider::Okta),
            ..Selection::default()
        },
        Bounds::default(),
    )
    .await
    .unwrap();
    println!("a replay of 10,000 planned in {:?}", began.elapsed());
    assert_eq!(
        (plan.letters, plan.steps.as_slice()),
        (10_000, &[1, 2, 4, 8, 16, 32, 64, 64][..])
    );
    let broken = invariants::check(&client, Duration::from_secs(3600))
        .await
        .unwrap();
    assert!(
        !broken
            .iter()
            .any(|violation| violation.name == "letter_without_dead_job")
    );
}
