//! Access that comes back behind Sever's back is found by the next inventory, confirmed, and taken away again.

use std::time::Duration;

use serde_json::json;
use sever_tests::{Fleet, FleetOptions};

/// How long an inventory, its comparison, a read by id and a repair may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_is_found_and_removed_again_and_what_nobody_owns_is_shown() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let people = json!({
        "groups": [{"name": "VPN"}],
        "apps": [{"label": "Wiki"}],
        "users": [
            {"login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "groups": ["VPN"], "apps": ["Wiki"]},
            {"login": "bob@example.com", "first_name": "Bob", "last_name": "Stone", "groups": ["VPN"]},
            {"login": "cyd@example.com", "first_name": "Cyd", "last_name": "Moss", "groups": ["VPN"]},
        ],
    });
    let accounts = fleet.simulator.seed(&people).await.unwrap();
    let ada = fleet.person("E1", &[&accounts[0]]).await.unwrap();
    fleet.person("E2", &[&accounts[1]]).await.unwrap();
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    fleet.database.sql("UPDATE person SET employment_state = 'left' WHERE id IN (SELECT subject_id FROM opt_out)").await.unwrap();
    for change in [
        json!({"do": "set_status", "user": accounts[0], "status": "ACTIVE"}),
        json!({"do": "add_to_group", "user": accounts[0], "group": "VPN"}),
    ] {
        fleet
            .simulator
            .control("POST", "/okta/main/mutate", &change)
            .await
            .unwrap();
    }
    assert!(!fleet.simulator.live(&accounts[0]).await.unwrap().is_empty());

    let reconciler = fleet.reconcile().unwrap();
    fleet
        .shows(&format!("SELECT id FROM finding WHERE situation = 'resurrected' AND state = 'repaired' AND cause_key = 'account:{}'", accounts[0]), LIMIT)
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}\n{}", reconciler.log().unwrap(), fleet.worker.log().unwrap()));
    assert!(
        fleet.simulator.live(&accounts[0]).await.unwrap().is_empty(),
        "she is out again"
    );
    let others = fleet.database.sql("SELECT situation, cause_key, state FROM finding WHERE situation NOT IN ('resurrected', 'unreachable') ORDER BY 1").await.unwrap();
    assert_eq!(
        others.trim(),
        format!("orphan_account|account:{}|open", accounts[2]),
        "Bob is in order, Cyd is nobody's"
    );
    let journal = fleet.simulator.journal().await.unwrap();
    let strangers = journal
        .iter()
        .filter(|call| call["effect"] == "write" && !call.to_string().contains(&accounts[0]));
    assert_eq!(strangers.count(), 0, "only her account was written to");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
