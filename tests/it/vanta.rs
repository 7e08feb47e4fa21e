//! Vanta's part of an opt-out: after the others, one job at a time, and what no API does is asked of people.

use std::time::Duration;

use serde_json::{Value, json};
use sever_store::task_decision::{self, Evidence};
use sever_tests::{Fleet, FleetOptions, Program};

/// How long a handful of opt-outs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const BOSS: &str = "0000000000000000000000b0";

/// A fleet with a Vanta worker, and leavers whose Vanta record follows their Okta account.
async fn fleet(leavers: usize, tasks: &Value) -> (Fleet, Program) {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let application = json!({ "client_id": "vci_1", "client_secret": "vcs_1", "name": "worker" });
    let settings = json!({ "applications": [application] });
    let simulator = &fleet.simulator;
    simulator
        .control("PUT", "/vanta/main", &settings)
        .await
        .unwrap();
    let email = |n: usize| format!("leaver{n}@example.com");
    let users = (0..leavers).map(|n| json!({ "login": email(n), "sessions": 1 }));
    let users: Vec<Value> = users.collect();
    let accounts = simulator.seed(&json!({ "users": users })).await.unwrap();
    let mut people =
        vec![json!({ "id": BOSS, "email": "boss@example.com", "user": { "admin": true } })];
    people.extend((0..leavers).map(|n| {
        let follows = json!({ "provider": "okta", "org": "main", "user": email(n) });
        json!({
            "id": format!("{n:024}"), "email": email(n), "source": "okta", "user": {}, "tasks": tasks,
            "follows": follows, "accounts": [{ "system": "Okta", "follows": follows }],
        })
    }));
    let document = json!({ "people": people });
    simulator
        .control("POST", "/vanta/main/seed", &document)
        .await
        .unwrap();
    let credential =
        json!({ "client_id": "vci_1", "client_secret": "vcs_1", "acknowledger": BOSS });
    let (worker, connection) = fleet.join("vanta", &credential.to_string()).await.unwrap();
    for (n, account) in accounts.iter().enumerate() {
        let leaver = fleet.person(&format!("E{n}"), &[account]).await.unwrap();
        fleet
            .bind(&leaver, connection, &format!("{n:024}"))
            .await
            .unwrap();
        fleet.leave(&leaver).await.unwrap();
    }
    (fleet, worker)
}

async fn live(fleet: &Fleet, n: usize) -> Value {
    let path = format!("/vanta/main/state/people/{n:024}");
    fleet
        .simulator
        .control("GET", &path, &Value::Null)
        .await
        .unwrap()["live"]
        .clone()
}

/// One person says that the open tasks with this target are done, and another one confirms it; says how many.
async fn attest(fleet: &Fleet, key: &str) -> usize {
    let open = format!(
        "SELECT step.id FROM step JOIN task ON task.step_id = step.id WHERE step.state = 'asked' AND target_key = '{key}'"
    );
    let ids = fleet.database.sql(&open).await.unwrap();
    let store = fleet.database.store().unwrap();
    let mut client = store.client("doing tasks").await.unwrap();
    for id in ids.lines() {
        let tx = client.begin().await.unwrap();
        let evidence = Evidence {
            text: Some("looked: there was none"),
            ..Evidence::default()
        };
        task_decision::done(&tx, id.parse().unwrap(), "token:one", evidence)
            .await
            .unwrap();
        task_decision::confirm(&tx, id.parse().unwrap(), "token:two")
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    ids.lines().count()
}

const ASKED: &str =
    "SELECT id FROM job WHERE provider = 'vanta' AND state = 'waiting' AND state_reason = 'task'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_offboarding_comes_last_and_a_task_keeps_the_opt_out_open_until_it_is_attested() {
    let (fleet, worker) = fleet(1, &json!([])).await;
    let waits = fleet.shows(ASKED, LIMIT).await;
    waits.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    assert_eq!(
        live(&fleet, 0).await,
        json!([]),
        "all that a call can do is done"
    );
    let journal = fleet.simulator.journal().await.unwrap();
    let at = |operation: &str| {
        let call = journal.iter().find(|call| call["operation"] == operation);
        call.unwrap_or_else(|| panic!("{operation}"))["seq"]
            .as_u64()
            .unwrap()
    };
    assert!(
        at("deactivate_user") < at("offboard_people"),
        "not before Okta's job"
    );
    assert!(
        journal
            .iter()
            .all(|call| call["provider"] != "vanta" || call["status"] != 429)
    );
    let tokens = journal
        .iter()
        .filter(|call| call["operation"] == "issue_token");
    assert_eq!(tokens.count(), 1, "one token in memory");
    assert_eq!(attest(&fleet, "api_applications").await, 1);
    fleet.jobs_come_to(&["done"], 2, LIMIT).await.unwrap();
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_custom_task_that_a_read_shows_done_lets_the_offboarding_go() {
    let (fleet, worker) = fleet(1, &json!(["Return the badge"])).await;
    let waits = fleet.shows(ASKED, LIMIT).await;
    waits.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    assert_eq!(
        live(&fleet, 0).await,
        json!(["person:1"]),
        "only the record is left"
    );
    let done = json!({ "do": "complete_task", "person": format!("{:024}", 0) });
    fleet
        .simulator
        .control("POST", "/vanta/main/mutate", &done)
        .await
        .unwrap();
    // Nobody says so: the next look does. The word about API applications rings the job.
    assert_eq!(attest(&fleet, "api_applications").await, 1);
    fleet.jobs_come_to(&["done"], 2, LIMIT).await.unwrap();
    assert_eq!(live(&fleet, 0).await, json!([]));
    let read = "SELECT state FROM step WHERE target_key LIKE 'task:%' ORDER BY revision LIMIT 1";
    assert_eq!(fleet.database.sql(read).await.unwrap().trim(), "verified");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_leavers_go_through_one_lane_with_one_token() {
    let (fleet, worker) = fleet(4, &json!([])).await;
    let all = "SELECT 1 FROM job WHERE provider = 'vanta' AND state = 'waiting' AND state_reason = 'task' HAVING count(*) = 4";
    let waits = fleet.shows(all, LIMIT).await;
    waits.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    for n in 0..4 {
        assert_eq!(live(&fleet, n).await, json!([]), "{n}");
    }
    let journal = fleet.simulator.journal().await.unwrap();
    let tokens = journal
        .iter()
        .filter(|call| call["operation"] == "issue_token");
    assert_eq!(tokens.count(), 1);
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
