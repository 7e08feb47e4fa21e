//! Who may be removed again: how a subject stands at a connection, and what the comparison makes of it.

use jiff::{SignedDuration, Timestamp};
use sever_domain::standing::Hindrance;
use sever_domain::{ConnectionId, DriftAction, FindingState, Intent, RunKind, Situation};
use sever_store::drift::standing;
use sever_store::finding::{Look, judge_looks};

use crate::drift::{LIVE, Scene};
use crate::world::World;

/// A connection where the subject has no job.
const OTHER: &str = "00000000-0000-7000-8000-0000000000e2";

/// Each change of the world in which a leaver was removed and proven; whether it is asked for [`OTHER`]; what a repair may do.
#[rustfmt::skip]
const CASES: [(&str, &str, bool, Result<Intent, Hindrance>); 23] = [
    ("nothing changed", "", false, Ok(Intent::Remove)),
    ("left, and the connection came later", "", true, Ok(Intent::Remove)),
    ("rehired", "UPDATE person SET employment_state = 'active'; {rehired}", false, Err(Hindrance::Stays)),
    ("rehired, at a connection that came later", "UPDATE person SET employment_state = 'active'; {rehired}", true, Err(Hindrance::Stays)),
    ("active again by a list", "UPDATE person SET employment_state = 'active'", false, Err(Hindrance::Stays)),
    ("on leave", "UPDATE person SET employment_state = 'on_leave'", false, Err(Hindrance::Stays)),
    ("rehired after a repair", "{repaired} UPDATE person SET employment_state = 'active'; {rehired}", false, Err(Hindrance::Stays)),
    ("rehired, and a person let the removal go on", "UPDATE person SET employment_state = 'active'; {rehired} INSERT INTO hold (id, scope, target_id, reason, policy, requested_by, state, decided_by, decided_at, decision) SELECT gen_random_uuid(), 'opt_out', id, 'newer_employment_event', 'nothing', 'source:hr', 'released', 'token:olga', now() + interval '2 seconds', 'they left' FROM opt_out", false, Ok(Intent::Remove)),
    ("asked by hand, still employed", "{by_hand}", false, Ok(Intent::Remove)),
    ("asked by hand, repaired once, still employed", "{by_hand} {repaired}", false, Ok(Intent::Remove)),
    ("asked by hand, then rehired", "{by_hand} {rehired}", false, Err(Hindrance::NewerEvent)),
    ("asked by hand, left and rehired since", "{by_hand} {second_leave} {rehired}", false, Err(Hindrance::NewerEvent)),
    ("asked by hand, the record changed since", "{by_hand} UPDATE person SET updated_at = now() + interval '1 minute'", false, Err(Hindrance::NewerEvent)),
    ("cancelled or rejected", "UPDATE opt_out SET state = 'cancelled'; UPDATE job SET state = 'cancelled'", false, Err(Hindrance::Declined)),
    ("rejected, and the connection came later", "UPDATE opt_out SET state = 'cancelled'", true, Err(Hindrance::Declined)),
    ("discarded here, done elsewhere", "UPDATE job SET state = 'cancelled'", false, Err(Hindrance::Declined)),
    ("a repair was called off", "{repaired} UPDATE opt_out SET state = 'cancelled' WHERE opened_at = now(); UPDATE job SET state = 'cancelled' WHERE created_at = now()", false, Err(Hindrance::Declined)),
    ("restored", "UPDATE opt_out SET state = 'reversed'", false, Err(Hindrance::Restored)),
    ("only contained", "UPDATE opt_out SET intent = 'disable'; UPDATE job SET intent = 'disable'", false, Ok(Intent::Disable)),
    ("dead", "{open} UPDATE job SET state = 'dead'", false, Err(Hindrance::Stuck)),
    ("held, and the connection came later", "{open} INSERT INTO hold (id, scope, target_id, reason, policy, requested_by) SELECT gen_random_uuid(), 'opt_out', id, 'mass_guard', 'nothing', 'source:hr' FROM opt_out", true, Err(Hindrance::Stuck)),
    ("announced, and the connection came later", "{open} UPDATE request SET effective_at = now() + interval '14 days'", true, Err(Hindrance::Stays)),
    ("announced by the source, pulled forward elsewhere by hand", "{open} {asks} UPDATE request SET effective_at = now() + interval '14 days' WHERE event_kind = 'leaver'", true, Err(Hindrance::Stays)),
];

