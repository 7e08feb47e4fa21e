//! Whole removals, judged by the simulator's own state and journal.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind as Kind, Intent};
use sever_provider::Connector as _;

use crate::drive::{inert, opt_out, opt_out_until};
use crate::people::{self, LEFT};
use crate::sim::Sim;

/// Reads that name nobody; the answers are matched by the connector.
const TENANT_WIDE: [&str; 4] = [
    "issue_token",
    "batch",
    "list_subscriptions",
    "list_management_groups",
];

/// Whom each call concerned: the user, a device of theirs, or nobody. Other people never.
pub fn assert_only(journal: &[Value], user: &str, others: &[&str]) {
    for call in journal {
        for other in others {
            let path = call["path"].as_str().unwrap();
            let theirs =
                path.split('/').any(|segment| segment == *other) || call["user"] == **other;
            assert!(!theirs, "a call concerned somebody else: {call}");
        }
        let operation = call["operation"].as_str().unwrap();
        let own = call["user"] == user || TENANT_WIDE.contains(&operation);
        assert!(own, "whom did this call concern? {call}");
    }
}

async fn left(sim: &Sim, user: &str) -> Vec<String> {
    let truth = sim.truth(user).await;
    let groups = truth["left_behind"]["groups"].as_array().unwrap().clone();
    let mut names: Vec<String> = groups
        .iter()
        .map(|group| group["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_rich_person_is_removed_whole_and_nobody_else_is_touched() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let before = sim.truth("ben").await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused), (1, vec![]));
    let truth = sim.truth("ada").await;
    assert_eq!(
        (&truth["exists"], &truth["restorable"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(truth["azure_orphans"], 0, "{truth}");
    for (family, empty) in truth["left_behind"].as_object().unwrap() {
        assert!(
            family == "groups" || *empty == json!([]),
            "{family}: {empty}"
        );
    }
    assert_eq!(left(&sim, "ada").await, LEFT);
    assert_eq!(sim.truth("ben").await, before);
    assert_only(&sim.journal().await, "ada", &["ben"]);
}

#[tokio::test]
async fn the_block_comes_first_the_privileges_next_and_the_deletion_last() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    opt_out(&sim.people(), Intent::Remove, "ada").await;
    let writes = sim.writes().await;
    let at = |operation: &str| writes.iter().position(|write| write == operation).unwrap();
    assert_eq!(writes.first().map(String::as_str), Some("update_user"));
    assert_eq!(writes.last().map(String::as_str), Some("delete_user"));
    for privilege in [
        "request_eligible_role",
        "request_eligible_group",
        "request_active_group",
        "delete_azure_role",
        "remove_application_owner",
    ] {
        assert!(at(privilege) < at("remove_member"), "{privilege}");
    }
    assert!(at("revoke_sessions") < at("remove_member"));
    assert!(!writes.iter().any(|write| write == "delete_member_object"));
}

#[tokio::test]
async fn an_inspection_is_one_batch_and_one_look_at_each_scope() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let connector = sim.connected(&json!({"agreeing_reads": 1})).people;
    connector.inspect("ada").await.unwrap();
    let journal = sim.journal().await;
    let count = |operation: &str| {
        journal
            .iter()
            .filter(|call| call["operation"] == operation)
            .count()
    };
    // One for the person, one for who uses the devices.
    assert_eq!(count("batch"), 2);
    assert_eq!(count("issue_token"), 2, "one for each audience");
    assert_eq!(count("list_azure_roles"), 3);
    let inner = journal
        .iter()
        .filter(|call| call["family"] != "batch")
        .count();
    assert_eq!(count("list_azure_eligible"), 3);
    assert!(inner <= 34, "{inner} reads");
}

#[tokio::test]
async fn every_family_is_read() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let reading = sim.people().inspect("ada").await.unwrap();
    let counts: Vec<(Kind, FamilyResult, usize)> = reading
        .families
        .iter()
        .map(|family| (family.family, family.result, family.entitlements.len()))
        .collect();
    use FamilyResult::{Complete, Unsupported};
    assert_eq!(
        counts,
        [
            (Kind::Account, Complete, 1),
            (Kind::Session, Unsupported, 0),
            (Kind::Role, Complete, 0),
            (Kind::EligibleRole, Complete, 2),
            (Kind::ResourceRole, Complete, 3),
            (Kind::Group, Complete, 6),
            (Kind::Ownership, Complete, 2),
            (Kind::AppAssignment, Complete, 2),
            (Kind::Grant, Complete, 1),
            (Kind::Licence, Complete, 2),
            (Kind::Factor, Complete, 3),
            (Kind::Device, Complete, 4),
        ]
    );
}

#[tokio::test]
async fn a_device_that_was_only_registered_is_disabled_and_one_of_somebody_else_is_not() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let people = sim.people();
    let reading = people.inspect("ada").await.unwrap();
    let shared = |key: &str| {
        let mut devices = reading.of(Kind::Device).iter();
        devices
            .find(|held| held.provider_key == key)
            .map(|held| held.facts["shared"].clone())
    };
    assert_eq!(shared("phone"), Some(json!(false)));
    assert_eq!(shared("loan"), Some(json!(true)));
    let outcome = opt_out(&people, Intent::Remove, "ada").await;
    let disabled: Vec<&str> = outcome
        .answered
        .iter()
        .filter(|step| step.action == sever_domain::Action::DeactivateDevice)
        .map(|step| step.target_key.as_str())
        .collect();
    assert!(
        disabled.contains(&"phone") && !disabled.contains(&"loan"),
        "{disabled:?}"
    );
}

#[tokio::test]
async fn a_disabled_person_keeps_what_cannot_act() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    let outcome = opt_out(&sim.people(), Intent::Disable, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let truth = sim.truth("ada").await;
    assert_eq!(
        (&truth["enabled"], &truth["sessions"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(inert(&outcome.closing, Kind::Group), 6);
    assert_eq!(sim.writes().await, ["update_user", "revoke_sessions"]);
}

#[tokio::test]
async fn a_removal_that_is_done_twice_changes_nothing_the_second_time() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::rich()).await;
    opt_out(&sim.people(), Intent::Remove, "ada").await;
    sim.clear_journal().await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.writes().await, [] as [&str; 0]);
}

#[tokio::test]
async fn somebody_deleted_before_loses_the_azure_roles_that_stayed() {
    let sim = Sim::start(json!({"unconfirmed": {"roles_of_deleted_listed": true}})).await;
    sim.seed(&people::rich()).await;
    sim.mutate(json!({"do": "assign_role", "user": "ada", "role": "Security Reader"}))
        .await;
    sim.mutate(json!({"do": "delete", "user": "ada"})).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let truth = sim.truth("ada").await;
    assert_eq!(
        (&truth["azure_orphans"], &truth["left_behind"]["roles"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        inert(&outcome.closing, Kind::EligibleRole),
        2,
        "schedules of a deleted user stay listed"
    );
    assert_only(&sim.journal().await, "ada", &["ben"]);
}

#[tokio::test]
async fn somebody_purged_is_absent_without_a_write() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    sim.mutate(json!({"do": "delete", "user": "fix"})).await;
    sim.mutate(json!({"do": "purge", "user": "fix"})).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.writes().await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_guest_is_removed_like_a_member() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["users"][0]["kind"] = json!("guest");
    document["users"][0]["login"] = json!("fix_home.example#EXT#@example.com");
    sim.seed(&document).await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn a_process_that_dies_after_any_call_leaves_nothing_that_the_next_one_does_not_end() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    opt_out(&sim.people(), Intent::Remove, "fix").await;
    let whole = sim.truth("fix").await;
    let calls = sim.writes().await.len();
    assert!(calls > 8, "{calls}");
    for dies_after in 0..calls {
        sim.anew().await;
        sim.seed(&people::plain()).await;
        let died = opt_out_until(&sim.people(), Intent::Remove, "fix", dies_after).await;
        assert!(died.is_none(), "{dies_after}");
        let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{dies_after}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{dies_after}");
        assert_eq!(sim.truth("fix").await, whole, "{dies_after}");
    }
}
