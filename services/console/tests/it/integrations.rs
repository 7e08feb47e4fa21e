//! Integrations: applied, shown, disconnected, and refused with the key at fault.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;

fn entry(name: &str, ids: Value) -> Value {
    json!({"name": name, "vendor": "Example", "owner": "sales-systems", "provider_ids": ids})
}

async fn put(api: &Api, entries: Value) -> (StatusCode, Value) {
    let body = json!({"integration": entries});
    api.call(Method::PUT, "/v1/integrations", Some(&body)).await
}

#[tokio::test]
async fn integrations_are_applied_shown_and_disconnected() {
    let api = Api::start().await;
    for change in ["created", "unchanged"] {
        let entries = json!([entry("crm", json!({"okta-main": "0oa1"}))]);
        let (status, applied) = put(&api, entries).await;
        assert_eq!(status, StatusCode::OK, "{applied}");
        assert_eq!(
            applied["applied"][0],
            json!({"name": "crm", "change": change})
        );
    }
    let (_, list) = api.get("/v1/integrations").await;
    assert_eq!(list["items"][0]["connections"], json!(["okta-main"]));
    let (_, crm) = api.get("/v1/integrations/crm").await;
    assert_eq!(
        (&crm["owner"], &crm["applications"][0]["state"]),
        (&json!("sales-systems"), &json!("candidate"))
    );
    let ask = json!({"integration": "crm", "intent": "remove", "reason": "contract ended"});
    let (status, asked) = api.call(Method::POST, "/v1/opt-outs", Some(&ask)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
    let id = asked["opt_out"].as_str().unwrap();
    let (_, view) = api.get(&format!("/v1/opt-outs/{id}")).await;
    assert_eq!(
        (&view["subject_kind"], &view["subject_name"]),
        (&json!("integration"), &json!("crm"))
    );
    let subject = view["subject"].as_str().unwrap();
    for named in ["crm", subject] {
        let path = format!("/v1/integrations/{named}/status");
        let (_, status) = api.get(&path).await;
        assert_eq!(
            (
                &status["subject_name"],
                &status["status"],
                &status["opt_outs"][0]["id"]
            ),
            (&json!("crm"), &json!("partially_disconnected"), &json!(id))
        );
    }
    let (status, _) = api.get(&format!("/v1/people/{subject}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it is no person");
}

#[tokio::test]
async fn what_cannot_be_applied_names_entry_and_key_and_changes_nothing() {
    let api = Api::start().await.with_person().await;
    api.database
        .sql("UPDATE binding SET state = 'confirmed', confirmed_at = now()")
        .await
        .unwrap();
    let good = entry("crm", json!({"okta-main": "0oa1"}));
    for (second, status, field) in [
        (
            entry("chat", json!({"nowhere": "x"})),
            400,
            "/integration/1/provider_ids/nowhere",
        ),
        (
            entry("chat", json!({"okta-main": "00u1"})),
            409,
            "/integration/1/provider_ids/okta-main",
        ),
        (
            entry("chat", json!({"okta-main": "0oa1"})),
            409,
            "/integration/1/provider_ids/okta-main",
        ),
        (entry("crm", json!({})), 400, "/integration/1/name"),
    ] {
        let (got, problem) = put(&api, json!([good, second])).await;
        assert_eq!(
            (got.as_u16(), &problem["field"]),
            (status, &json!(field)),
            "{problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("of integration '"), "{detail}");
    }
    let (_, list) = api.get("/v1/integrations").await;
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn an_opt_out_names_a_person_or_an_integration_and_one_with_an_id() {
    let api = Api::start().await.with_person().await;
    put(&api, json!([entry("crm", json!({}))])).await;
    let whom = json!({"source": "hr", "external_id": "7"});
    for (mut body, status, field) in [
        (
            json!({"integration": "crm", "person": whom}),
            400,
            "/integration",
        ),
        (json!({}), 400, "/person"),
        (json!({"integration": "chat"}), 404, "/integration"),
        (json!({"integration": "crm"}), 422, "/integration"),
        (
            json!({"integration": "crm", "scope": ["okta-main"]}),
            422,
            "/scope",
        ),
    ] {
        body["intent"] = json!("remove");
        body["reason"] = json!("contract ended");
        let (got, problem) = api.call(Method::POST, "/v1/opt-outs", Some(&body)).await;
        assert_eq!(
            (got.as_u16(), &problem["field"]),
            (status, &json!(field)),
            "{problem}"
        );
        if status == 422 {
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("provider_ids"), "says what to do: {detail}");
        }
    }
}

#[tokio::test]
async fn an_integration_is_protected_by_its_name() {
    let api = Api::start().await;
    put(&api, json!([entry("sso", json!({"okta-main": "0oa1"}))])).await;
    let body =
        json!({"integration": "sso", "kind": "other", "owner": "security", "reason": "the way in"});
    let (status, created) = api.call(Method::POST, "/v1/protected", Some(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let (_, list) = api.get("/v1/protected").await;
    assert_eq!(list["items"][0]["integration"], "sso");
    let unknown = json!({"integration": "x", "kind": "other", "owner": "security", "reason": "y"});
    let (status, _) = api
        .call(Method::POST, "/v1/protected", Some(&unknown))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