const SNIPPETS: [(&str, &str); 6] = [
    (
        "{rehired}",
        "INSERT INTO employment_event (person_id, source_id, version, kind, occurred_at, recorded_at)
         SELECT id, '00000000-0000-7000-8000-0000000000d1', 9, 'rehired', now(), now() + interval '1 second' FROM person;",
    ),
    (
        "{repaired}",
        "WITH again AS (
             INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state, opened_at, closed_at)
             SELECT gen_random_uuid(), id, 'remove', 'ordinary', now(), 'closed', now(), now() FROM person RETURNING id, subject_id
         ), asked AS (
             INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, subject_id, opt_out_id, intent, urgency, effective_at, occurred_at, state)
             SELECT gen_random_uuid(), 'system:reconciler', 'console', 'k9', sha256('r'), 'opt_out', subject_id, id, 'remove', 'ordinary', now(), now(), 'attached' FROM again
         )
         INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, accepted_at, settled_at)
         SELECT gen_random_uuid(), 'opt_out', again.id, again.subject_id, job.connection_id, 'okta', 'done', 'remove', 'ordinary', now(), now(), now() FROM again, job;",
    ),
    (
        "{second_leave}",
        "WITH again AS (
             INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state, opened_at, closed_at)
             SELECT gen_random_uuid(), id, 'remove', 'ordinary', now(), 'closed', now(), now() FROM person RETURNING id, subject_id
         ), asked AS (
             INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, subject_id, opt_out_id, intent, urgency, effective_at, occurred_at, state)
             SELECT gen_random_uuid(), 'source:hr', 'amqp', 'k9', sha256('r'), 'leaver', subject_id, id, 'remove', 'ordinary', now(), now(), 'attached' FROM again
         )
         INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, accepted_at, settled_at)
         SELECT gen_random_uuid(), 'opt_out', again.id, again.subject_id, job.connection_id, 'okta', 'done', 'remove', 'ordinary', now(), now(), now() FROM again, job;",
    ),
    (
        "{by_hand}",
        "UPDATE request SET event_kind = 'opt_out', asked_by = 'token:olga';
         UPDATE person SET employment_state = 'active', updated_at = now() - interval '1 day';",
    ),
    (
        "{open}",
        "UPDATE opt_out SET state = 'open', closed_at = NULL;",
    ),
    (
        "{asks}",
        "INSERT INTO request (id, asked_by, channel, idem_key, body_digest, event_kind, subject_id, opt_out_id, intent, urgency, effective_at, occurred_at, state)
         SELECT gen_random_uuid(), 'token:olga', 'console', 'k8', sha256('h'), 'opt_out', subject_id, id, 'remove', 'ordinary', now(), now(), 'attached' FROM opt_out;",
    ),
];

