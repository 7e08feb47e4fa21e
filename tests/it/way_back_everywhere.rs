//! The way back in all five systems at once: what comes back, what waits for its own approval, what cannot.

use std::time::Duration;

use serde_json::{Value, json};
use sever_accept::open_restore;
use sever_domain::OptOutId;
use sever_store::task_decision::{self, Evidence};
use sever_tests::{Fleet, FleetOptions, Program};

/// How long a handful of jobs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);
const LOGIN: &str = "ada@example.com";
const BOSS: &str = "0000000000000000000000b0";
const VANTA_ADA: &str = "0000000000000000000000ad";
const SUBSCRIPTION: &str = "11111111-1111-4111-a111-111111111111";
const LICENCE: &str = "6fd2c87f-b296-42f0-b197-1e91e994b900";

/// Ada in five systems, with a role in two of them. The workers live as long as the list.
async fn ada() -> (Fleet, Vec<Program>) {
    let mut fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let okta = json!({
        "groups": [{"name": "Staff"}], "apps": [{"label": "Wiki"}],
        "users": [{"login": LOGIN, "first_name": "Ada", "last_name": "Byron", "groups": ["Staff"], "apps": ["Wiki"]}],
    });
    let accounts = fleet.simulator.seed(&okta).await.unwrap();
    let leaver = fleet.person("E1", &[&accounts[0]]).await.unwrap();
    let mut workers = Vec::new();
    for system in [entra(), scim(), keycloak(), vanta()] {
        let System {
            provider,
            settings,
            seed,
            credential,
            account,
        } = system;
        let place = format!("/{provider}/main");
        let control = async |method, path: &str, body: &Value| {
            let ordered = fleet.simulator.control(method, path, body).await;
            ordered.unwrap_or_else(|error| panic!("{provider}: {error:#}"))
        };
        control("PUT", &place, &settings).await;
        control("POST", &format!("{place}/seed"), &seed).await;
        let (worker, connection) = fleet.join(provider, &credential.to_string()).await.unwrap();
        fleet.bind(&leaver, connection, account).await.unwrap();
        workers.push(worker);
    }
    fleet.leave(&leaver).await.unwrap();
    let settled = fleet.jobs_come_to(&["done"], 5, LIMIT).await;
    settled.unwrap_or_else(|error| panic!("{error:#}\n{}", logs(&workers)));
    (fleet, workers)
}

struct System {
    provider: &'static str,
    settings: Value,
    seed: Value,
    credential: Value,
    account: &'static str,
}

fn entra() -> System {
    let client = "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10";
    let role = json!({"role": "Helpdesk Administrator"});
    System {
        provider: "entra",
        settings: json!({"apps": [{
            "client_id": client, "name": "worker", "secret": "s", "directory_roles": ["Privileged Authentication Administrator"],
        }]}),
        seed: json!({
            "subscriptions": [{"id": SUBSCRIPTION, "name": "Production"}],
            "groups": [{"name": "VPN"}, {"name": "Everybody", "kind": "dynamic"}], "applications": [{"name": "Wiki"}],
            "users": [{
                "id": "ada", "login": LOGIN, "sessions": 1, "groups": ["VPN", "Everybody"], "roles": [role], "licences": [LICENCE],
                "app_roles": ["Wiki"], "methods": ["phoneMethods", "passwordMethods"],
                "azure": [{"scope": format!("/subscriptions/{SUBSCRIPTION}"), "role": "Owner"}],
            }],
        }),
        credential: json!({
            "tenant_id": "main", "client_id": client, "client_secret": "s", "agreeing_reads": 2, "agreeing_pause_ms": 50,
        }),
        account: "ada",
    }
}

/// The organisation keeps accounts: a deleted one would not come back.
fn scim() -> System {
    System {
        provider: "scim",
        settings: json!({"tokens": [{"token": "s", "name": "worker"}]}),
        seed: json!({"groups": [{"name": "Editors"}], "users": [{"id": "ada", "login": LOGIN, "groups": ["Editors"]}]}),
        credential: json!({"token": "s", "final_state": "inactive"}),
        account: "ada",
    }
}

fn keycloak() -> System {
    System {
        provider: "oidc",
        settings: json!({}),
        seed: json!({
            "clients": [{"client_id": "sever", "secret": "s", "admin_roles": ["manage-users", "manage-clients"]}, {"client_id": "web"}],
            "users": [{
                "id": "ada", "login": LOGIN, "groups": ["Staff"], "realm_roles": ["admin"], "credentials": ["password"],
                "tokens": [{"client": "web", "kind": "offline"}],
            }],
        }),
        credential: json!({"client_id": "sever", "client_secret": "s", "profile": "keycloak", "realm": "main"}),
        account: "ada",
    }
}

