//! A leaver event comes in, every access in Okta is gone, and it is proven.

use std::time::Duration;

use serde_json::json;
use sever_tests::{Fleet, FleetOptions};

/// How long a handful of opt-outs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Somebody who has one of everything, a second account, and a colleague.
fn people() -> serde_json::Value {
    json!({
        "groups": [{"name": "Staff"}, {"name": "VPN"}, {"name": "Directory", "type": "APP_GROUP"}, {"name": "Desk", "roles": [{"type": "HELP_DESK_ADMIN"}]}],
        "apps": [{"label": "Wiki"}, {"label": "Mail", "groups": ["Staff"]}],
        "users": [
            {
                "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "sessions": 2,
                "groups": ["Staff", "VPN", "Directory", "Desk"], "apps": ["Wiki"],
                "clients": [{"client_id": "0oaclientmobile00001", "name": "mobile", "tokens": [{"scopes": ["offline_access"]}], "grants": [{"scope": "offline_access"}]}],
                "api_tokens": [{"name": "script"}], "roles": [{"type": "APP_ADMIN"}], "factors": [{"type": "push"}], "devices": [{"name": "laptop"}]
            },
            {"login": "adm-ada@example.com", "first_name": "Ada", "last_name": "Byron", "sessions": 1, "groups": ["Staff"], "roles": [{"type": "SUPER_ADMIN"}]},
            {"login": "ben@example.com", "first_name": "Ben", "last_name": "Costa", "sessions": 1, "groups": ["Staff"], "apps": ["Wiki"]}
        ]
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_with_two_accounts_loses_everything_and_a_colleague_nothing() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let accounts = fleet.simulator.seed(&people()).await.unwrap();
    let ada = fleet
        .person("E1", &[&accounts[0], &accounts[1]])
        .await
        .unwrap();

    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();

    for account in &accounts[..2] {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<serde_json::Value>::new()
        );
    }
    assert!(
        !fleet.simulator.live(&accounts[2]).await.unwrap().is_empty(),
        "the colleague lost something"
    );
    let writes: Vec<_> = fleet
        .simulator
        .journal()
        .await
        .unwrap()
        .into_iter()
        .filter(|call| call["effect"] == "write")
        .collect();
    assert!(!writes.is_empty());
    for call in &writes {
        let user = call["user"].as_str();
        assert!(
            user.is_none_or(|user| accounts[..2].iter().any(|account| account == user)),
            "a write for somebody else: {call}"
        );
    }
    let unread = fleet.database.sql("SELECT count(*) FROM inspection JOIN inspection_family ON inspection_id = inspection.id WHERE purpose = 'closing' AND result NOT IN ('complete') AND rule IS NULL").await.unwrap();
    assert_eq!(unread, "0", "a family was left unproven");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
