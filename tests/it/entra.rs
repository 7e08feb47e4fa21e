//! Entra ID's part of an opt-out: what a deletion would hide is ended before it.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions, Leaver, Operators, Program, until};

/// How long one opt-out may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);
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

/// An Entra tenant with Ada in a group, joined to the fleet, and Ada as a person who is known there and in Okta.
async fn with_ada(fleet: &mut Fleet) -> (Program, Leaver) {
    let app = json!({ "client_id": CLIENT, "secret": "s", "name": "worker" });
    let settings = json!({ "apps": [app], "audit_lag_ms": 3000 });
    let simulator = &fleet.simulator;
    let tenant = simulator.control("PUT", "/entra/main", &settings).await;
    let document = json!({ "groups": [{ "id": "g-vpn", "name": "VPN" }], "users": [{ "id": "ada", "login": "ada@example.com", "groups": ["VPN"] }] });
    let seeded = simulator
        .control("POST", "/entra/main/seed", &document)
        .await;
    seeded.unwrap();
    let credential = json!({
        "tenant_id": tenant.unwrap()["tenant_id"], "client_id": CLIENT, "client_secret": "s", "azure": false,
        "agreeing_reads": 1, "agreeing_pause_ms": 1,
    });
    let (worker, connection) = fleet.join("entra", &credential.to_string()).await.unwrap();
    let okta = json!({ "users": [{ "login": "ada@example.com" }] });
    let account = fleet.simulator.seed(&okta).await.unwrap().remove(0);
    let leaver = fleet.person("E1", &[&account]).await.unwrap();
    fleet.bind(&leaver, connection, "ada").await.unwrap();
    (worker, leaver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_that_returns_is_found_with_who_gave_it_and_ended_again() {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let (worker, ada) = with_ada(&mut fleet).await;
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 2, LIMIT).await.unwrap();
    fleet.database.sql("UPDATE person SET employment_state = 'left' WHERE id IN (SELECT subject_id FROM opt_out)").await.unwrap();
    let admin = json!({ "id": "u-admin", "type": "User", "name": "an administrator" });
    let rule = json!({ "type": "System", "name": "Microsoft Approval Management" });
    for (mut change, by) in [
        (json!({ "do": "restore", "user": "ada" }), &admin),
        (
            json!({ "do": "set_enabled", "user": "ada", "enabled": true }),
            &admin,
        ),
        (
            json!({ "do": "add_to_group", "user": "ada", "group": "VPN" }),
            &rule,
        ),
    ] {
        change["by"] = by.clone();
        let path = "/entra/main/mutate";
        let changed = fleet.simulator.control("POST", path, &change).await;
        changed.unwrap();
    }
    let reconciler = fleet.reconcile().unwrap();
    let why = || format!("{}\n{}", reconciler.log().unwrap(), worker.log().unwrap());
    let repaired = "SELECT id FROM finding WHERE situation = 'resurrected' AND state = 'repaired' AND provider_id = 'ada'";
    let repaired = fleet.shows(repaired, LIMIT).await;
    repaired.unwrap_or_else(|error| panic!("{error:#}\n{}", why()));
    let who = "SELECT entry ->> 'event', entry ->> 'actor_kind', entry ->> 'actor', entry ->> 'given'
        FROM finding, jsonb_array_elements(provenance -> 'entries') WITH ORDINALITY AS told (entry, place) WHERE provider_id = 'ada' ORDER BY place";
    let who = fleet.shows(who, LIMIT).await;
    assert_eq!(
        who.unwrap_or_else(|error| panic!("{error:#}\n{}", why())),
        "Add member to group|System|Core Directory|Group:g-vpn\nEnable account|User|u-admin|\nRestore user|User|u-admin|",
    );
    let path = "/entra/main/state/users/ada";
    let truth = fleet.simulator.control("GET", path, &Value::Null).await;
    assert_eq!(truth.unwrap()["live"], json!([]), "and she is out again");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// A leaver's account is enabled again: the delta names it, an incremental inventory reads it, finds the access and shows it, and it is
/// taken away again. Nobody else is read by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_that_returns_is_found_by_what_changed_and_taken_away_again() {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let app = json!({ "client_id": CLIENT, "secret": "s", "name": "worker" });
    let tenant = control(&fleet, "/entra/main", "PUT", json!({ "apps": [app] })).await;
    let users: Vec<Value> = ["ada", "bob", "cyd"]
        .iter()
        .map(
            |name| json!({ "id": name, "login": format!("{name}@example.com"), "groups": ["One"] }),
        )
        .collect();
    let document = json!({ "groups": [{ "name": "One" }], "users": users });
    control(&fleet, "/entra/main/seed", "POST", document).await;
    let credential = json!({
        "tenant_id": tenant["tenant_id"], "client_id": CLIENT, "client_secret": "s", "azure": false,
        "agreeing_reads": 1, "agreeing_pause_ms": 1,
    });
    let (worker, connection) = fleet.join("entra", &credential.to_string()).await.unwrap();
    let leaver = fleet.person("E1", &[]).await.unwrap();
    fleet.bind(&leaver, connection, "ada").await.unwrap();
    let sql = async |statements: &str| {
        fleet
            .database
            .sql(statements)
            .await
            .unwrap()
            .trim()
            .to_owned()
    };
    // Of a person who is only suspended the account stays, and can be switched on again.
    sql(&format!(
        "UPDATE person SET employment_state = 'left' WHERE id = '{}';
         INSERT INTO situation_policy (connection_id, situation, action) VALUES ('{connection}', 'residual', 'report');
         UPDATE binding SET state = 'confirmed', confirmed_at = now() WHERE provider_id = 'ada'",
        leaver.subject
    ))
    .await;
    let disable = |enabled: bool| json!({ "do": "set_enabled", "user": "ada", "enabled": enabled });
    control(&fleet, "/entra/main/mutate", "POST", disable(false)).await;
    let _reconciler = fleet.reconcile().unwrap();
    let first = format!(
        "SELECT kind || ' ' || (mark IS NOT NULL) FROM inventory_run WHERE connection_id = '{connection}' AND state = 'promoted'"
    );
    let first = fleet.shows(&first, LIMIT).await;
    let first = first.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    assert_eq!(first.trim(), "full true");
    let about = format!(
        "SELECT situation || ' ' || state FROM finding WHERE connection_id = '{connection}' AND provider_id = 'ada' AND closed_at IS NULL"
    );
    assert_eq!(
        sql(&about).await,
        "orphan_entitlement open",
        "the account is disabled, and in a group"
    );
    let age = format!(
        "SELECT extract(epoch FROM seen_at) FROM observed_account JOIN connection_inventory USING (run_no) WHERE connection_id = '{connection}' AND provider_id = "
    );
    let bob = sql(&format!("{age}'bob'")).await;

    sql(&format!(
        "UPDATE situation_policy SET action = 'repair' WHERE connection_id = '{connection}'"
    ))
    .await;
    control(&fleet, "/entra/main/mutate", "POST", disable(true)).await;
    sql(&format!("INSERT INTO inventory_run (id, connection_id, kind, state, asked_by) VALUES (gen_random_uuid(), '{connection}', 'incremental', 'waiting', 'token:test')")).await;
    let found = format!(
        "SELECT situation FROM finding WHERE connection_id = '{connection}' AND provider_id = 'ada' AND situation = 'residual'"
    );
    let found = fleet.shows(&found, LIMIT).await;
    found.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    let run = format!(
        "SELECT kind, state, state_reason, accounts FROM inventory_run WHERE connection_id = '{connection}' ORDER BY no DESC LIMIT 1"
    );
    assert_eq!(
        sql(&run).await,
        "incremental|superseded|merged|1",
        "one account was read"
    );
    let repaired = format!(
        "SELECT state FROM finding WHERE connection_id = '{connection}' AND provider_id = 'ada' AND situation = 'residual' AND state = 'repaired'"
    );
    let repaired = fleet.shows(&repaired, LIMIT).await;
    repaired.unwrap_or_else(|error| panic!("{error:#}\n{}", worker.log().unwrap()));
    assert_eq!(
        sql(&format!("{age}'bob'")).await,
        bob,
        "nobody else was looked at"
    );

    let operators = Operators::start(&fleet, &["drift:read", "people:read"])
        .await
        .unwrap();
    let access = operators
        .ok(0, &["access", &leaver.subject.to_string()])
        .await
        .unwrap();
    let shows = |words: &[&str]| {
        access
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(
        shows(&["entra", "ada", "account, live"]),
        "as the incremental inventory saw it: {access}"
    );
    assert!(
        shows(&["entra", "ada", "factor", "none"]),
        "read with it: {access}"
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

async fn control(fleet: &Fleet, path: &str, method: &str, body: Value) -> Value {
    fleet.simulator.control(method, path, &body).await.unwrap()
}
