//! Servers as they are met: each with what it leaves out, wants besides, or does otherwise.

use std::sync::Mutex;

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, FamilyResult};
use sever_domain::identity::PersonAttributes;
use sever_domain::{Action, EntitlementKind};
use sever_provider::{AnswerKind, Connector as _, Effect};

use crate::peer::{Peer, Request};

fn effect(action: Action, kind: EntitlementKind, key: &str) -> Effect {
    Effect {
        action,
        account_id: "u1".into(),
        target_kind: kind,
        target_key: key.into(),
        facts: json!({}),
    }
}

fn groups(reading: &AccountReading) -> (FamilyResult, Vec<&str>) {
    let mut families = reading.families.iter();
    let family = families
        .find(|family| family.family == EntitlementKind::Group)
        .unwrap();
    let keys = family.entitlements.iter();
    (
        family.result,
        keys.map(|group| group.provider_key.as_str()).collect(),
    )
}

fn list(resources: Value) -> (u16, Value) {
    (200, json!({ "Resources": resources }))
}

fn ada() -> Value {
    json!({ "id": "u1", "userName": "ada@example.com", "active": true, "groups": [{ "value": "g1", "display": "Sales" }] })
}

#[tokio::test]
async fn without_an_endpoint_for_groups_the_users_own_list_is_believed() {
    let peer = Peer::start(|request: &Request| match request.target.as_str() {
        "/scim/Users/u1" => (200, ada()),
        _ => (404, Value::Null),
    })
    .await;
    let reading = peer.connector("/scim/").inspect("u1").await.unwrap();
    assert_eq!(groups(&reading), (FamilyResult::Complete, vec!["g1"]));
}

#[tokio::test]
async fn a_filter_that_finds_nobody_is_believed_only_once_it_has_found_somebody() {
    let groups_of = json!([
        { "id": "g1", "members": [{ "$ref": "../Users/u1" }] }, { "id": "g2", "members": [{ "value": "u2" }] },
    ]);
    let peer = Peer::start(move |request: &Request| {
        let target = request.target.as_str();
        match target {
            "/Users/u1" => (200, json!({ "id": "u1", "active": true })),
            "/Users/u2" => (200, json!({ "id": "u2", "active": true })),
            "/Users/u3" => (200, json!({ "id": "u3", "active": true })),
            // Two servers in one: what it says of u2 it finds, and of u1 it does not.
            _ if target.contains("filter") && target.contains("u2") => list(json!([groups_of[1]])),
            _ if target.contains("filter") => list(json!([])),
            _ if target.contains("startIndex=1&") => list(groups_of.clone()),
            _ => list(json!([])),
        }
    })
    .await;
    let connector = peer.connector("");
    let reading = connector.inspect("u1").await.unwrap();
    assert_eq!(groups(&reading), (FamilyResult::Complete, vec!["g1"]));
    let scans = || {
        let seen = peer.seen();
        let scan = |line: &&String| line.contains("/Groups?startIndex=1&");
        seen.iter().filter(scan).count()
    };
    assert_eq!(scans(), 1);
    let found = connector.inspect("u2").await.unwrap();
    assert_eq!(groups(&found), (FamilyResult::Complete, vec!["g2"]));
    let lone = connector.inspect("u3").await.unwrap();
    assert_eq!(groups(&lone), (FamilyResult::Complete, vec![]));
    assert_eq!(scans(), 1, "the filter is known by now");
}

#[tokio::test]
async fn a_list_without_pages_and_totals_is_whole_and_pages_that_come_again_are_not() {
    let person = PersonAttributes {
        emails: vec!["ada@example.com".into()],
        ..PersonAttributes::default()
    };
    for knows_count in [false, true] {
        let peer = Peer::start(move |request: &Request| {
            match knows_count && request.target.ends_with("count=0") {
                true => list(json!([])),
                false => list(json!([ada(), { "id": "u2", "userName": "bob@example.com" }])),
            }
        })
        .await;
        let found = peer.connector("/v2").find_by_login(&person).await;
        let ids = found.map(|found| found.iter().map(|it| it.provider_id.clone()).collect());
        match knows_count {
            false => assert_eq!(ids, Ok(vec!["u1".to_owned()])),
            true => assert!(ids.is_err(), "{ids:?}"),
        }
    }
}

