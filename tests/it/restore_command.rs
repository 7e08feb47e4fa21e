//! The way back as an operator goes it, with `sever restore`: told beforehand what stays away, approved by two, proven.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions, Operators};

/// How long a handful of jobs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const LOGIN: &str = "ada@example.com";
const SCOPES: &[&str] = &[
    "opt-outs:read",
    "opt-outs:write",
    "holds:decide",
    "tasks:read",
    "tasks:write",
    "tasks:decide",
];

/// Ada has left: she had two groups, an application, a role, another one over one group only, a factor, tokens and a session.
async fn gone() -> Fleet {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let limited = json!({"type": "USER_ADMIN", "target_groups": ["00gvpn00000000000001"]});
    let people = json!({
        "groups": [{"name": "Staff"}, {"id": "00gvpn00000000000001", "name": "VPN"}],
        "apps": [{"label": "Wiki"}],
        "users": [{
            "login": LOGIN, "first_name": "Ada", "last_name": "Byron", "sessions": 1, "groups": ["Staff", "VPN"],
            "apps": ["Wiki"], "roles": [{"type": "HELP_DESK_ADMIN"}, limited], "factors": [{"type": "push"}], "devices": [{"name": "laptop"}],
            "clients": [{"client_id": "0oaclientmobile00001", "name": "mobile", "tokens": [{"scopes": ["offline_access"]}]}]
        }]
    });
    let accounts = fleet.simulator.seed(&people).await.unwrap();
    let ada = fleet.person("E1", &[&accounts[0]]).await.unwrap();
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    fleet
}

async fn truth(fleet: &Fleet) -> Value {
    let path = format!("/okta/main/state/users/{LOGIN}");
    let truth = fleet.simulator.control("GET", &path, &Value::Null).await;
    truth.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_away_is_said_beforehand_and_what_is_privileged_takes_two() {
    let fleet = gone().await;
    let given = json!({"do": "give_group_role", "group": "VPN", "role": "APP_ADMIN"});
    let mutate = "/okta/main/mutate";
    fleet
        .simulator
        .control("POST", mutate, &given)
        .await
        .unwrap();
    let operators = Operators::start(&fleet, SCOPES).await.unwrap();
    let removal = "SELECT id FROM opt_out WHERE kind = 'opt_out'";
    let removal = fleet.database.sql(removal).await.unwrap();
    let order = ["restore", removal.trim(), "--reason", "left by mistake"];

    let (code, said) = operators.run(0, &order).await.unwrap();
    assert_ne!(code, 0, "without --yes nothing is done");
    let (back, away) = said.split_once("cannot come back:").unwrap();
    for kind in ["account", "group 2", "app_assignment 1", "role 2"] {
        assert!(back.contains(kind), "{kind}: {said}");
    }
    for kind in ["factor 1", "session", "token 1", "device 1"] {
        assert!(away.contains(kind), "{kind}: {said}");
    }
    let kinds = "SELECT string_agg(kind || ' ' || state, ', ') FROM opt_out";
    assert_eq!(
        fleet.database.sql(kinds).await.unwrap().trim(),
        "opt_out closed"
    );

    let opened = operators
        .json(&[&order[..], &["--yes"]].concat())
        .await
        .unwrap();
    let restore = opened["restore"].as_str().unwrap().to_owned();
    let asked =
        "SELECT 1 FROM job WHERE kind = 'restore' AND state = 'waiting' AND state_reason = 'task'";
    fleet.shows(asked, LIMIT).await.unwrap();
    let user = truth(&fleet).await;
    let live = user["live"].to_string();
    assert!(
        live.contains("groups:1") && live.contains("apps:1"),
        "{live}"
    );
    assert!(!live.contains("role"), "before its approval: {live}");

    let tasks = operators.json(&["task", "list"]).await.unwrap();
    let tasks = tasks["items"].as_array().unwrap().clone();
    assert_eq!(
        tasks.len(),
        1,
        "only what can come back is asked for: {tasks:?}"
    );
    let task = tasks[0]["id"].as_str().unwrap();
    let done = ["task", "done", task, "--evidence", "the manager agrees"];
    operators.ok(0, &done).await.unwrap();
    let (own, said) = operators.run(0, &["task", "confirm", task]).await.unwrap();
    assert_ne!(own, 0, "the one who said so does not confirm it: {said}");
    operators.ok(1, &["task", "confirm", task]).await.unwrap();
    operators.ok(0, &["watch", &restore]).await.unwrap();

    let live = truth(&fleet).await["live"].to_string();
    assert!(live.contains("roles:1"), "the approved one: {live}");
    let blocked =
        "SELECT target_kind || ': ' || state_reason FROM step WHERE state = 'blocked' ORDER BY 1";
    let blocked = fleet.database.sql(blocked).await.unwrap();
    for reason in [
        "group: the group carries an administrative role now",
        "role: the role was limited to groups or applications",
        "factor: the person enrols the factor anew",
    ] {
        assert!(blocked.contains(reason), "{reason}: {blocked}");
    }
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