fn vanta() -> System {
    let follows = json!({"provider": "okta", "org": "main", "user": LOGIN});
    System {
        provider: "vanta",
        settings: json!({"applications": [{"client_id": "vci_1", "client_secret": "s", "name": "worker"}]}),
        seed: json!({"people": [
            {"id": BOSS, "email": "boss@example.com", "user": {"admin": true}},
            {"id": VANTA_ADA, "email": LOGIN, "source": "okta", "follows": follows, "accounts": [{"system": "Okta", "follows": follows}]},
        ]}),
        credential: json!({"client_id": "vci_1", "client_secret": "s", "acknowledger": BOSS}),
        account: VANTA_ADA,
    }
}

fn logs(workers: &[Program]) -> String {
    let tail = |worker: &Program| {
        let log = worker.log().unwrap();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    };
    workers.iter().map(tail).collect::<Vec<_>>().join("\n\n")
}

/// What gives access in a system, in the simulator's words.
async fn live(fleet: &Fleet, provider: &str) -> String {
    let path = format!("/{provider}/main/state/users/ada");
    let truth = fleet.simulator.control("GET", &path, &Value::Null).await;
    truth.unwrap()["live"].to_string()
}

/// One person says that each approval is given, and another one confirms it; says how many.
async fn approve(fleet: &Fleet) -> usize {
    let open = "SELECT step.id FROM step JOIN job ON job.id = step.job_id WHERE job.kind = 'restore' AND step.state = 'asked'";
    let ids = fleet.database.sql(open).await.unwrap();
    let store = fleet.database.store().unwrap();
    let mut client = store.client("approving").await.unwrap();
    for id in ids.lines() {
        let tx = client.begin().await.unwrap();
        let evidence = Evidence {
            text: Some("the manager asked for it"),
            ..Evidence::default()
        };
        let id = id.parse().unwrap();
        task_decision::done(&tx, id, "token:one", evidence)
            .await
            .unwrap();
        task_decision::confirm(&tx, id, "token:two").await.unwrap();
        tx.commit().await.unwrap();
    }
    ids.lines().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_five_systems_took_comes_back_and_each_role_waits_for_its_approval() {
    let (fleet, workers) = ada().await;
    for provider in ["okta", "entra", "scim", "oidc"] {
        let place = if provider == "okta" { LOGIN } else { "ada" };
        let path = format!("/{provider}/main/state/users/{place}");
        let truth = fleet.simulator.control("GET", &path, &Value::Null).await;
        assert_eq!(truth.unwrap()["live"], json!([]), "{provider}");
    }
    let removal = "SELECT id FROM opt_out WHERE kind = 'opt_out'";
    let removal: OptOutId = fleet
        .database
        .sql(removal)
        .await
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let store = fleet.database.store().unwrap();
    open_restore(&store, removal, "token:operator", "left by mistake")
        .await
        .unwrap();

    let asked = "SELECT 1 FROM job WHERE kind = 'restore' AND state = 'waiting' AND state_reason = 'task' HAVING count(*) = 2";
    let waits = fleet.shows(asked, LIMIT).await;
    waits.unwrap_or_else(|error| panic!("{error:#}\n{}", logs(&workers)));
    for (provider, back) in [
        (
            "entra",
            ["account:1", "groups:1", "licences:1", "app_roles:1"].as_slice(),
        ),
        ("oidc", &["account:1", "groups:1"]),
    ] {
        let live = live(&fleet, provider).await;
        assert!(
            back.iter().all(|word| live.contains(word)),
            "{provider}: {live}"
        );
        assert!(
            !live.contains("\"roles"),
            "{provider} without an approval: {live}"
        );
    }

    assert_eq!(approve(&fleet).await, 3, "one for each role");
    let done = "SELECT 1 FROM job WHERE kind = 'restore' HAVING bool_and(state = 'done')";
    let settled = fleet.shows(done, LIMIT).await;
    settled.unwrap_or_else(|error| panic!("{error:#}\n{}", logs(&workers)));
    for (provider, back) in [
        ("entra", ["account:1", "groups:1", "roles:1"].as_slice()),
        ("scim", &["account:1", "groups:1"]),
        ("oidc", &["account:1", "groups:1", "roles:"]),
    ] {
        let live = live(&fleet, provider).await;
        assert!(
            back.iter().all(|word| live.contains(word)),
            "{provider}: {live}"
        );
        for never in ["sessions", "tokens", "consents"] {
            assert!(!live.contains(never), "{provider}: {live}");
        }
    }
    let said = "SELECT count(*) FROM step JOIN job ON job.id = step.job_id WHERE job.kind = 'restore' AND job.provider = 'vanta'
                AND step.state = 'blocked' AND step.state_reason LIKE '%no call that resets an offboarding%'";
    assert_eq!(fleet.database.sql(said).await.unwrap().trim(), "1");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
