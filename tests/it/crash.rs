//! A process dies at each boundary; the fleet comes to the same end state all the same.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{DOUBLE_EVENTS, Fleet, FleetOptions, until};

/// How long one crash, its recovery and the rest of the work may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// One more person of each kind of access, named by a number.
fn person(number: usize) -> Value {
    let client = format!("0oaclient{number:011}");
    json!({"users": [{
        "login": format!("p{number}@example.com"), "first_name": "P", "last_name": number.to_string(), "sessions": 1,
        "groups": ["Staff"], "apps": ["Wiki"], "roles": [{"type": "APP_ADMIN"}], "factors": [{"type": "push"}],
        "clients": [{"client_id": client, "name": "mobile", "tokens": [{"scopes": ["offline_access"]}], "grants": [{"scope": "offline_access"}]}]
    }]})
}

/// Fast heartbeats, so that a dead worker is noticed within two seconds.
fn options() -> FleetOptions {
    let worker = [
        ("SEVER_WORKER_HEARTBEAT_MS", "200"),
        ("SEVER_WORKER_START_CALL_AGE_MS", "1000"),
        ("SEVER_WORKER_HEARTBEAT_DEAD_MS", "2000"),
        ("SEVER_WORKER_CALL_DEADLINE_MS", "1000"),
    ];
    FleetOptions {
        worker: worker
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec(),
        ..FleetOptions::default()
    }
}

/// The points that intake passes; the worker passes the others.
const OF_INTAKE: &[&str] = &[
    "accept.before_commit",
    "accept.after_commit",
    "relay.after_claim",
    "relay.after_publish",
    "relay.after_confirm",
    "relay.after_put_back",
    "sweep.before_ring",
    "sweep.after_ring",
    "broker_lost.after_note",
    "broker_lost.after_marker",
];

/// The points that the console passes; `tests/chaos` crashes it there.
const OF_CONSOLE: &[&str] = &["plan.", "cancel.", "release.", "restore.", "task."];

/// Brings about what the point is passed for, where an ordinary leaver does not.
async fn lead_to(point: &str, fleet: &Fleet) -> Duration {
    match point {
        "relay.after_put_back" => {
            let unroutable = "INSERT INTO outbox (id, exchange, routing_key, body) VALUES (gen_random_uuid(), 'sever.cmd', 'nowhere', '{}')";
            fleet.database.sql(unroutable).await.unwrap();
        }
        "broker_lost.after_note" | "broker_lost.after_marker" => fleet.lose_marker().await.unwrap(),
        // Its bell is the sweeper's.
        "sweep.after_ring" => return Duration::from_secs(10),
        _ => {}
    }
    Duration::ZERO
}

/// The points that nobody passes without a dead letter; `dead_letters` crashes intake there.
const OF_DEAD_LETTERS: &[&str] = &["janitor.", "replay."];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_boundary_a_process_dies_at_the_end_state_is_the_same() {
    let mut fleet = Fleet::start(options()).await.unwrap();
    fleet
        .simulator
        .seed(&json!({"groups": [{"name": "Staff"}], "apps": [{"label": "Wiki"}]}))
        .await
        .unwrap();
    let mut accounts = Vec::new();
    let points = sever_crash_point::POINTS.iter();
    let elsewhere = [OF_CONSOLE, OF_DEAD_LETTERS].concat();
    let points = points.filter(|point| !elsewhere.iter().any(|of| point.starts_with(of)));
    for (number, point) in points.enumerate() {
        let account = fleet
            .simulator
            .seed(&person(number))
            .await
            .unwrap()
            .remove(0);
        let leaver = fleet
            .person(&format!("E{number}"), &[&account])
            .await
            .unwrap();
        accounts.push(account);
        let of_intake = OF_INTAKE.contains(point);
        let program = if of_intake {
            &mut fleet.intake
        } else {
            &mut fleet.worker
        };
        assert!(
            program.stop().await.unwrap(),
            "before {point}: did not drain"
        );
        program.set("SEVER_CRASH_AT", point);
        let ahead = lead_to(point, &fleet).await;
        let program = if of_intake {
            &mut fleet.intake
        } else {
            &mut fleet.worker
        };
        program.restart().unwrap();
        fleet.leave_at(&leaver, ahead).await.unwrap();
        let program = if of_intake {
            &mut fleet.intake
        } else {
            &mut fleet.worker
        };
        let died = std::cell::RefCell::new(&mut *program);
        until(&format!("the process dies at {point}"), LIMIT, || async {
            Ok(died.borrow_mut().has_ended()?.then_some(()))
        })
        .await
        .unwrap();
        program.set("SEVER_CRASH_AT", "");
        program.restart().unwrap();
        let unroutable = "DELETE FROM outbox WHERE routing_key = 'nowhere'";
        fleet.database.sql(unroutable).await.unwrap();
        fleet
            .jobs_come_to(&["done"], number + 1, LIMIT)
            .await
            .unwrap_or_else(|error| panic!("after a crash at {point}: {error:?}"));
    }
    for account in &accounts {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<Value>::new(),
            "{account}"
        );
    }
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
    assert_eq!(
        fleet.database.sql(DOUBLE_EVENTS).await.unwrap(),
        "",
        "an audit event stands twice"
    );
    let writes = fleet
        .simulator
        .journal()
        .await
        .unwrap()
        .into_iter()
        .filter(|call| call["effect"] == "write");
    for call in writes {
        assert!(
            call["user"]
                .as_str()
                .is_none_or(|user| accounts.iter().any(|account| account == user)),
            "a write for nobody named: {call}"
        );
    }
    let unintended = fleet.database.sql("SELECT count(*) FROM step WHERE state IN ('applied', 'verified') AND NOT EXISTS (SELECT FROM effect WHERE step_id = step.id) AND action <> 'leave'").await.unwrap();
    let gone_by_themselves = fleet.database.sql("SELECT count(*) FROM step JOIN verification ON step_id = step.id WHERE NOT EXISTS (SELECT FROM effect WHERE effect.step_id = step.id) AND action <> 'leave' AND verdict = 'gone'").await.unwrap();
    assert_eq!(
        unintended, gone_by_themselves,
        "a step was applied without an intent and without a read that found it gone"
    );
}
