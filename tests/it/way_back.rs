//! A plan before, and a way back after: foretold without a write, restored from the pre-image, cancelled in time.

use std::time::Duration;

use serde_json::{Value, json};
use sever_accept::{
    CancelError, Cancelled, ForetellRequest, RestoreError, Whom, cancel, foretell, open_restore,
};
use sever_domain::{Intent, OptOutId};
use sever_tests::{Fleet, FleetOptions, Leaver};

/// How long a handful of jobs may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

const WAITS_FOR_APPROVAL: &str =
    "SELECT id FROM job WHERE kind = 'restore' AND state = 'waiting' AND state_reason = 'task'";

fn people() -> Value {
    json!({
        "groups": [{"name": "Staff"}, {"name": "VPN"}, {"name": "Later", "roles": []}],
        "apps": [{"label": "Wiki"}],
        "users": [{
            "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "sessions": 1,
            "groups": ["Staff", "VPN"], "apps": ["Wiki"], "roles": [{"type": "HELP_DESK_ADMIN"}], "factors": [{"type": "push"}],
            "clients": [{"client_id": "0oaclientmobile00001", "name": "mobile", "tokens": [{"scopes": ["offline_access"]}]}]
        }]
    })
}

async fn ada(fleet: &Fleet) -> (Leaver, String) {
    let accounts = fleet.simulator.seed(&people()).await.unwrap();
    let ada = fleet.person("E1", &[&accounts[0]]).await.unwrap();
    (ada, accounts[0].clone())
}

async fn writes(fleet: &Fleet) -> usize {
    let journal = fleet.simulator.journal().await.unwrap();
    journal
        .iter()
        .filter(|call| call["effect"] == "write")
        .count()
}

