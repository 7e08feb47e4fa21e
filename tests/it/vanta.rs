//! Vanta's part of an opt-out: after the others, one job at a time, and what no API does is asked of people.

use std::time::Duration;

use serde_json::{Value, json};
use sever_store::task_decision::{self, Evidence};
use sever_tests::{Fleet, FleetOptions, Leaver, Program};

/// How long a handful of opt-outs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const BOSS: &str = "0000000000000000000000b0";

/// A fleet with a Vanta worker, and leavers whose Vanta record follows their Okta account. They leave.
async fn fleet(leavers: usize, tasks: &Value) -> (Fleet, Program) {
    let (fleet, worker, people) = before_they_leave(leavers, tasks).await;
    for leaver in &people {
        fleet.leave(leaver).await.unwrap();
    }
    (fleet, worker)
}

/// The same, before they do.
async fn before_they_leave(leavers: usize, tasks: &Value) -> (Fleet, Program, Vec<Leaver>) {
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
    let mut known = Vec::new();
    for (n, account) in accounts.iter().enumerate() {
        let leaver = fleet.person(&format!("E{n}"), &[account]).await.unwrap();
        fleet
            .bind(&leaver, connection, &format!("{n:024}"))
            .await
            .unwrap();
        known.push(leaver);
    }
    (fleet, worker, known)
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_ends_at_once_and_only_the_offboarding_waits_without_a_slot() {
    let (fleet, worker, people) = before_they_leave(1, &json!([])).await;
    let busy = json!({
        "when": { "provider": "okta", "write": true }, "then": { "status": 429, "reset_in_s": 1 },
    });
    fleet.simulator.fault(&busy).await.unwrap();
    fleet.leave(&people[0]).await.unwrap();
    let waits = "SELECT id FROM job WHERE provider = 'vanta' AND state = 'waiting' AND state_reason = 'needs' AND lease_until IS NULL";
    let shown = fleet.shows(waits, LIMIT).await;
    shown.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    assert_eq!(
        live(&fleet, 0).await,
        json!(["person:1", "accounts:1"]),
        "no login, and the account at Okta is still there"
    );
    let calls = |journal: &[Value], operation: &str| {
        let same = |call: &&Value| call["operation"] == operation;
        journal.iter().filter(same).count()
    };
    let journal = fleet.simulator.journal().await.unwrap();
    assert_eq!(calls(&journal, "deactivate_users"), 1);
    assert_eq!(calls(&journal, "offboard_people"), 0);
    fleet.simulator.no_faults().await.unwrap();
    fleet.shows(ASKED, LIMIT).await.unwrap();
    assert_eq!(live(&fleet, 0).await, json!([]));
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_replica_leaves_the_firsts_token_alone_and_takes_over_when_it_ends() {
    let (fleet, mut first, people) = before_they_leave(6, &json!([])).await;
    let second = fleet.replica("sever-worker-vanta", &first).await.unwrap();
    for leaver in &people[..5] {
        fleet.leave(leaver).await.unwrap();
    }
    let asked = |count: usize| {
        format!(
            "SELECT 1 FROM job WHERE provider = 'vanta' AND state = 'waiting' AND state_reason = 'task' HAVING count(*) = {count}"
        )
    };
    let waits = fleet.shows(&asked(5), LIMIT).await;
    waits.unwrap_or_else(|error| {
        panic!(
            "{error:#}\n{}\n{}",
            first.log().unwrap(),
            second.log().unwrap()
        )
    });
    assert_eq!(tokens(&fleet).await, 1, "one token for both processes");
    // Whichever of them had the lane: the other goes on where it ended.
    assert!(first.stop().await.unwrap());
    fleet.leave(&people[5]).await.unwrap();
    let waits = fleet.shows(&asked(6), LIMIT).await;
    waits.unwrap_or_else(|error| panic!("{error:#}\n{}", second.log().unwrap()));
    assert!(tokens(&fleet).await <= 2);
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// How many tokens Vanta gave out, none of which was displaced while somebody used it.
async fn tokens(fleet: &Fleet) -> usize {
    let journal = fleet.simulator.journal().await.unwrap();
    let vanta = journal.iter().filter(|call| call["provider"] == "vanta");
    let vanta: Vec<&Value> = vanta.collect();
    let displaced = vanta.iter().find(|call| call["status"] == 401);
    assert_eq!(displaced, None);
    let tokens = vanta
        .iter()
        .filter(|call| call["operation"] == "issue_token");
    tokens.count()
}
