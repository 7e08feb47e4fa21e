//! Who gave access, as the tenant's audit log and Azure's assignments tell it.

use serde_json::{Value, json};
use sever_domain::{EntitlementKind as Kind, OutcomeClass};
use sever_provider::{CallError, Connector as _, LogEntry, LogQuestion, Provenance};

use crate::sim::Sim;

const SINCE: &str = "2026-01-01T00:00:00Z";
const ADMIN: &str = "u-admin";

/// A tenant with one user, a group, an application and a subscription.
async fn tenant(settings: Value) -> Sim {
    let sim = Sim::start(settings).await;
    let document = json!({
        "groups": [{"id": "g-vpn", "name": "VPN"}],
        "subscriptions": [{"id": "sub-a", "name": "A"}],
        "applications": [{"id": "sp-wiki", "name": "Wiki"}],
        "users": [
            {"id": "u-ada", "login": "ada@example.test", "first_name": "Ada", "last_name": "Byron"},
            {"id": ADMIN, "login": "admin@example.test", "first_name": "Root", "last_name": "Keeper"},
        ],
    });
    sim.seed(&document).await;
    sim
}

async fn ask(
    sim: &Sim,
    provider_id: &str,
    since: &str,
    held: &[(Kind, String)],
) -> Result<Provenance, CallError> {
    let since = since.parse().unwrap();
    let question = LogQuestion {
        provider_id,
        since,
        held,
    };
    sim.people().provenance(question).await
}

async fn told(sim: &Sim, provider_id: &str) -> Vec<LogEntry> {
    match ask(sim, provider_id, SINCE, &[]).await.unwrap() {
        Provenance::Told(entries) => entries,
        Provenance::NoLog(why) => panic!("there is no log: {why}"),
    }
}

/// An administrator does it in Microsoft's own pages.
async fn administrator(sim: &Sim, mut change: Value) {
    change["by"] = json!({"id": ADMIN, "type": "User", "name": "Root Keeper"});
    sim.mutate(change).await;
}

fn events(entries: &[LogEntry]) -> Vec<(&str, &str, Option<&str>)> {
    entries
        .iter()
        .map(|entry| {
            (
                entry.event.as_str(),
                entry.actor.as_str(),
                entry.given.as_deref(),
            )
        })
        .collect()
}

#[tokio::test]
async fn whatever_gives_access_is_told_with_who_gave_it_newest_first_and_without_names() {
    let sim = tenant(json!({})).await;
    for change in [
        json!({"do": "set_enabled", "user": "u-ada", "enabled": false}),
        json!({"do": "set_enabled", "user": "u-ada", "enabled": true}),
        json!({"do": "add_to_group", "user": "u-ada", "group": "VPN"}),
        json!({"do": "assign_role", "user": "u-ada", "role": "Global Reader"}),
        json!({"do": "add_eligible_role", "user": "u-ada", "role": "Global Administrator"}),
        json!({"do": "assign_app", "user": "u-ada", "app": "sp-wiki"}),
        json!({"do": "remove_from_group", "user": "u-ada", "group": "VPN"}),
    ] {
        administrator(&sim, change).await;
    }
    let entries = told(&sim, "u-ada").await;
    let reader = "Role:f2ef992c-3afb-46b9-b7cf-a126ee74c451";
    let global = "Role:62e90394-69f5-4237-9190-012177145e10";
    assert_eq!(
        events(&entries),
        [
            (
                "Add app role assignment grant to user",
                ADMIN,
                Some("ServicePrincipal:sp-wiki")
            ),
            (
                "Add eligible member to role in PIM completed (permanent)",
                ADMIN,
                Some(global)
            ),
            ("Add member to role", ADMIN, Some(reader)),
            ("Add member to group", ADMIN, Some("Group:g-vpn")),
            ("Enable account", ADMIN, None),
        ]
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry.correlation.is_some() && entry.actor_kind == "User")
    );
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains('@') && !text.contains("Keeper"), "{text}");
}

