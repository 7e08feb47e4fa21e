//! Entra ID's part of an opt-out: what a deletion would hide is ended before it.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions, until};

/// How long one opt-out may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const CLIENT: &str = "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_that_comes_before_the_deletion_is_ended_before_it() {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let order = |method: &'static str, path: &'static str, body: Value| {
        let simulator = &fleet.simulator;
        async move { simulator.control(method, path, &body).await.unwrap() }
    };
    let app = json!({ "client_id": CLIENT, "secret": "s", "name": "worker" });
    let tenant = order("PUT", "/entra/main", json!({ "apps": [app] })).await;
    let document = json!({
        "groups": [{ "name": "One" }, { "name": "Late" }],
        "users": [{ "id": "ada", "login": "ada@example.com", "groups": ["One"] }],
    });
    order("POST", "/entra/main/seed", document).await;
    let refusal = json!({ "status": 429, "headers": [["retry-after", "1"]] });
    let rule = json!({ "when": { "operation": "delete_user" }, "then": refusal });
    order("POST", "/faults", rule).await;
    let credential = json!({
        "tenant_id": tenant["tenant_id"], "client_id": CLIENT, "client_secret": "s", "azure": false,
        "agreeing_reads": 1, "agreeing_pause_ms": 1,
    });
    let (worker, connection) = fleet.join("entra", &credential.to_string()).await.unwrap();
    let okta = json!({ "users": [{ "login": "ada@example.com" }] });
    let account = fleet.simulator.seed(&okta).await.unwrap().remove(0);
    let leaver = fleet.person("E1", &[&account]).await.unwrap();
    fleet.bind(&leaver, connection, "ada").await.unwrap();
    fleet.leave(&leaver).await.unwrap();
    let simulator = &fleet.simulator;
    let tried = until("the deletion was tried", LIMIT, || async {
        let journal = simulator.journal().await?;
        let mut calls = journal.iter();
        Ok(calls
            .any(|call| call["operation"] == "delete_user")
            .then_some(()))
    });
    tried
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    let late = json!({ "do": "add_to_group", "user": "ada", "group": "Late" });
    simulator
        .control("POST", "/entra/main/mutate", &late)
        .await
        .unwrap();
    simulator.no_faults().await.unwrap();
    fleet.jobs_come_to(&["done"], 2, LIMIT).await.unwrap();
    let path = "/entra/main/state/users/ada";
    let truth = simulator.control("GET", path, &Value::Null).await.unwrap();
    assert_eq!(
        (&truth["exists"], &truth["left_behind"]["groups"]),
        (&json!(false), &json!([])),
        "{truth}"
    );
    let removed = "SELECT count(*) FROM step WHERE action = 'remove_from_group' AND state = 'verified' AND revision > 0";
    assert_eq!(fleet.database.sql(removed).await.unwrap().trim(), "2");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
