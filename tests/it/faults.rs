//! The provider misbehaves in every documented way; people still lose exactly their own access.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions};

/// How long one fault and its recovery may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn person(number: usize) -> Value {
    json!({"users": [{
        "login": format!("f{number}@example.com"), "first_name": "F", "last_name": number.to_string(), "sessions": 1,
        "groups": ["Staff"], "apps": ["Wiki"], "roles": [{"type": "APP_ADMIN"}], "factors": [{"type": "push"}]
    }]})
}

/// A short call deadline, so that a hanging call costs a second.
fn options() -> FleetOptions {
    let worker = [
        ("SEVER_WORKER_CALL_DEADLINE_MS", "1000"),
        ("SEVER_WORKER_HEARTBEAT_MS", "200"),
        ("SEVER_WORKER_START_CALL_AGE_MS", "500"),
        ("SEVER_WORKER_HEARTBEAT_DEAD_MS", "2000"),
    ];
    FleetOptions {
        worker: worker
            .map(|(name, value)| (name, value.to_owned()))
            .to_vec(),
        ..FleetOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_the_provider_changes_the_end_state() {
    let fleet = Fleet::start(options()).await.unwrap();
    fleet
        .simulator
        .seed(&json!({"groups": [{"name": "Staff"}], "apps": [{"label": "Wiki"}]}))
        .await
        .unwrap();
    let faults = [
        json!({"when": {"write": true}, "then": {"answer_lost": true}, "count": 2}),
        json!({"when": {"write": true}, "then": {"reset": true}, "count": 2}),
        json!({"when": {}, "then": {"status": 500}, "count": 3}),
        json!({"when": {}, "then": {"status": 503}, "count": 3}),
        json!({"when": {"write": true}, "then": {"status": 429, "reset_in_s": 1}, "count": 1}),
        json!({"when": {"operation": "deactivate_user"}, "then": {"hang_ms": 3000}, "count": 1}),
        json!({"when": {"operation": "deactivate_user"}, "then": {"status": 500, "after_effect": true}, "count": 1}),
    ];
    let mut accounts = Vec::new();
    for (number, fault) in faults.iter().enumerate() {
        let account = fleet
            .simulator
            .seed(&person(number))
            .await
            .unwrap()
            .remove(0);
        let leaver = fleet
            .person(&format!("F{number}"), &[&account])
            .await
            .unwrap();
        accounts.push(account);
        fleet.simulator.fault(fault).await.unwrap();
        fleet.leave(&leaver).await.unwrap();
        fleet
            .jobs_come_to(&["done"], number + 1, LIMIT)
            .await
            .unwrap_or_else(|error| panic!("under {fault}: {error:?}"));
        fleet.simulator.no_faults().await.unwrap();
    }
    for (account, fault) in accounts.iter().zip(&faults) {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<Value>::new(),
            "under {fault}"
        );
    }
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// A wrong credential parks the connection once; the right one brings its jobs back without anybody's help.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_park_the_connection_until_they_are_right() {
    let wrong = FleetOptions {
        worker: vec![("OKTA_TOKEN", "wrong".to_owned())],
        ..options()
    };
    let mut fleet = Fleet::start(wrong).await.unwrap();
    fleet
        .simulator
        .seed(&json!({"groups": [{"name": "Staff"}], "apps": [{"label": "Wiki"}]}))
        .await
        .unwrap();
    let account = fleet.simulator.seed(&person(0)).await.unwrap().remove(0);
    let leaver = fleet.person("C0", &[&account]).await.unwrap();

    fleet.leave(&leaver).await.unwrap();
    fleet.jobs_come_to(&["parked"], 1, LIMIT).await.unwrap();
    assert_eq!(
        fleet
            .database
            .sql("SELECT state FROM connection")
            .await
            .unwrap(),
        "parked"
    );
    assert!(
        !fleet.worker.log().unwrap().contains("wrong\""),
        "the credential was logged"
    );

    assert!(fleet.worker.stop().await.unwrap());
    fleet.worker.set("OKTA_TOKEN", sever_tests::OKTA_TOKEN);
    fleet.worker.restart().unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    assert_eq!(
        fleet.simulator.live(&account).await.unwrap(),
        Vec::<Value>::new()
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// SIGTERM in the middle of the work gives the job back without an attempt, and the next process ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_worker_gives_its_job_back() {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    fleet
        .simulator
        .seed(&json!({"groups": [{"name": "Staff"}], "apps": [{"label": "Wiki"}]}))
        .await
        .unwrap();
    let account = fleet.simulator.seed(&person(0)).await.unwrap().remove(0);
    let leaver = fleet.person("D0", &[&account]).await.unwrap();
    fleet
        .simulator
        .fault(&json!({"when": {}, "then": {"latency_ms": 400}}))
        .await
        .unwrap();

    fleet.leave(&leaver).await.unwrap();
    fleet.jobs_come_to(&["running"], 1, LIMIT).await.unwrap();
    assert!(
        fleet.worker.stop().await.unwrap(),
        "the worker did not end well"
    );
    assert_eq!(
        fleet
            .database
            .sql("SELECT state, lease_token IS NULL FROM job")
            .await
            .unwrap(),
        "waiting|t"
    );

    fleet.simulator.no_faults().await.unwrap();
    fleet.worker.restart().unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    assert_eq!(
        fleet.simulator.live(&account).await.unwrap(),
        Vec::<Value>::new()
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