#[tokio::test]
async fn a_restore_an_application_and_a_rule_are_told_apart() {
    let sim = tenant(json!({})).await;
    sim.mutate(json!({"do": "delete", "user": "u-ada"})).await;
    let sync = json!({"id": "sp-sync", "type": "Application", "name": "Sync"});
    sim.mutate(json!({"do": "restore", "user": "u-ada", "by": sync}))
        .await;
    let rule = json!({"type": "System", "name": "Microsoft Approval Management"});
    sim.mutate(json!({"do": "add_to_group", "user": "u-ada", "group": "VPN", "by": rule}))
        .await;
    let entries = told(&sim, "u-ada").await;
    let who = |entry: &LogEntry| {
        (
            entry.event.clone(),
            entry.actor_kind.clone(),
            entry.actor.clone(),
        )
    };
    let expected = [
        ("Add member to group", "System", "Core Directory"),
        ("Restore user", "ServicePrincipal", "sp-sync"),
    ];
    let expected =
        expected.map(|(event, kind, id)| (event.to_owned(), kind.to_owned(), id.to_owned()));
    assert_eq!(entries.iter().map(who).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_application_that_is_switched_on_and_given_a_permission_has_provenance_too() {
    let sim = tenant(json!({})).await;
    sim.mutate(json!({"do": "set_enabled", "user": "sp-wiki", "enabled": false}))
        .await;
    administrator(
        &sim,
        json!({"do": "set_enabled", "user": "sp-wiki", "enabled": true}),
    )
    .await;
    administrator(
        &sim,
        json!({"do": "grant", "user": "u-ada", "app": "sp-wiki", "scope": "Mail.Read"}),
    )
    .await;
    let entries = told(&sim, "sp-wiki").await;
    let names: Vec<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(
        names,
        ["Add delegated permission grant", "Update service principal"]
    );
}

#[tokio::test]
async fn what_came_before_and_what_others_were_given_does_not_count() {
    let sim = tenant(json!({"page_size_max": 2, "empty_pages": true})).await;
    administrator(
        &sim,
        json!({"do": "add_to_group", "user": "u-ada", "group": "VPN"}),
    )
    .await;
    let first = told(&sim, "u-ada").await.remove(0);
    let later = (first.at + jiff::SignedDuration::from_millis(1)).to_string();
    for _ in 0..3 {
        for what in ["remove_from_group", "add_to_group"] {
            administrator(&sim, json!({"do": what, "user": ADMIN, "group": "VPN"})).await;
            administrator(&sim, json!({"do": what, "user": "u-ada", "group": "VPN"})).await;
        }
    }
    let Provenance::Told(entries) = ask(&sim, "u-ada", &later, &[]).await.unwrap() else {
        panic!("there is a log");
    };
    assert_eq!(
        entries.len(),
        3,
        "over all pages, without the first: {entries:?}"
    );
    assert!(entries.iter().all(|entry| entry.entry != first.entry));
    sim.configure(json!({"ignore_filter": true})).await;
    let Provenance::Told(unfiltered) = ask(&sim, "u-ada", &later, &[]).await.unwrap() else {
        panic!("there is a log");
    };
    assert_eq!(unfiltered, entries, "whatever the server filtered");
    for odd in ["", "x' or id eq 'y"] {
        assert_eq!(
            ask(&sim, odd, SINCE, &[]).await,
            Ok(Provenance::Told(vec![]))
        );
    }
}

#[tokio::test]
async fn a_log_that_is_late_tells_nothing_yet_and_then_everything() {
    let sim = tenant(json!({"audit_lag_ms": 120_000})).await;
    administrator(
        &sim,
        json!({"do": "add_to_group", "user": "u-ada", "group": "VPN"}),
    )
    .await;
    assert_eq!(told(&sim, "u-ada").await, []);
    sim.control("POST", "/clock", &json!({"advance_ms": 121_000}))
        .await;
    assert_eq!(told(&sim, "u-ada").await.len(), 1);
}

#[tokio::test]
async fn a_log_that_is_never_shown_is_none_and_says_why() {
    let sim = tenant(json!({})).await;
    let of = |why| Ok(Provenance::NoLog(why));
    sim.configure(json!({"audits_licensed": false})).await;
    assert_eq!(ask(&sim, "u-ada", SINCE, &[]).await, of("unlicensed"));
    sim.configure(json!({"forbidden_families": ["audits"]}))
        .await;
    assert_eq!(ask(&sim, "u-ada", SINCE, &[]).await, of("forbidden"));
    sim.configure(json!({})).await;
    let gone = json!({"when": {"operation": "list_audits"}, "then": {"status": 404}});
    sim.fault(gone).await;
    assert_eq!(ask(&sim, "u-ada", SINCE, &[]).await, of("unsupported"));
}

#[tokio::test]
async fn a_log_that_refuses_a_time_before_its_oldest_event_is_asked_without_one() {
    let sim = tenant(json!({"audit_days": 7, "unconfirmed": {"audits_long_ago": 400}})).await;
    administrator(
        &sim,
        json!({"do": "add_to_group", "user": "u-ada", "group": "VPN"}),
    )
    .await;
    assert_eq!(told(&sim, "u-ada").await.len(), 1);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_now_is_an_error_to_be_tried_again() {
    let sim = tenant(json!({"audit_calls": 1})).await;
    let people = sim.people();
    let since = SINCE.parse().unwrap();
    let question = LogQuestion {
        provider_id: "u-ada",
        since,
        held: &[],
    };
    assert_eq!(
        people.provenance(question).await,
        Ok(Provenance::Told(vec![]))
    );
    let throttled = people.provenance(question).await.unwrap_err();
    assert_eq!(throttled.class, OutcomeClass::RetryAt, "{throttled:?}");
    assert!(
        people.find_by_id("u-ada").await.is_ok(),
        "everything else goes on"
    );
    for what in ["add_to_group", "remove_from_group", "add_to_group"] {
        administrator(&sim, json!({"do": what, "user": "u-ada", "group": "VPN"})).await;
    }
    sim.configure(json!({"audit_calls": 1, "page_size_max": 1}))
        .await;
    let newest = told(&sim, "u-ada").await;
    assert_eq!(newest.len(), 1, "what was read before the limit counts");
    sim.configure(json!({})).await;
    sim.fault(json!({"when": {"operation": "list_audits"}, "then": {"status": 503}}))
        .await;
    let failed = ask(&sim, "u-ada", SINCE, &[]).await.unwrap_err();
    assert!(
        matches!(failed.class, OutcomeClass::Retry | OutcomeClass::RetryAt),
        "{failed:?}"
    );
}

#[tokio::test]
async fn an_azure_role_says_itself_who_gave_it_whatever_the_log_tells() {
    let sim = tenant(json!({"audits_licensed": false})).await;
    let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    let role = json!({"do": "assign_azure_role", "user": "sp-wiki", "scope": "/subscriptions/sub-a", "role": owner});
    administrator(&sim, role).await;
    let mut held = Vec::new();
    let mut cursor = None;
    let people = sim.people();
    loop {
        let page = people.inventory_page(cursor.as_ref()).await.unwrap();
        let roles = page.entitlements.into_iter();
        let roles =
            roles.filter(|held| held.kind == Kind::ResourceRole && held.account_id == "sp-wiki");
        held.extend(roles.map(|role| (role.kind, role.provider_key)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(held.len(), 1);
    held.push((
        Kind::ResourceRole,
        "/subscriptions/sub-a/providers/Microsoft.Authorization/roleAssignments/gone".into(),
    ));
    held.push((Kind::ResourceRole, "no address".into()));
    held.push((Kind::Group, "g-vpn".into()));
    let Provenance::Told(entries) = ask(&sim, "sp-wiki", SINCE, &held).await.unwrap() else {
        panic!("the assignment tells it");
    };
    let given = format!("AzureRole:{owner} at /subscriptions/sub-a");
    let event = "Microsoft.Authorization/roleAssignments/write";
    assert_eq!(events(&entries), [(event, ADMIN, Some(given.as_str()))]);
    let none = ask(&sim, "u-ada", SINCE, &held).await;
    assert_eq!(
        none,
        Ok(Provenance::NoLog("unlicensed")),
        "it is another one's role"
    );
}
