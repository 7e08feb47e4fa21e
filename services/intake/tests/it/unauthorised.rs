//! Every route of the description is closed without a token that works, and without the scope that it names.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;
use sever_intake::description;

use crate::fixture::Fixture;

/// Method, path and scope of every operation.
fn operations() -> Vec<(String, String, String)> {
    let description = serde_json::to_value(description()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["bearer"][0]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} names no scope"));
            let path = path.replace("{id}", "01900000-0000-7000-8000-000000000000");
            operations.push((method.to_uppercase(), path, scope.to_owned()));
        }
    }
    assert!(operations.len() >= 3);
    operations
}

fn request(method: &str, path: &str, authorization: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", "k");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    request.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn without_a_token_that_works_everything_is_401() {
    let fixture = Fixture::new().await;
    let ended = fixture
        .token_with(
            "ended",
            &["opt-outs:read"],
            Some(jiff::Timestamp::UNIX_EPOCH),
        )
        .await;
    let revoked = fixture
        .token_with("revoked", &["opt-outs:read"], None)
        .await;
    fixture
        .database
        .sql("UPDATE api_token SET revoked_at = now() WHERE name = 'revoked'")
        .await
        .unwrap();
    let wrong = [
        None,
        Some("Bearer sv_nobody".to_owned()),
        Some(format!("Basic {}", fixture.token)),
        Some(format!("Bearer {ended}")),
        Some(format!("Bearer {revoked}")),
    ];
    let mut paths: Vec<(String, String)> = operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    for extra in [
        "/v1/openapi.json",
        "/",
        "/v1/nosuch",
        "/healthz",
        "/metrics",
    ] {
        paths.push(("GET".to_owned(), extra.to_owned()));
    }
    for (method, path) in &paths {
        for authorization in &wrong {
            let answer = fixture
                .send(request(method, path, authorization.as_deref()))
                .await;
            assert_eq!(answer.status, 401, "{method} {path} {authorization:?}");
            assert!(
                answer.headers[header::WWW_AUTHENTICATE]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer")
            );
            assert_eq!(answer.body["type"], "urn:sever:problem:unauthenticated");
        }
    }
}

#[tokio::test]
async fn without_its_scope_every_operation_is_403_and_names_the_scope() {
    let fixture = Fixture::new().await;
    let other = fixture.token_with("other", &["audit:read"], None).await;
    for (method, path, scope) in operations() {
        let answer = fixture
            .send(request(&method, &path, Some(&format!("Bearer {other}"))))
            .await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(
            answer.body["detail"].as_str().unwrap().contains(&scope),
            "{method} {path}: {}",
            answer.body
        );
        assert!(
            answer.headers[header::WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .contains("insufficient_scope")
        );
    }
}

#[tokio::test]
async fn with_a_token_the_description_is_served_and_the_unknown_is_404_or_405() {
    let fixture = Fixture::new().await;
    let served = fixture.get("/v1/openapi.json", &fixture.token).await;
    assert_eq!(
        (served.status, &served.body["openapi"]),
        (200, &Value::from("3.1.0"))
    );
    assert_eq!(fixture.get("/v1/nosuch", &fixture.token).await.status, 404);
    assert_eq!(
        fixture
            .get("/v1/leaver-events", &fixture.token)
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn a_revoked_token_stops_working_within_seconds() {
    let fixture = Fixture::new().await;
    let token = fixture.token_with("short", &["opt-outs:read"], None).await;
    assert_eq!(fixture.get("/v1/openapi.json", &token).await.status, 200);
    fixture
        .database
        .sql("UPDATE api_token SET revoked_at = now() WHERE name = 'short'")
        .await
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while fixture.get("/v1/openapi.json", &token).await.status != 401 {
        assert!(
            std::time::Instant::now() < deadline,
            "the revocation was not noticed"
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
