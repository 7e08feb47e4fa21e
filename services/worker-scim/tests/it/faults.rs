//! Faults of the network and of the application, and servers that do not do as they are asked.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_scim::ScimFactory;

use crate::drive::opt_out;
use crate::people;
use crate::removal::nobody_else_is_concerned;
use crate::sim::Sim;

/// A removal ends well although this happens to one call, at whichever position.
async fn whichever_call(then: Value, when: Value) {
    for after in 0.. {
        let sim = Sim::start(json!({})).await;
        let ada = sim.seed(&people::two()).await.remove(0);
        sim.fault(json!({ "when": when, "then": then, "after": after, "count": 1 }))
            .await;
        let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{then} {after}: {:?}",
            outcome.closing
        );
        assert_eq!(sim.truth(&ada).await["live"], json!([]), "{then} {after}");
        nobody_else_is_concerned(&sim, &ada).await;
        let fired = sim.control("GET", "/faults", &Value::Null).await["rules"][0]["fired"].clone();
        if fired == 0 {
            assert!(after > 5, "the fault met too few calls");
            return;
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_at_any_call_changes_nothing_about_the_end() {
    whichever_call(json!({ "answer_lost": true }), json!({ "write": true })).await;
}

#[tokio::test]
async fn a_reset_at_any_call_changes_nothing_about_the_end() {
    whichever_call(json!({ "reset": true }), json!({})).await;
}

#[tokio::test]
async fn a_server_error_at_any_call_changes_nothing_about_the_end() {
    whichever_call(json!({ "status": 503 }), json!({})).await;
    whichever_call(
        json!({ "status": 500, "after_effect": true }),
        json!({ "write": true }),
    )
    .await;
}

#[tokio::test]
async fn a_write_that_takes_effect_twice_changes_nothing_about_the_end() {
    whichever_call(json!({ "twice": true }), json!({ "write": true })).await;
}

#[tokio::test]
async fn a_429_at_any_write_is_obeyed() {
    whichever_call(
        json!({ "status": 429, "reset_in_s": 1 }),
        json!({ "write": true }),
    )
    .await;
}

#[tokio::test]
async fn a_429_stops_the_reading_with_its_time() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let rule = json!({ "when": { "operation": "list_groups" }, "then": { "status": 429, "reset_in_s": 3 } });
    sim.fault(rule).await;
    let connector = sim.connector();
    let error = connector.inspect(&ada).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::RetryAt);
    assert!(error.retry_after.unwrap().as_secs() >= 3 && connector.blocked_for().is_some());
}

#[tokio::test]
async fn a_server_that_ignores_the_filter_changes_nobody_else() {
    for settings in [
        json!({ "ignore_filter": true }),
        json!({ "ignore_filter": true, "user_groups": false }),
    ] {
        let sim = Sim::start(settings).await;
        let users = sim.seed(&people::two()).await;
        let before = sim.truth(&users[1]).await;
        let outcome = opt_out(&sim.connector(), Intent::Remove, &users[0]).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{:?}",
            outcome.closing
        );
        assert_eq!(sim.truth(&users[0]).await["live"], json!([]));
        let after = sim.truth(&users[1]).await;
        assert_eq!(
            (&after["groups"], &after["live"]),
            (&before["groups"], &before["live"])
        );
    }
}

#[tokio::test]
async fn pages_that_overlap_are_read_whole_and_pages_that_never_end_are_no_reading() {
    let family = |reading: sever_domain::entitlement::AccountReading| {
        let mut families = reading.families.into_iter();
        families
            .find(|family| family.family == EntitlementKind::Group)
            .unwrap()
    };
    for total in [true, false] {
        let sim = Sim::start(
            json!({ "page_size_max": 1, "page_repeats": "twice", "total_results": total }),
        )
        .await;
        let ada = sim.seed(&people::two()).await.remove(0);
        let groups = family(sim.connector().inspect(&ada).await.unwrap());
        assert_eq!(
            (groups.result, groups.entitlements.len()),
            (FamilyResult::Complete, 2),
            "{total}"
        );
        let settings =
            json!({ "page_size_max": 1, "page_repeats": "forever", "total_results": total });
        sim.configure(settings).await;
        let groups = family(sim.connector().inspect(&ada).await.unwrap());
        assert_eq!(
            (groups.result, groups.entitlements.len()),
            (FamilyResult::Failed, 0),
            "{total}"
        );
    }
}

