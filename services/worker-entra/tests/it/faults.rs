//! Faults of the network and of the provider, and servers that do not do as they are asked.

use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind as Kind, Intent, OutcomeClass};
use sever_provider::Connector as _;

use crate::drive::opt_out;
use crate::people;
use crate::removal::assert_only;
use crate::sim::Sim;

#[tokio::test]
async fn a_server_that_ignores_filters_changes_nothing() {
    let sim = Sim::start(json!({"ignore_filter": true})).await;
    sim.seed(&people::rich()).await;
    let before = sim.truth("ben").await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth("ben").await, before);
    assert_only(&sim.journal().await, "ada", &["ben"]);
}

#[tokio::test]
async fn pages_of_one_with_empty_and_repeated_ones_between_are_read_whole() {
    for settings in [
        json!({"page_size": 1, "page_size_max": 1, "empty_pages": true}),
        json!({"page_size": 1, "page_size_max": 1, "page_repeats": "twice"}),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&people::rich()).await;
        let reading = sim.people().inspect("ada").await.unwrap();
        assert_eq!(reading.of(Kind::Group).len(), 6, "{settings}");
        let outcome = opt_out(&sim.people(), Intent::Remove, "ada").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{settings}: {:?}",
            outcome.closing
        );
    }
}

#[tokio::test]
async fn pages_that_never_end_are_no_reading() {
    let sim =
        Sim::start(json!({"page_size": 1, "page_size_max": 1, "page_repeats": "forever"})).await;
    sim.seed(&people::rich()).await;
    let reading = sim.people().inspect("ada").await.unwrap();
    let groups = reading
        .families
        .iter()
        .find(|family| family.family == Kind::Group);
    assert_eq!(groups.unwrap().result, FamilyResult::Failed);
}

#[tokio::test]
async fn an_inner_429_stops_the_reading_with_its_time() {
    for (form, expected) in [
        ("whole", Some(3.0)),
        ("fractional", Some(3.0)),
        ("absent", None),
    ] {
        let sim = Sim::start(json!({"retry_after": form})).await;
        sim.seed(&people::plain()).await;
        let rule = json!({"when": {"operation": "list_role_assignments"}, "then": {"status": 429, "reset_in_s": 3}, "count": 1});
        sim.fault(rule).await;
        let read = sim.people().inspect("fix").await;
        match expected {
            Some(seconds) => {
                let error = read.unwrap_err();
                assert_eq!(error.class, OutcomeClass::RetryAt, "{form}");
                assert_eq!(error.retry_after.unwrap().as_secs_f64(), seconds, "{form}");
            }
            None => {
                let reading = read.unwrap();
                let roles = reading
                    .families
                    .iter()
                    .find(|family| family.family == Kind::Role);
                assert_eq!(roles.unwrap().result, FamilyResult::Failed);
            }
        }
    }
}

#[tokio::test]
async fn an_opt_out_goes_through_429s_and_server_errors_of_every_kind() {
    for then in [
        json!({"status": 429, "reset_in_s": 1}),
        json!({"status": 503, "reset_in_s": 1}),
        json!({"status": 500}),
        json!({"status": 504, "after_effect": true}),
        json!({"reset": true}),
        json!({"half_body": true}),
    ] {
        let sim = Sim::start(json!({})).await;
        sim.seed(&people::plain()).await;
        sim.fault(json!({"when": {"provider": "entra"}, "then": then, "every": 5, "count": 6}))
            .await;
        let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{then}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth("fix").await["exists"], false, "{then}");
    }
}

#[tokio::test]
async fn each_answer_can_be_lost() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    opt_out(&sim.people(), Intent::Remove, "fix").await;
    let whole = sim.truth("fix").await;
    let writes = sim.writes().await.len();
    for lost in 0..writes {
        sim.anew().await;
        sim.seed(&people::plain()).await;
        let rule = json!({"when": {"provider": "entra", "write": true}, "then": {"answer_lost": true}, "after": lost, "count": 1});
        sim.fault(rule).await;
        let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{lost}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{lost}");
        assert_eq!(sim.truth("fix").await, whole, "{lost}");
        assert_only(&sim.journal().await, "fix", &["sp-crm-owner"]);
    }
}

#[tokio::test]
async fn a_family_that_may_not_be_read_is_never_proven() {
    let sim = Sim::start(json!({"forbidden_families": ["methods"]})).await;
    sim.seed(&people::plain()).await;
    let reading = sim.people().inspect("fix").await.unwrap();
    let factors = reading
        .families
        .iter()
        .find(|family| family.family == Kind::Factor);
    assert_eq!(factors.unwrap().result, FamilyResult::Forbidden);
    let outcome = opt_out(&sim.people(), Intent::Disable, "fix").await;
    assert_eq!(outcome.verdict, Verdict::NeedsPerson);
}

/// Only the schedules of groups are denied, as to an application with the permissions of long ago.
#[tokio::test]
async fn what_a_deletion_would_hide_unread_stops_it_and_what_is_seen_goes() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    let group = json!({ "name": "Admins", "kind": "role_assignable" });
    document["groups"].as_array_mut().unwrap().push(group);
    document["users"][0]["groups"] = json!(["One", "Admins"]);
    sim.seed(&document).await;
    let denied =
        json!({ "when": { "operation": "list_active_groups" }, "then": { "status": 403 } });
    sim.fault(denied).await;
    let people = sim.people();
    let reading = people.inspect("fix").await.unwrap();
    for (family, seen) in [(Kind::Group, 2), (Kind::Ownership, 1)] {
        let mut families = reading.families.iter();
        let read = families.find(|it| it.family == family).unwrap();
        assert_eq!(read.result, FamilyResult::Forbidden, "{family}");
        assert_eq!(read.entitlements.len(), seen, "{family}");
        let mut held = read.entitlements.iter();
        assert!(held.all(|held| held.privileged), "it may be an activation");
    }
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    assert_eq!(outcome.verdict, Verdict::Live);
    let left = people.inspect("fix").await.unwrap();
    assert_eq!(left.of(Kind::Group), []);
    assert!(!sim.writes().await.contains(&"delete_user".to_owned()));
    // Once it may be read, the deletion goes on.
    sim.no_faults().await;
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    let closing = &outcome.closing;
    assert_eq!(outcome.verdict, Verdict::NothingLive, "{closing:?}");
    assert!(sim.writes().await.contains(&"delete_user".to_owned()));
}

#[tokio::test]
async fn a_server_without_batches_is_asked_one_by_one() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    sim.fault(json!({"when": {"operation": "batch"}, "then": {"status": 501}}))
        .await;
    let outcome = opt_out(&sim.people(), Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn somebody_who_gets_access_between_plan_and_close_is_seen() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    let people = sim.people();
    let reading = people.inspect("fix").await.unwrap();
    sim.mutate(json!({"do": "assign_role", "user": "fix", "role": "Security Reader"}))
        .await;
    let binding = sever_domain::BindingId::generate();
    let steps = people.plan(Intent::Remove, binding, &reading);
    let refused = crate::drive::run(&people, "fix", steps).await;
    // The account became an administrator meanwhile, whom Graph protects.
    assert!(!refused.is_empty());
    let outcome = opt_out(&people, Intent::Remove, "fix").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth("fix").await["left_behind"]["roles"], json!([]));
}
