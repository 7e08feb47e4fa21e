//! No route answers without a token, and none without its scope.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use sever_api::Scope;

use crate::api::Api;

/// Every operation of the description: method, path with made-up parameters, scope.
fn operations() -> Vec<(Method, String, Scope)> {
    let description = serde_json::to_value(sever_console::description()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path
            .replace("{id}", "01890000-0000-7000-8000-000000000000")
            .replace("{person}", "hr:7")
            .replace("{integration}", "crm")
            .replace("{provider}", "okta")
            .replace("{name}", "x");
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            let scope = operation["security"][0]["bearer"][0].as_str().unwrap();
            all.push((method, path.clone(), scope.parse().unwrap()));
        }
    }
    assert!(all.len() >= 26, "{all:?}");
    all
}

fn request(method: &Method, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    let media_type = if path.ends_with("import") {
        "text/csv"
    } else {
        "application/json"
    };
    request = request
        .header(header::CONTENT_TYPE, media_type)
        .header("Idempotency-Key", "k");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    // Of the shape of no body: token and scope are looked at before it.
    request.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn every_operation_is_401_without_a_token_and_403_without_its_scope() {
    let api = Api::start().await;
    for (method, path, scope) in operations() {
        for token in [None, Some("sv_nobody")] {
            let (status, problem) = api.send(request(&method, &path, token)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(problem["type"], "urn:sever:problem:unauthenticated");
        }
        let others: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|other| *other != scope)
            .collect();
        let token = api
            .token_with(&format!("without-{}", uuid::Uuid::new_v4()), &others, None)
            .await;
        let (status, problem) = api.send(request(&method, &path, Some(&token))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(scope.as_str()),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn the_description_needs_no_token_and_unknown_paths_need_one() {
    let api = Api::start().await;
    let (status, description) = api
        .send(request(&Method::GET, "/v1/openapi.json", None))
        .await;
    assert_eq!(
        (status, &description["openapi"]),
        (StatusCode::OK, &"3.1.0".into())
    );
    for (token, expected) in [(None, 401), (Some(api.token.as_str()), 404)] {
        let (status, _) = api.send(request(&Method::GET, "/v1/nothing", token)).await;
        assert_eq!(status.as_u16(), expected);
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let api = Api::start().await;
    for (path, field) in [
        ("/v1/opt-outs?state=gone", "state"),
        ("/v1/opt-outs?limit=many", "limit"),
        ("/v1/holds?reason=because", "reason"),
        ("/v1/holds?state=maybe", "state"),
        ("/v1/opt-outs/7", "id"),
        ("/v1/people/ada", "person"),
    ] {
        let (status, problem) = api.get(path).await;
        assert_eq!(
            (status.as_u16(), &problem["field"]),
            (400, &field.into()),
            "{path}: {problem}"
        );
    }
    let (status, problem) = api.get("/v1/opt-outs?stat=open").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["detail"].as_str().unwrap().contains("stat"),
        "{problem}"
    );
}