#[tokio::test]
async fn an_account_that_bears_the_number_and_no_address_is_found() {
    let person = PersonAttributes {
        emails: vec!["ada@example.com".into()],
        external_ids: vec!["E7".into()],
        ..PersonAttributes::default()
    };
    let jsmith = json!({ "id": "u1", "userName": "abyron", "externalId": "E7" });
    let other = json!({ "id": "u2", "userName": "other", "externalId": "e7" });
    for refuses in [false, true] {
        let (jsmith, other) = (jsmith.clone(), other.clone());
        let peer =
            Peer::start(
                move |request: &Request| match request.target.contains("externalId") {
                    true if refuses => (400, json!({ "scimType": "invalidFilter" })),
                    false if request.target.contains("filter=") => {
                        (200, json!({ "totalResults": 0 }))
                    }
                    _ => (
                        200,
                        json!({ "totalResults": 2, "Resources": [jsmith, other] }),
                    ),
                },
            )
            .await;
        let found = peer.connector("").find_by_login(&person).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|it| it.provider_id.as_str()).collect();
        assert_eq!(ids, ["u1"]);
        let seen = peer.seen();
        let everybody = seen.iter().any(|line| line.contains("/Users?startIndex"));
        assert_eq!(everybody, refuses, "nobody else is read for a number");
    }
}

/// A server that keeps `active` of one user, under a version, and takes what `takes` says.
async fn versioned(takes: impl Fn(&Request) -> Option<u16> + Send + Sync + 'static) -> Peer {
    let state = Mutex::new((true, 1_u32, true));
    Peer::start(move |request: &Request| {
        let mut state = state.lock().unwrap();
        if !state.2 {
            return (404, Value::Null);
        }
        if request.method == "GET" {
            let version = format!("W/\"{}\"", state.1);
            let user = json!({ "id": "u1", "active": state.0, "meta": { "version": version } });
            return (200, user);
        }
        if let Some(status) = takes(request) {
            return (status, Value::Null);
        }
        match request.method.as_str() {
            "DELETE" => state.2 = false,
            "PUT" => state.0 = request.body["active"] != json!(false),
            _ => state.0 = request.body["Operations"][0]["value"] != json!(false),
        }
        state.1 += 1;
        (204, Value::Null)
    })
    .await
}

#[tokio::test]
async fn a_server_that_writes_nothing_without_a_version_gets_one() {
    for status in [412, 428] {
        let peer = versioned(move |request| {
            request
                .header("if-match")
                .is_none_or(|version| !version.starts_with("W/\""))
                .then_some(status)
        })
        .await;
        let connector = peer.connector("");
        let suspend = effect(Action::SuspendAccount, EntitlementKind::Account, "u1");
        let answer = connector.apply(&suspend).await.unwrap();
        assert_eq!(answer.kind, AnswerKind::Done, "{status}");
        let delete = effect(Action::DeleteAccount, EntitlementKind::Account, "u1");
        let answer = connector.apply(&delete).await.unwrap();
        assert_eq!(answer.kind, AnswerKind::Done, "{status}");
        let again = connector.apply(&delete).await.unwrap();
        assert_eq!(again.kind, AnswerKind::AlreadyGone);
    }
}

#[tokio::test]
async fn a_server_is_asked_in_the_media_type_that_it_takes() {
    let strict = versioned(|request| {
        let accepts = request.header("accept").unwrap_or_default();
        let sends = request.header("content-type").unwrap_or_default();
        match (accepts.contains("scim+json"), sends) {
            (false, _) => Some(406),
            (true, "application/json") => None,
            (true, _) => Some(415),
        }
    })
    .await;
    let connector = strict.connector("");
    let suspend = effect(Action::SuspendAccount, EntitlementKind::Account, "u1");
    for action in [Action::SuspendAccount, Action::ReinstateAccount] {
        let effect = Effect {
            action,
            ..suspend.clone()
        };
        connector.apply(&effect).await.unwrap();
    }
    let patches = strict.seen().into_iter();
    let patches = patches.filter(|line| line.starts_with("PATCH"));
    assert_eq!(patches.count(), 3, "the media type is asked for once");
}

#[tokio::test]
async fn a_form_over_which_a_server_breaks_is_not_the_first_again() {
    let peer = versioned(|request| (request.method == "PATCH").then_some(500)).await;
    let connector = peer.connector("");
    let suspend = effect(Action::SuspendAccount, EntitlementKind::Account, "u1");
    for _ in 0..3 {
        let error = connector.apply(&suspend).await.unwrap_err();
        assert_eq!(error.class, sever_domain::OutcomeClass::Retry, "{error}");
    }
    let answer = connector.apply(&suspend).await.unwrap();
    assert_eq!(answer.kind, AnswerKind::Done);
}

