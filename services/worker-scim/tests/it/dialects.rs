//! Applications that take one form only, say things otherwise, or say less.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{AccountState, EntitlementKind};
use sever_domain::{Action, Intent};
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_scim::ScimFactory;

use crate::drive::opt_out;
use crate::people;
use crate::removal::nobody_else_is_concerned;
use crate::sim::{Sim, TOKEN};

/// A removal at an application with these settings ends as one at an application that follows the standard.
async fn ends_the_same(settings: Value) {
    let sim = Sim::start(settings.clone()).await;
    let users = sim.seed(&people::two()).await;
    let bob = sim.truth(&users[1]).await;
    let outcome = opt_out(&sim.connector(), Intent::Remove, &users[0]).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{settings}: {:?}",
        outcome.closing
    );
    assert_eq!(outcome.refused, vec![], "{settings}");
    let truth = sim.truth(&users[0]).await;
    assert_eq!(
        (&truth["exists"], &truth["live"]),
        (&json!(false), &json!([])),
        "{settings}"
    );
    let after = sim.truth(&users[1]).await;
    assert_eq!(
        (&after["groups"], &after["live"]),
        (&bob["groups"], &bob["live"]),
        "{settings}"
    );
    nobody_else_is_concerned(&sim, &users[0]).await;
}

#[tokio::test]
async fn every_form_of_active_alone_is_found() {
    for refusal in [
        "invalidPath",
        "invalidSyntax",
        "invalidValue",
        "plain",
        "ignored",
    ] {
        for form in ["path", "pathless", "string"] {
            let patch = json!({ "active": [form], "active_refusal": refusal });
            ends_the_same(json!({ "patch": patch })).await;
        }
    }
}

#[tokio::test]
async fn an_application_that_takes_put_only_is_written_whole() {
    for status in [501, 405, 404] {
        let settings =
            json!({ "patch": { "missing_status": status }, "etag": true, "unknown_members": true });
        ends_the_same(settings).await;
    }
}

#[tokio::test]
async fn a_form_that_was_proven_is_used_first_from_then_on() {
    let settings = json!({ "patch": { "active": ["string"], "active_refusal": "ignored" } });
    let sim = Sim::start(settings).await;
    let users = sim.seed(&people::two()).await;
    let connector = sim.connector();
    let sent = |journal: Vec<Value>| {
        let patches = journal
            .iter()
            .filter(|call| call["operation"] == "patch_user");
        patches.count()
    };
    opt_out(&connector, Intent::Disable, &users[0]).await;
    assert_eq!(sent(sim.journal().await), 3);
    sim.clear_journal().await;
    opt_out(&connector, Intent::Disable, &users[1]).await;
    assert_eq!(sent(sim.journal().await), 1);
}

#[tokio::test]
async fn an_application_where_nothing_has_an_effect_needs_a_person() {
    let settings = json!({ "patch": { "active": [], "active_refusal": "ignored" }, "put": false });
    let sim = Sim::start(settings).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Disable, &ada).await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert!(!outcome.refused.is_empty());
    let removed = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert_eq!(
        removed.verdict,
        Verdict::NothingLive,
        "DELETE works without it"
    );
}

#[tokio::test]
async fn members_go_in_the_form_that_is_taken_and_nobody_else_goes_with_them() {
    for patch in [
        json!({ "members": ["filter"] }),
        json!({ "members": ["filter"], "missing_member_status": 400 }),
        json!({ "members": ["replace"] }),
        json!({ "members": ["replace"], "members_refusal": "ignored" }),
        json!({ "members": [] }),
        json!({ "success_status": 204 }),
    ] {
        ends_the_same(json!({ "patch": patch, "etag": true })).await;
    }
}

