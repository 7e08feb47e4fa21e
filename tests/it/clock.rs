//! A worker whose clock is an hour wrong does no harm: the database's clock decides, and signs.
//!
//! The worker runs under libfaketime (Debian's package `faketime`), which moves its time of day and leaves the monotonic clock
//! alone, as a machine without a time server is.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{DOUBLE_EVENTS, Fleet, FleetOptions};

/// How long a handful of people may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// Signs assertions, whose instants the simulated organisation compares with its own clock.
const SERVICE_APP: &str = r#"{"client_id": "0oaworker", "kid": "k1",
    "key": "-----BEGIN EC PRIVATE KEY-----\nMDECAQEEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHoAoGCCqGSM49AwEH\n-----END EC PRIVATE KEY-----\n"}"#;

const SCOPES: [&str; 14] = [
    "okta.users.manage",
    "okta.users.read",
    "okta.groups.manage",
    "okta.groups.read",
    "okta.roles.manage",
    "okta.roles.read",
    "okta.apps.manage",
    "okta.apps.read",
    "okta.apiTokens.manage",
    "okta.apiTokens.read",
    "okta.devices.manage",
    "okta.devices.read",
    "okta.idps.manage",
    "okta.idps.read",
];

/// Every column that says when something happened. What lies ahead by its meaning is not among them.
const INSTANTS: &str = "
SELECT table_name || '.' || column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND (column_name LIKE '%\\_at' OR column_name IN ('at', 'failing_since'))
  AND column_name NOT IN ('due_at', 'expires_at', 'next_try_at', 'reset_at', 'retry_at')
  AND table_name IN (SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')";

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is installed: deploy/packages.sh faketime")
}

/// What a worker has that is so far off.
fn off_by(offset: &str) -> [(&'static str, String); 3] {
    [
        ("LD_PRELOAD", library().display().to_string()),
        ("FAKETIME", offset.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// Instants on record that the database's clock cannot have given during this test.
async fn strange_instants(fleet: &Fleet) -> Vec<String> {
    let columns = fleet.database.sql(INSTANTS).await.unwrap();
    let counts: Vec<String> = columns
        .lines()
        .map(|name| {
            let (table, column) = name.split_once('.').unwrap();
            format!(
                "SELECT '{name}', count(*) FROM {table}
                 WHERE {column} NOT BETWEEN now() - interval '20 minutes' AND now() + interval '1 minute' HAVING count(*) > 0"
            )
        })
        .collect();
    assert!(counts.len() > 40, "{columns}");
    let strange = fleet.database.sql(&counts.join(" UNION ALL ")).await;
    strange.unwrap().lines().map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_clock_is_an_hour_wrong_does_no_harm() {
    let mut worker = vec![("OKTA_TOKEN", SERVICE_APP.to_owned())];
    worker.extend(off_by("+3600"));
    let options = FleetOptions {
        worker,
        ..FleetOptions::default()
    };
    let mut fleet = Fleet::start(options).await.unwrap();
    let org =
        json!({"oauth_clients": [{"client_id": "0oaworker", "scopes": SCOPES, "enabled": true}]});
    fleet.simulator.configure(org).await.unwrap();
    let mut accounts = Vec::new();
    for (number, offset) in ["+3600", "-3600"].into_iter().enumerate() {
        if number > 0 {
            assert!(fleet.worker.stop().await.unwrap(), "it did not drain");
            for (name, value) in off_by(offset) {
                fleet.worker.set(name, &value);
            }
            fleet.worker.restart().unwrap();
        }
        let users = json!({"users": [
            {"login": format!("t{number}@example.com"), "first_name": "T", "last_name": "T", "sessions": 1},
            {"login": format!("u{number}@example.com"), "first_name": "U", "last_name": "U", "sessions": 1},
        ]});
        let planted = fleet.simulator.seed(&users).await.unwrap();
        // Refusals that name an instant by the provider's clock, and one that makes a job wait for its retry.
        let refusals = json!({"rules": [
            {"when": {"operation": "suspend_user"}, "then": {"status": 429, "reset_in_s": 2}, "count": 1},
            {"when": {"operation": "deactivate_user"}, "then": {"status": 503}, "count": 1},
        ]});
        let ordered = fleet.simulator.control("POST", "/faults", &refusals).await;
        ordered.unwrap();
        for (at, account) in planted.iter().enumerate() {
            let person = format!("T{number}{at}");
            let leaver = fleet.person(&person, &[account]).await.unwrap();
            fleet.leave(&leaver).await.unwrap();
        }
        accounts.extend(planted);
        let people = accounts.len();
        let done = fleet.jobs_come_to(&["done"], people, LIMIT).await;
        done.unwrap_or_else(|error| panic!("{offset}: {error:?}\n{}", fleet.worker.log().unwrap()));
    }
    for account in &accounts {
        let live = fleet.simulator.live(account).await.unwrap();
        assert_eq!(live, Vec::<Value>::new());
    }
    assert_eq!(strange_instants(&fleet).await, Vec::<String>::new());
    assert_eq!(fleet.database.sql(DOUBLE_EVENTS).await.unwrap(), "");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