#[tokio::test]
async fn ids_stay_what_they_are() {
    for id in ["a/b?c#d", "a b+c%2F", "ü\\x", "urn:x:y"] {
        let peer = Peer::start(move |request: &Request| {
            let end = request.target.rsplit("/Users/").next().unwrap_or_default();
            let text = percent_decoded(end);
            (200, json!({ "id": text, "active": true }))
        })
        .await;
        for base in ["/scim/v2", "/scim/v2/"] {
            let found = peer.connector(base).find_by_id(id).await.unwrap();
            assert!(
                matches!(found, sever_provider::FoundAccount::Present(account) if account.provider_id == id),
                "{id}"
            );
        }
        let seen = peer.seen();
        assert!(
            seen.iter()
                .all(|line| line.starts_with("GET /scim/v2/Users/"))
        );
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let hex = [*high, *low];
                let hex = std::str::from_utf8(&hex).unwrap();
                bytes.push(u8::from_str_radix(hex, 16).unwrap());
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_list_whose_total_moves_is_read_anew() {
    let group = |id: &str, member: &str| json!({ "id": id, "members": [{ "value": member }] });
    let page =
        |total: usize, groups: Value| (200, json!({ "totalResults": total, "Resources": groups }));
    let begun = Mutex::new(0);
    let peer = Peer::start(move |request: &Request| {
        let target = request.target.as_str();
        match target {
            "/Users/u1" => (200, json!({ "id": "u1", "active": true })),
            _ if target.contains("filter") => (400, json!({ "scimType": "invalidFilter" })),
            _ if target.contains("startIndex=1&") => {
                let mut begun = begun.lock().unwrap();
                *begun += 1;
                match *begun {
                    1 => page(3, json!([group("g1", "u2"), group("g2", "u2")])),
                    _ => page(2, json!([group("g2", "u2"), group("g3", "u1")])),
                }
            }
            // The first group went meanwhile: the third is the second now.
            _ if target.contains("startIndex=3&") => page(2, json!([])),
            _ => (404, Value::Null),
        }
    })
    .await;
    let reading = peer.connector("").inspect("u1").await.unwrap();
    assert_eq!(groups(&reading), (FamilyResult::Complete, vec!["g3"]));
}

#[tokio::test]
async fn groups_too_large_for_one_answer_are_asked_for_in_smaller_pages() {
    let peer = Peer::start(|request: &Request| {
        let target = request.target.as_str();
        let members = match target.contains("count=100") || target.contains("count=25") {
            true => json!([{ "value": "u1", "display": "x".repeat(9 << 20) }]),
            false => json!([{ "value": "u1" }]),
        };
        match target {
            "/Users/u1" => (200, json!({ "id": "u1", "active": true })),
            _ if target.contains("/Groups?") => {
                let group = json!({ "id": "g1", "members": members });
                (200, json!({ "totalResults": 1, "Resources": [group] }))
            }
            _ => (404, Value::Null),
        }
    })
    .await;
    let reading = peer.connector("").inspect("u1").await.unwrap();
    assert_eq!(groups(&reading), (FamilyResult::Complete, vec!["g1"]));
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_while_the_account_is_shown_teaches_nothing() {
    let peer = Peer::start(|request: &Request| match request.method.as_str() {
        "DELETE" => (404, Value::Null),
        _ if request.target.contains("/Users/u1") => {
            let user = json!({ "id": "u1", "userName": "ada", "active": false });
            (200, user)
        }
        _ => {
            let users = json!([{ "id": "u1", "userName": "ada", "active": false }]);
            (200, json!({ "totalResults": 1, "Resources": users }))
        }
    })
    .await;
    let connector = peer.connector("");
    let delete = effect(Action::DeleteAccount, EntitlementKind::Account, "u1");
    let error = connector.apply(&delete).await.unwrap_err();
    assert_eq!(error.class, sever_domain::OutcomeClass::Retry, "{error}");
    let reading = connector.inspect("u1").await.unwrap();
    let binding = sever_domain::BindingId::generate();
    let plan = connector.plan(sever_domain::Intent::Remove, binding, &reading);
    let last = plan.last().unwrap();
    assert_eq!(
        last.action,
        Action::DeleteAccount,
        "the next one is deleted"
    );
}