#[tokio::test]
async fn a_whole_list_without_versions_is_written_only_where_the_organisation_says_so() {
    let sim = Sim::start(json!({ "patch": { "members": ["replace"] } })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
    assert!(
        outcome.refused[0].what.contains("replaces_members"),
        "{:?}",
        outcome.refused
    );
    let sim = Sim::start(json!({ "patch": { "members": ["replace"] } })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let credential = json!({ "token": TOKEN, "replaces_members": true }).to_string();
    let connector = ScimFactory::default()
        .connect(sim.settings(&credential))
        .unwrap()
        .people;
    let outcome = opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let journal = sim.journal().await;
    let groups = journal
        .iter()
        .filter(|call| call["operation"] == "patch_group" && call["changed"] == true);
    assert_eq!(groups.count(), 2);
}

#[tokio::test]
async fn documents_are_read_however_they_are_written() {
    for settings in [
        json!({ "attribute_case": "lower", "unknown_members": true }),
        json!({ "attribute_case": "pascal", "active_as_string": true }),
        json!({ "unknown_members": true, "active_as_string": true }),
        json!({ "total_results": false, "empty_resources": false }),
        json!({ "content_type": "text/json", "error_style": "number_status" }),
        json!({ "error_style": "scim1", "patch": { "active": ["pathless"] } }),
        json!({ "error_style": "html", "patch": { "active": ["string"] } }),
        json!({ "user_groups": false }),
        json!({ "refused_filters": ["members.value"] }),
        json!({ "refused_filters": ["members.value"], "user_groups": false, "page_size_max": 1 }),
        json!({ "no_match_status": 404 }),
        json!({ "discovery_status": 403 }),
        json!({ "deactivation_keeps_groups": false }),
        json!({ "deletion_keeps_members": true }),
        json!({ "has_active": true, "etag": true }),
        json!({ "pages": "cursor", "page_size_max": 1 }),
        json!({ "pages": "cursor", "page_size_max": 1, "total_results": false, "user_groups": false }),
    ] {
        ends_the_same(settings).await;
    }
}

#[tokio::test]
async fn a_user_without_active_is_live_until_it_is_deleted() {
    let sim = Sim::start(json!({ "has_active": false })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let connector = sim.connector();
    let reading = connector.inspect(&ada).await.unwrap();
    assert_eq!(
        (reading.account_state, reading.provider_state.as_str()),
        (AccountState::Live, "without active")
    );
    let outcome = opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&ada).await["exists"], false);
}

#[tokio::test]
async fn a_change_that_takes_its_time_is_waited_for() {
    let sim = Sim::start(json!({ "active_polls": 2 })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Disable, &ada).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&ada).await["active"], false);
}

#[tokio::test]
async fn a_user_who_is_in_no_group_reads_whole() {
    let sim = Sim::start(json!({ "user_groups": false })).await;
    let lone = json!({ "users": [{ "login": "lone@example.com" }] });
    let user = sim.seed(&lone).await.remove(0);
    let reading = sim.connector().inspect(&user).await.unwrap();
    assert_eq!(reading.of(EntitlementKind::Group), []);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    sim.connector().canary().await.unwrap();
}

#[tokio::test]
async fn memberships_that_no_group_shows_are_found_by_filters() {
    for told in ["empty", "hidden"] {
        for refused in [json!([]), json!(["members.value"])] {
            let settings =
                json!({ "group_members": told, "user_groups": false, "refused_filters": refused });
            let sim = Sim::start(settings.clone()).await;
            let users = sim.seed(&people::two()).await;
            let bob = sim.truth(&users[1]).await;
            let connector = sim.connector();
            let reading = connector.inspect(&users[0]).await.unwrap();
            assert_eq!(reading.of(EntitlementKind::Group).len(), 2, "{settings}");
            let outcome = opt_out(&connector, Intent::Remove, &users[0]).await;
            assert_eq!(outcome.verdict, Verdict::NothingLive, "{settings}");
            assert_eq!(outcome.refused, vec![], "{settings}");
            let removals = outcome.plan.iter();
            let removals = removals.filter(|step| step.action == Action::RemoveFromGroup);
            assert_eq!(removals.count(), 2, "{settings}");
            let after = sim.truth(&users[1]).await;
            assert_eq!(after["groups"], bob["groups"], "{settings}");
        }
    }
}

#[tokio::test]
async fn memberships_that_nothing_shows_are_not_read_as_none() {
    for settings in [
        json!({ "refused_filters": ["members.value", "members"] }),
        json!({ "unknown_filters": ["members.value", "members"] }),
        json!({ "ignore_filter": true }),
    ] {
        for told in ["empty", "hidden"] {
            let mut settings = settings.clone();
            settings["group_members"] = json!(told);
            settings["user_groups"] = json!(false);
            let sim = Sim::start(settings.clone()).await;
            let ada = sim.seed(&people::two()).await.remove(0);
            let credential = json!({ "token": TOKEN, "final_state": "inactive" }).to_string();
            let connector = ScimFactory::default()
                .connect(sim.settings(&credential))
                .unwrap()
                .people;
            let reading = connector.inspect(&ada).await.unwrap();
            let groups = reading.families.last().unwrap();
            assert_eq!(groups.result, FamilyResult::Unsupported, "{settings}");
            let outcome = opt_out(&connector, Intent::Remove, &ada).await;
            assert_eq!(outcome.verdict, Verdict::NothingLive, "{settings}");
            let rules = outcome.closing.rules_used.iter();
            let mut groups = rules.filter(|used| used.family == EntitlementKind::Group);
            assert_eq!(
                groups.next().map(|used| used.rule),
                Some("scim.inactive_account_uses_no_group"),
                "{settings}"
            );
        }
    }
}