#[tokio::test]
async fn a_refused_token_is_wrong_credentials_and_is_not_told() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let connector = ScimFactory::default()
        .connect(sim.settings("another-token"))
        .unwrap()
        .people;
    for error in [
        connector.canary().await.unwrap_err(),
        connector.inspect(&ada).await.unwrap_err(),
    ] {
        assert_eq!(error.class, OutcomeClass::Credentials);
        assert!(!format!("{error} {error:?} {connector:?}").contains("another-token"));
    }
}

#[tokio::test]
async fn an_application_that_gives_no_list_without_a_filter_proves_itself_by_a_search_for_nobody() {
    for settings in [
        json!({ "unfiltered_refusal": 400 }),
        json!({ "unfiltered_refusal": 403, "discovery_status": 404 }),
        json!({ "unfiltered_refusal": 400, "no_match_status": 404 }),
        json!({ "unfiltered_refusal": 403, "ignore_filter": true }),
    ] {
        let sim = Sim::start(settings.clone()).await;
        sim.seed(&people::two()).await;
        let proven = sim.connector().canary().await;
        assert_eq!(proven, Ok(()), "{settings}");
    }
    // No search either, or neither a list nor a word of what it is: that proves nothing.
    for settings in [
        json!({ "unfiltered_refusal": 400, "refused_filters": ["userName"] }),
        json!({ "unfiltered_refusal": 400, "no_match_status": 404, "discovery_status": 404 }),
    ] {
        let sim = Sim::start(settings.clone()).await;
        let error = sim.connector().canary().await.unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson, "{settings}");
    }
}

#[tokio::test]
async fn a_wrong_address_is_no_empty_application() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let mut settings = sim.settings(crate::sim::TOKEN);
    settings.base_url = format!("{}/v2", settings.base_url).parse().unwrap();
    let connector = ScimFactory::default().connect(settings).unwrap().people;
    assert_eq!(
        connector.canary().await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
    sim.fault(json!({ "then": { "status": 200, "body": "<html>", "headers": [["content-type", "text/html"]] } })).await;
    assert_eq!(
        sim.connector().canary().await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_their_field() {
    let sim = Sim::start(json!({})).await;
    let refused = |change: &dyn Fn(&mut sever_provider::ConnectionSettings)| {
        let mut settings = sim.settings("token");
        change(&mut settings);
        ScimFactory::default().connect(settings).unwrap_err().field
    };
    assert_eq!(refused(&|it| it.credential = "".into()), "credential");
    assert_eq!(
        refused(&|it| it.base_url = "http://app.example".parse().unwrap()),
        "base_url"
    );
    assert_eq!(refused(&|it| it.in_flight_max = 0), "in_flight_max");
}

#[tokio::test]
async fn a_cursor_that_expired_begins_the_list_anew() {
    let sim = Sim::start(
        json!({ "pages": "cursor", "page_size_max": 1, "refused_filters": ["members.value"] }),
    )
    .await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let expired =
        json!({ "status": 400, "body": { "status": "400", "scimType": "expiredCursor" } });
    sim.fault(
        json!({ "when": { "operation": "list_groups" }, "then": expired, "after": 2, "count": 1 }),
    )
    .await;
    let reading = sim.connector().inspect(&ada).await.unwrap();
    let groups = reading.families.last().unwrap();
    assert_eq!(
        (groups.result, groups.entitlements.len()),
        (FamilyResult::Complete, 2)
    );
}