async fn opt_out(fleet: &Fleet) -> OptOutId {
    let id = fleet
        .database
        .sql("SELECT id FROM opt_out WHERE kind = 'opt_out' ORDER BY opened_at DESC LIMIT 1")
        .await
        .unwrap();
    id.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_names_every_effect_and_writes_nothing() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let (ada, _) = ada(&fleet).await;
    let before = writes(&fleet).await;
    let asked = ForetellRequest {
        whom: Whom::Id(ada.subject),
        intent: Intent::Remove,
        scope: None,
        actor: "token:operator".to_owned(),
    };
    foretell(&fleet.database.store().unwrap(), &asked)
        .await
        .unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();

    assert_eq!(writes(&fleet).await, before, "a plan wrote at the provider");
    let planned = fleet
        .database
        .sql("SELECT count(*) FROM step WHERE action IN ('suspend_account', 'revoke_sessions', 'remove_from_group', 'unassign_app', 'revoke_role', 'remove_factor', 'revoke_tokens', 'deactivate_account')")
        .await
        .unwrap();
    assert!(planned.trim().parse::<i64>().unwrap() >= 8, "{planned}");
    let affected = fleet
        .database
        .sql("SELECT people || ' ' || last_sign_in_path FROM blast_radius")
        .await
        .unwrap();
    assert_eq!(affected.trim(), "1 false");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_comes_back_and_privilege_waits_for_its_approval() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let (ada, account) = ada(&fleet).await;
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    assert!(fleet.simulator.live(&account).await.unwrap().is_empty());

    let store = fleet.database.store().unwrap();
    let id = opt_out(&fleet).await;
    open_restore(&store, id, "token:operator", "left by mistake")
        .await
        .unwrap();
    fleet.shows(WAITS_FOR_APPROVAL, LIMIT).await.unwrap();
    let user = fleet.simulator.truth(&account).await.unwrap();
    assert_ne!(user["status"], "DEPROVISIONED", "{user}");
    let live = fleet.simulator.live(&account).await.unwrap();
    let text = serde_json::to_string(&live).unwrap();
    assert!(
        text.contains("groups:2") && text.contains("apps:1"),
        "{text}"
    );
    assert!(
        !text.contains("role"),
        "a role came back without its approval: {text}"
    );

    let states = fleet
        .database
        .sql("SELECT state FROM opt_out ORDER BY opened_at")
        .await
        .unwrap();
    assert_eq!(
        states.split_whitespace().collect::<Vec<_>>(),
        ["reversed", "open"]
    );
    let again = open_restore(&store, id, "token:operator", "again").await;
    assert!(
        matches!(again, Err(RestoreError::NotReversible { .. })),
        "{again:?}"
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_event_takes_the_place_of_a_restore() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let (ada, account) = ada(&fleet).await;
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["done"], 1, LIMIT).await.unwrap();
    let store = fleet.database.store().unwrap();
    open_restore(
        &store,
        opt_out(&fleet).await,
        "token:operator",
        "left by mistake",
    )
    .await
    .unwrap();
    fleet.shows(WAITS_FOR_APPROVAL, LIMIT).await.unwrap();
    let event = json!({
        "specversion": "1.0", "id": "leave-again", "source": "urn:hr",
        "type": "sever.employment.leaver.v1", "datacontenttype": "application/json",
        "data": {"person": {"external_id": "E1"}, "employment_version": 2, "effective_at": jiff::Timestamp::now().to_string()},
    });
    fleet.publish(&event).await.unwrap();
    fleet
        .jobs_come_to(&["done", "replaced"], 3, LIMIT)
        .await
        .unwrap();
    assert!(fleet.simulator.live(&account).await.unwrap().is_empty());
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// Behind the fence's approval everything reversible was sent, and the person can still stay after all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_fence_a_cancelled_opt_out_gives_back_what_it_took() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    fleet
        .database
        .sql("UPDATE connection SET fence_approval = true")
        .await
        .unwrap();
    let (ada, account) = ada(&fleet).await;
    fleet.leave(&ada).await.unwrap();
    fleet.jobs_come_to(&["held"], 1, LIMIT).await.unwrap();
    let user = fleet.simulator.truth(&account).await.unwrap();
    assert_eq!(user["status"], "SUSPENDED", "{user}");

    let store = fleet.database.store().unwrap();
    let cancelled = cancel(
        &store,
        opt_out(&fleet).await,
        "token:operator",
        "stays after all",
    );
    let cancelled = cancelled.await.unwrap();
    assert!(
        matches!(cancelled, Cancelled::Restoring(_)),
        "{cancelled:?}"
    );
    fleet.shows(WAITS_FOR_APPROVAL, LIMIT).await.unwrap();
    let user = fleet.simulator.truth(&account).await.unwrap();
    assert_eq!(user["status"], "ACTIVE", "{user}");
    let live = serde_json::to_string(&fleet.simulator.live(&account).await.unwrap()).unwrap();
    assert!(live.contains("groups:2"), "{live}");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_is_cancelled_before_anything_is_sent_and_not_after() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    let (ada, account) = ada(&fleet).await;
    fleet
        .leave_at(&ada, Duration::from_secs(3600))
        .await
        .unwrap();
    fleet.jobs_come_to(&["waiting"], 1, LIMIT).await.unwrap();
    let store = fleet.database.store().unwrap();
    cancel(
        &store,
        opt_out(&fleet).await,
        "token:operator",
        "stays after all",
    )
    .await
    .unwrap();
    fleet.jobs_come_to(&["cancelled"], 1, LIMIT).await.unwrap();
    assert!(!fleet.simulator.live(&account).await.unwrap().is_empty());

    let event = json!({
        "specversion": "1.0", "id": "leave-now", "source": "urn:hr",
        "type": "sever.employment.leaver.v1", "datacontenttype": "application/json",
        "data": {"person": {"external_id": "E1"}, "employment_version": 2, "effective_at": jiff::Timestamp::now().to_string()},
    });
    fleet.publish(&event).await.unwrap();
    fleet
        .jobs_come_to(&["cancelled", "done"], 2, LIMIT)
        .await
        .unwrap();
    let late = cancel(&store, opt_out(&fleet).await, "token:operator", "too late").await;
    assert!(matches!(late, Err(CancelError::NotOpen { .. })), "{late:?}");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
