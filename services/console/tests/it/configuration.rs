//! Connections, sources, tokens and the protected list.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;

fn connection(name: &str) -> Value {
    json!({"name": name, "provider": "okta", "base_url": "https://example.okta.com", "credential": "env:OKTA", "access_token_lifetime": "1h"})
}

#[tokio::test]
async fn connections_are_applied_all_or_none() {
    let api = Api::start().await;
    let body = json!({"connection": [connection("a"), connection("b")]});
    for change in ["created", "unchanged"] {
        let (status, applied) = api.call(Method::PUT, "/v1/connections", Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{applied}");
        assert_eq!(
            applied["applied"][1],
            json!({"name": "b", "change": change})
        );
    }
    let mut wrong = json!({"connection": [connection("c"), connection("d")]});
    wrong["connection"][1]["credential"] = json!("hunter2");
    let (status, problem) = api.call(Method::PUT, "/v1/connections", Some(&wrong)).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("/connection/1/credential"))
    );
    assert!(!problem.to_string().contains("hunter2"));
    let mut other = json!({"connection": [connection("e"), connection("a")]});
    other["connection"][1]["provider"] = json!("vanta");
    let (status, _) = api.call(Method::PUT, "/v1/connections", Some(&other)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, list) = api.get("/v1/connections").await;
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["a", "b", "okta-main"]);
    assert_eq!(list["items"][0]["access_token_lifetime"], "1h");
}

#[tokio::test]
async fn a_key_that_is_missing_or_unknown_is_named() {
    let api = Api::start().await;
    let mut missing = json!({"connection": [connection("a")]});
    missing["connection"][0]
        .as_object_mut()
        .unwrap()
        .remove("credential");
    let mut unknown = json!({"connection": [connection("a")]});
    unknown["connection"][0]["colour"] = json!("red");
    for (body, part) in [(missing, "credential"), (unknown, "colour")] {
        let (status, problem) = api.call(Method::PUT, "/v1/connections", Some(&body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem.to_string().contains(part), "{problem}");
    }
}

#[tokio::test]
async fn a_token_works_once_made_and_no_more_once_revoked() {
    let api = Api::start().await;
    let body = json!({"name": "reader", "scopes": ["opt-outs:read"], "expires_in": "90d"});
    let (status, created) = api.call(Method::POST, "/v1/tokens", Some(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let token = created["token"].as_str().unwrap();
    let (status, _) = api.call_as(token, Method::GET, "/v1/overview", None).await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = api.call(Method::POST, "/v1/tokens", Some(&body)).await;
    assert_eq!((status.as_u16(), &problem["field"]), (409, &json!("/name")));
    let (_, list) = api.get("/v1/tokens").await;
    assert!(
        !list.to_string().contains(token),
        "a list never shows a token"
    );
    let (status, _) = api.call(Method::DELETE, "/v1/tokens/reader", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = api.call(Method::DELETE, "/v1/tokens/reader", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let live = api
        .database
        .sql("SELECT revoked_at IS NOT NULL FROM api_token WHERE name = 'reader'")
        .await;
    assert_eq!(live.unwrap(), "t");
}

#[tokio::test]
async fn a_token_for_an_unknown_source_or_scope_is_refused() {
    let api = Api::start().await;
    for (body, part) in [
        (
            json!({"name": "x", "scopes": ["opt-outs:read"], "source": "nowhere"}),
            "nowhere",
        ),
        (json!({"name": "x", "scopes": ["everything"]}), "everything"),
        (json!({"name": "x", "scopes": []}), "scope"),
        (
            json!({"name": "X Y", "scopes": ["opt-outs:read"]}),
            "lower-case",
        ),
    ] {
        let (status, problem) = api.call(Method::POST, "/v1/tokens", Some(&body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(problem.to_string().contains(part), "{problem}");
    }
}

#[tokio::test]
async fn a_broker_user_belongs_to_one_source() {
    let api = Api::start().await;
    let body = json!({"broker_user": "hr-publisher", "trusted": true});
    let (status, source) = api.call(Method::PUT, "/v1/sources/hr", Some(&body)).await;
    assert_eq!((status, &source["trusted"]), (StatusCode::OK, &json!(true)));
    let (status, problem) = api
        .call(Method::PUT, "/v1/sources/other", Some(&body))
        .await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (409, &json!("/broker_user"))
    );
    let (_, list) = api.get("/v1/sources").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let kept = api
        .database
        .sql("SELECT count(*) FROM audit_event WHERE kind = 'source.changed'")
        .await;
    assert_eq!(kept.unwrap(), "1");
}

#[tokio::test]
async fn people_and_accounts_are_protected_and_taken_off() {
    let api = Api::start().await.with_person().await;
    let entry = |who: &str, value: &str| json!({who: value, "kind": "break_glass", "owner": "security", "reason": "the way back in"});
    let (status, created) = api
        .call(
            Method::POST,
            "/v1/protected",
            Some(&entry("person", "hr:7")),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let (status, _) = api
        .call(
            Method::POST,
            "/v1/protected",
            Some(&entry("account", "okta-main:00u9")),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, list) = api.get("/v1/protected").await;
    assert_eq!(list["items"][1]["account"], "okta-main:00u9");
    for (body, expected) in [
        (entry("person", "hr:8"), 404),
        (entry("account", "nowhere:00u9"), 404),
        (entry("account", "00u9"), 400),
        (
            json!({"kind": "break_glass", "owner": "security", "reason": "x"}),
            400,
        ),
        (
            json!({"person": "hr:7", "kind": "vip", "owner": "security", "reason": "x"}),
            400,
        ),
        (
            json!({"person": "hr:7", "kind": "other", "owner": "ada@example.test", "reason": "x"}),
            400,
        ),
    ] {
        let (status, problem) = api.call(Method::POST, "/v1/protected", Some(&body)).await;
        assert_eq!(status.as_u16(), expected, "{problem}");
    }
    let path = format!("/v1/protected/{}", created["id"].as_str().unwrap());
    for expected in [204, 404] {
        let (status, _) = api.call(Method::DELETE, &path, None).await;
        assert_eq!(status.as_u16(), expected);
    }
}
