//! A storm of 429s at one connection slows neither another one of the same worker nor another provider.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sever_domain::ConnectionId;
use sever_tests::{Fleet, FleetOptions, Leaver, OKTA_TOKEN, Program};

/// How long a crowd may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// People of one crowd; each has an account at every connection.
const CROWD: usize = 16;
const SCIM_TOKEN: &str = "secret-of-the-scim-worker";

/// A second Okta organisation for the same worker, and a SCIM application with its own.
struct Elsewhere {
    okta: ConnectionId,
    scim: ConnectionId,
    _worker: Program,
}

impl Elsewhere {
    async fn make(fleet: &mut Fleet) -> Self {
        let tokens = json!({"ssws_tokens": [{"token": OKTA_TOKEN, "name": "worker"}]});
        put(fleet, "/okta/other", &tokens).await;
        let tokens = json!({"tokens": [{"token": SCIM_TOKEN, "name": "worker"}]});
        put(fleet, "/scim/main", &tokens).await;
        let okta = ConnectionId::generate();
        let base_url = fleet.simulator.base_url_of("okta", "other");
        let sql = format!(
            "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             VALUES ('{okta}', 'okta', 'other', '{base_url}', 'env:OKTA_TOKEN', 1, 0, 32, 64);"
        );
        fleet.database.sql(&sql).await.unwrap();
        let (worker, scim) = fleet.join("scim", SCIM_TOKEN).await.unwrap();
        Self {
            okta,
            scim,
            _worker: worker,
        }
    }
}

async fn put(fleet: &Fleet, path: &str, settings: &Value) {
    let put = fleet.simulator.control("PUT", path, settings);
    put.await.unwrap();
}

async fn seed(fleet: &Fleet, place: &str, name: &str) -> Vec<String> {
    let user = |number| {
        let login = format!("{name}{number}@example.com");
        match place {
            "scim/main" => json!({"login": login, "external_id": format!("{name}{number}")}),
            _ => json!({"login": login, "first_name": "S", "last_name": "S", "sessions": 1}),
        }
    };
    let users: Vec<Value> = (0..CROWD).map(user).collect();
    let path = format!("/{place}/seed");
    let order = json!({"users": users});
    let planted = fleet.simulator.control("POST", &path, &order).await;
    let planted = planted.unwrap();
    let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
    planted["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(id)
        .collect()
}

/// A crowd that leaves at once. Returns how long it takes until everybody is done everywhere but at the first connection.
async fn leave(fleet: &Fleet, elsewhere: &Elsewhere, name: &str) -> Duration {
    let main = seed(fleet, "okta/main", name).await;
    let other = seed(fleet, "okta/other", name).await;
    let scim = seed(fleet, "scim/main", name).await;
    let mut crowd: Vec<Leaver> = Vec::new();
    for (number, account) in main.iter().enumerate() {
        let person = format!("{name}{number}");
        let leaver = fleet.person(&person, &[account]).await.unwrap();
        for (connection, account) in [
            (elsewhere.okta, &other[number]),
            (elsewhere.scim, &scim[number]),
        ] {
            fleet.bind(&leaver, connection, account).await.unwrap();
        }
        crowd.push(leaver);
    }
    let left = Instant::now();
    for leaver in &crowd {
        fleet.leave(leaver).await.unwrap();
    }
    let subjects: Vec<String> = crowd
        .iter()
        .map(|leaver| format!("'{}'", leaver.subject))
        .collect();
    let done = format!(
        "SELECT 1 FROM job JOIN connection ON connection.id = connection_id
         WHERE subject_id IN ({}) AND connection.name <> 'main' AND job.state = 'done' HAVING count(*) = {}",
        subjects.join(","),
        2 * CROWD
    );
    fleet.shows(&done, LIMIT).await.unwrap();
    left.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_429s_at_one_connection_slows_no_other() {
    let worker = [
        ("SEVER_GUARD_MASS_COUNT", "100000"),
        ("SEVER_GUARD_MASS_MINIMUM", "100000"),
    ];
    let options = FleetOptions {
        worker: worker.map(|(name, value)| (name, value.to_owned())).into(),
        ..FleetOptions::default()
    };
    let mut fleet = Fleet::start(options).await.unwrap();
    let elsewhere = Elsewhere::make(&mut fleet).await;
    let calm = leave(&fleet, &elsewhere, "calm").await;
    fleet
        .jobs_come_to(&["done"], 3 * CROWD, LIMIT)
        .await
        .unwrap();

    let storm = json!({"when": {"provider": "okta", "org": "main"}, "then": {"status": 429, "reset_in_s": 1}});
    fleet.simulator.fault(&storm).await.unwrap();
    let stormy = leave(&fleet, &elsewhere, "storm").await;
    // The same work, while the first connection can do none of its own.
    assert!(
        stormy < calm * 2 + Duration::from_secs(3),
        "{stormy:?} in the storm, {calm:?} before it"
    );
    let waits =
        "SELECT count(*), max(attempt) FROM job JOIN connection ON connection.id = connection_id
                 WHERE connection.name = 'main' AND job.state IN ('waiting', 'running')";
    let waits = fleet.database.sql(waits).await.unwrap();
    let (waiting, attempts) = waits.trim().split_once('|').unwrap();
    assert_eq!(waiting, CROWD.to_string(), "nobody is given up");
    assert!(
        attempts.parse::<u32>().unwrap() <= 1,
        "waiting spends no attempt: {attempts}"
    );

    fleet.simulator.no_faults().await.unwrap();
    fleet
        .jobs_come_to(&["done"], 6 * CROWD, LIMIT)
        .await
        .unwrap();
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
