//! Guards, identity and time: what is stopped, what goes on meanwhile, and what starts when.

use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions};

/// How long a handful of opt-outs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn people(prefix: &str, count: usize) -> Value {
    let users: Vec<Value> = (0..count)
        .map(|number| json!({"login": format!("{prefix}{number}@example.com"), "first_name": "G", "last_name": number.to_string(), "sessions": 2, "factors": [{"type": "push"}]}))
        .collect();
    json!({"users": users})
}

/// Two fit into the window, whatever the race; the others are held, with their sessions cut and nothing
/// else, until somebody other than the source lets them go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mass_guard_stops_the_third_and_cuts_its_sessions() {
    let worker = vec![
        ("SEVER_GUARD_MASS_COUNT", "2".to_owned()),
        ("SEVER_GUARD_MASS_MINIMUM", "2".to_owned()),
    ];
    let fleet = Fleet::start(FleetOptions {
        worker,
        ..FleetOptions::default()
    })
    .await
    .unwrap();
    let accounts = fleet.simulator.seed(&people("g", 5)).await.unwrap();
    for (number, account) in accounts.iter().enumerate() {
        let leaver = fleet
            .person(&format!("G{number}"), &[account])
            .await
            .unwrap();
        fleet.leave(&leaver).await.unwrap();
    }
    fleet
        .jobs_come_to(&["done", "held"], 5, LIMIT)
        .await
        .unwrap();
    assert_eq!(
        fleet
            .database
            .sql("SELECT state, count(*) FROM job GROUP BY state ORDER BY state")
            .await
            .unwrap(),
        "done|2\nheld|3"
    );

    let mut suspended = 0;
    for account in &accounts {
        let truth = fleet
            .simulator
            .control(
                "GET",
                &format!("/okta/main/state/users/{account}"),
                &Value::Null,
            )
            .await
            .unwrap();
        let status = truth["status"].as_str().unwrap_or_default().to_owned();
        suspended += usize::from(status != "ACTIVE");
        assert_eq!(
            truth["sessions"],
            json!(0),
            "{account} kept its sessions: {truth}"
        );
    }
    assert_eq!(suspended, 2, "the mass guard let somebody be contained");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());

    fleet.release_all("token:alice").await.unwrap();
    fleet.jobs_come_to(&["done"], 5, LIMIT).await.unwrap();
    for account in &accounts {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<Value>::new()
        );
    }
}

/// A protected account is not touched at all, and a doubtful one neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protected_and_ambiguous_people_get_no_write() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let accounts = fleet.simulator.seed(&people("h", 2)).await.unwrap();
    let protected = fleet.person("H0", &[&accounts[0]]).await.unwrap();
    let doubtful = fleet.person("H1", &[]).await.unwrap();
    let set = format!(
        "INSERT INTO protected_principal (id, subject_id, kind, owner, reason) VALUES (gen_random_uuid(), '{}', 'break_glass', 'security', 'last resort');
         UPDATE person SET emails = '{{h1@example.com}}' WHERE id = '{}'",
        protected.subject, doubtful.subject
    );
    fleet.database.sql(&set).await.unwrap();
    fleet.leave(&protected).await.unwrap();
    fleet.leave(&doubtful).await.unwrap();
    fleet.jobs_come_to(&["held"], 2, LIMIT).await.unwrap();
    assert_eq!(
        fleet
            .database
            .sql("SELECT reason FROM hold ORDER BY reason")
            .await
            .unwrap(),
        "ambiguous_identity\nprotected"
    );
    let writes = fleet
        .simulator
        .journal()
        .await
        .unwrap()
        .into_iter()
        .filter(|call| call["effect"] == "write")
        .count();
    assert_eq!(writes, 0);
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// A leaver without a listed id is found by login and name; one already gone is proven gone; one dated
/// ahead starts on time and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_by_two_attributes_or_proven_absent_and_start_on_time() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let accounts = fleet.simulator.seed(&people("i", 2)).await.unwrap();
    let by_login = fleet.person("I0", &[]).await.unwrap();
    let gone = fleet.person("I1", &["00udeleted0000000001"]).await.unwrap();
    let ahead = fleet.person("I2", &[&accounts[1]]).await.unwrap();
    let set = format!(
        "UPDATE person SET emails = '{{i0@example.com}}', given_name = 'G', family_name = '0' WHERE id = '{}'",
        by_login.subject
    );
    fleet.database.sql(&set).await.unwrap();
    fleet.leave(&by_login).await.unwrap();
    fleet.leave(&gone).await.unwrap();
    let at = fleet
        .leave_at(&ahead, Duration::from_secs(3))
        .await
        .unwrap();
    fleet.jobs_come_to(&["done"], 3, LIMIT).await.unwrap();

    assert_eq!(
        fleet.simulator.live(&accounts[0]).await.unwrap(),
        Vec::<Value>::new()
    );
    assert_eq!(
        fleet.simulator.live(&accounts[1]).await.unwrap(),
        Vec::<Value>::new()
    );
    let early = format!(
        "SELECT count(*) FROM effect JOIN step ON step.id = step_id JOIN job ON job.id = step.job_id WHERE job.subject_id = '{}' AND intent_at < '{at}'",
        ahead.subject
    );
    assert_eq!(
        fleet.database.sql(&early).await.unwrap(),
        "0",
        "a write before its time"
    );
    let absent = format!(
        "SELECT count(*) FROM effect JOIN step ON step.id = step_id JOIN job ON job.id = step.job_id WHERE job.subject_id = '{}'",
        gone.subject
    );
    assert_eq!(
        fleet.database.sql(&absent).await.unwrap(),
        "0",
        "a write for an account that is not there"
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