#[tokio::test]
async fn who_may_be_removed_again_by_itself() {
    let world = World::removed().await;
    let mut wrong = Vec::new();
    for (name, change, other, expected) in CASES {
        world.reset().await;
        world
            .sql(&format!(
                "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                 VALUES ('{OTHER}', 'okta', 'okta-new', 'https://new.okta.com', 'env:OKTA', 3600, 30, 8, 64)"
            ))
            .await;
        let change = SNIPPETS
            .iter()
            .fold(change.to_owned(), |sql, (name, text)| {
                sql.replace(name, text)
            });
        if !change.is_empty() {
            world.sql(&change).await;
        }
        let connection = if other {
            OTHER.parse().unwrap()
        } else {
            world.connection
        };
        let found = may(&world, connection, false).await;
        if found != expected {
            wrong.push(format!("{name}: {found:?}, not {expected:?}"));
        }
        let by_hand = may(&world, connection, true).await;
        let decides = matches!(
            expected,
            Err(Hindrance::Declined | Hindrance::Restored | Hindrance::Stuck)
        );
        if by_hand.is_ok() != (expected.is_ok() || decides) {
            wrong.push(format!("{name} by hand: {by_hand:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

async fn may(world: &World, connection: ConnectionId, by_hand: bool) -> Result<Intent, Hindrance> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    standing(&tx, world.subject, connection)
        .await
        .unwrap()
        .repair(Situation::Resurrected, by_hand)
}

/// The world's person with an account that is live after everything that Sever wrote, after a change of the world.
async fn seen_live(change: &str) -> Scene {
    let world = World::removed().await;
    let change = SNIPPETS
        .iter()
        .fold(change.to_owned(), |sql, (name, text)| {
            sql.replace(name, text)
        });
    world.sql(&change).await;
    let scene = Scene {
        connection: world.connection,
        me: crate::world::INSTANCE.parse().unwrap(),
        seen_at: Timestamp::now() + SignedDuration::from_secs(5),
        store: world.database.store().unwrap(),
        database: world.database,
    };
    scene
        .run(RunKind::Full, vec![scene.account("00u1", LIVE)], vec![])
        .await;
    scene
}

#[tokio::test]
async fn the_live_account_of_somebody_who_is_back_is_in_order() {
    let scene = seen_live("UPDATE person SET employment_state = 'active'; {rehired}").await;
    assert_eq!(scene.open().await, []);
}

#[tokio::test]
async fn what_a_person_declined_is_shown_and_not_repaired() {
    let scene =
        seen_live("UPDATE opt_out SET state = 'cancelled'; UPDATE job SET state = 'cancelled'")
            .await;
    let findings = scene.findings().await;
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].situation, findings[0].action),
        (Situation::Residual, DriftAction::Report)
    );
    assert_eq!(findings[0].evidence["removal"], "declined");
}

#[tokio::test]
async fn who_leaves_later_is_no_leaver_yet_and_a_removal_in_force_counts_for_an_unbound_account_too()
 {
    let ahead = "{open} UPDATE request SET effective_at = now() + interval '14 days';
        UPDATE job SET state = 'waiting', due_at = now() + interval '14 days', effective_at = now() + interval '14 days', settled_at = NULL";
    assert_eq!(seen_live(ahead).await.open().await, []);
    let scene = seen_live("{by_hand} DELETE FROM verification; DELETE FROM effect; DELETE FROM step; DELETE FROM plan; DELETE FROM entitlement; DELETE FROM inspection_family; DELETE FROM binding").await;
    let anew = scene.named("00u2", "Ada");
    scene.run(RunKind::Full, vec![anew], vec![]).await;
    let found = scene.findings().await;
    let again = found
        .iter()
        .find(|finding| finding.cause_key == "account:00u2")
        .unwrap();
    assert_eq!(
        again.situation,
        Situation::Resurrected,
        "made anew under another id"
    );
}

#[tokio::test]
async fn a_read_by_id_that_is_older_than_the_last_write_opens_nothing() {
    let scene = seen_live("").await;
    let finding = scene.findings().await.remove(0);
    let look = |seen_at| Look {
        id: finding.id,
        state: LIVE,
        seen_at,
    };
    let judged = async |look| {
        let mut client = scene.store.client("testing").await.unwrap();
        let tx = client.begin().await.unwrap();
        judge_looks(&tx, &[look], "worker:x").await.unwrap();
        tx.commit().await.unwrap();
        scene.findings().await[0].state
    };
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    let after = Timestamp::now() + SignedDuration::from_secs(5);
    assert_eq!(judged(look(before)).await, FindingState::Suspected);
    scene
        .sql("UPDATE opt_out SET state = 'open', closed_at = NULL; UPDATE job SET state = 'waiting', due_at = now(), settled_at = NULL")
        .await;
    assert_eq!(
        judged(look(after)).await,
        FindingState::Suspected,
        "work is under way"
    );
    scene
        .sql("UPDATE opt_out SET state = 'closed', closed_at = now(); UPDATE job SET state = 'done', due_at = NULL, settled_at = now()")
        .await;
    assert_eq!(judged(look(after)).await, FindingState::Open);
}
