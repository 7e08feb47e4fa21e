//! How connections are looked at again, and what is excepted from it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;

fn connection(reconcile: Value) -> Value {
    json!({"connection": [{
        "name": "a", "provider": "okta", "base_url": "https://example.okta.com", "credential": "env:OKTA", "access_token_lifetime": "1h",
        "reconcile": reconcile,
    }]})
}

#[tokio::test]
async fn a_policy_is_applied_shown_audited_and_kept_where_a_file_says_nothing_of_it() {
    let api = Api::start().await;
    let source = json!({"trusted": true});
    let (status, said) = api.call(Method::PUT, "/v1/sources/hr", Some(&source)).await;
    assert!(status.is_success(), "{said}");
    let reconcile = json!({
        "full_every": "12h", "directory_of": "hr", "credential_expires": "2027-01-31T00:00:00Z",
        "policy": {"residual": "report"}, "correlate": [{"number": true}],
    });
    let body = connection(reconcile.clone());
    for change in ["created", "unchanged"] {
        let (status, applied) = api.call(Method::PUT, "/v1/connections", Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{applied}");
        assert_eq!(applied["applied"][0]["change"], change);
    }
    let mut silent = body.clone();
    silent["connection"][0]
        .as_object_mut()
        .unwrap()
        .remove("reconcile");
    let (_, applied) = api
        .call(Method::PUT, "/v1/connections", Some(&silent))
        .await;
    assert_eq!(applied["applied"][0]["change"], "unchanged");
    let (_, list) = api.get("/v1/connections").await;
    let shown = &list["items"][0]["reconcile"];
    for (key, value) in reconcile.as_object().unwrap() {
        assert_eq!(&shown[key], value, "{key}");
    }
    assert_eq!(
        shown["findings_min"], 50,
        "what is left out has its default"
    );
    let less = connection(json!({}));
    let (_, applied) = api.call(Method::PUT, "/v1/connections", Some(&less)).await;
    assert_eq!(applied["applied"][0]["change"], "changed");
    let events = "SELECT count(*) FROM audit_event WHERE kind = 'connection.changed' AND convert_from(canonical, 'UTF8') LIKE '%directory_of%'";
    assert_eq!(api.database.sql(events).await.unwrap(), "2");
    for (wrong, status) in [
        (json!({"policy": {"missing": "repair"}}), 400),
        (json!({"correlate": [{"mail": true}]}), 400),
        (json!({"incremental_every": "5m"}), 400),
        (json!({"directory_of": "nobody"}), 409),
    ] {
        let (said, problem) = api
            .call(Method::PUT, "/v1/connections", Some(&connection(wrong)))
            .await;
        assert_eq!(said.as_u16(), status, "{problem}");
    }
}

#[tokio::test]
async fn an_exception_stands_until_it_is_ended_and_stays_in_the_record() {
    let api = Api::start().await;
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let mut body = json!({
        "account": "okta-main:00u1", "kind": "service_account", "owner": "platform team", "reason": "runs the export",
        "until": until.to_string(),
    });
    let (status, first) = api.call(Method::POST, "/v1/exceptions", Some(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    body["owner"] = json!("security team");
    let (_, again) = api.call(Method::POST, "/v1/exceptions", Some(&body)).await;
    assert_eq!(
        first["id"], again["id"],
        "one account has one standing exception"
    );
    let (_, list) = api.get("/v1/exceptions").await;
    assert_eq!(list["items"][0]["owner"], "security team");
    assert_eq!(list["items"][0]["state"], "stands");
    let end = format!("/v1/exceptions/{}/end", first["id"].as_str().unwrap());
    for expected in [204, 404] {
        let (status, _) = api.call(Method::POST, &end, None).await;
        assert_eq!(status.as_u16(), expected);
    }
    let (_, list) = api.get("/v1/exceptions").await;
    assert_eq!(list["items"], json!([]));
    let (_, list) = api.get("/v1/exceptions?ended=true").await;
    assert_eq!(list["items"][0]["state"], "ended");
    let events = "SELECT count(*) FROM audit_event WHERE kind = 'exception.changed'";
    assert_eq!(api.database.sql(events).await.unwrap(), "3");
}
