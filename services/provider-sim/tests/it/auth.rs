//! Credentials: SSWS, access tokens of service apps, scopes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::http::Response;
use crate::sim::{Org, Sim};

const SETTINGS: &str = r#"{"oauth_clients": [
    {"client_id": "0oaworker", "scopes": ["okta.users.read", "okta.users.manage", "okta.groups.read"]},
    {"client_id": "0oanoadmin", "scopes": ["okta.users.read"], "admin": false}
]}"#;

fn assertion(audience: &str, client: &str, lives_s: i64, jti: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims =
        json!({ "aud": audience, "iss": client, "sub": client, "exp": now + lives_s, "jti": jti });
    format!(
        "{}.{}.{}",
        part(json!({ "alg": "RS256", "kid": "k1" })),
        part(claims),
        "c2ln"
    )
}

fn token(org: &Org<'_>, assertion: &str, scope: &str) -> Response {
    let form = format!(
        "grant_type=client_credentials&scope={scope}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    org.try_send("POST", "/oauth2/v1/token", &headers, Some(form.as_bytes()))
        .unwrap()
}

fn with(org: &Org<'_>, token: &str, method: &str, path: &str) -> Response {
    let header = format!("Bearer {token}");
    let body = (method != "GET").then_some(&b""[..]);
    org.try_send(method, path, &[("authorization", &header)], body)
        .unwrap()
}

#[test]
fn calls_without_a_good_credential_are_401() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    for header in [
        "",
        "SSWS wrong",
        "Bearer wrong",
        "secret-of-the-worker",
        "Bearer secret-of-the-worker",
    ] {
        let response = org
            .try_send("GET", "/api/v1/users", &[("authorization", header)], None)
            .unwrap();
        assert_eq!(
            (response.status, response.code().as_str()),
            (401, "E0000011"),
            "{header}"
        );
    }
}

#[test]
fn me_is_the_owner_of_the_token() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let ada = org.person(json!({}));
    assert_eq!(org.get("/api/v1/users/me").status, 404);
    org.put(json!({"ssws_tokens": [
        { "token": "secret-of-the-worker", "name": "worker", "user_id": ada }
    ]}));
    assert_eq!(org.get("/api/v1/users/me").json()["id"], ada);
}

#[test]
fn an_access_token_opens_what_its_scopes_name_until_it_ends() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", serde_json::from_str(SETTINGS).unwrap());
    let id = org.person(json!({}));
    let audience = format!("http://{}/okta/main/oauth2/v1/token", sim.address);
    let answer = token(
        &org,
        &assertion(&audience, "0oaworker", 300, "1"),
        "okta.users.read+okta.users.manage",
    )
    .json();
    assert_eq!(
        (answer["token_type"].as_str(), answer["expires_in"].as_u64()),
        (Some("Bearer"), Some(3600))
    );
    let access = answer["access_token"].as_str().unwrap();
    assert_eq!(with(&org, access, "GET", "/api/v1/users").status, 200);
    assert_eq!(
        with(
            &org,
            access,
            "DELETE",
            &format!("/api/v1/users/{id}/sessions")
        )
        .status,
        204
    );
    let refused = with(&org, access, "GET", "/api/v1/groups");
    assert_eq!((refused.status, refused.code().as_str()), (403, "E0000006"));
    let entries = sim.journal("effect=write");
    assert_eq!(
        entries[1]["principal"], "0oaworker",
        "the journal names the service app"
    );
    assert!(
        !format!("{:?}", sim.journal("")).contains(access),
        "and never its token"
    );
    sim.control("POST", "/clock", &json!({ "advance_ms": 3_601_000 }));
    assert_eq!(
        with(&org, access, "GET", "/api/v1/users").code(),
        "E0000011"
    );
}

#[test]
fn access_tokens_can_be_ended_on_request() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", serde_json::from_str(SETTINGS).unwrap());
    let audience = format!("http://{}/okta/main/oauth2/v1/token", sim.address);
    let answer = token(
        &org,
        &assertion(&audience, "0oaworker", 300, "1"),
        "okta.users.read",
    )
    .json();
    let access = answer["access_token"].as_str().unwrap();
    let revoked = sim
        .control("POST", "/okta/main/tokens/revoke", &json!({}))
        .json();
    assert_eq!(revoked["revoked"], 1);
    assert_eq!(with(&org, access, "GET", "/api/v1/users").status, 401);
}

#[test]
fn assertions_and_scopes_that_do_not_fit_are_refused() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", serde_json::from_str(SETTINGS).unwrap());
    let audience = format!("http://{}/okta/main/oauth2/v1/token", sim.address);
    let good = |jti| assertion(&audience, "0oaworker", 300, jti);
    for (assertion, scope, error) in [
        (
            assertion("http://elsewhere/token", "0oaworker", 300, "a"),
            "okta.users.read",
            "invalid_client",
        ),
        (
            assertion(&audience, "0oaunknown", 300, "b"),
            "okta.users.read",
            "invalid_client",
        ),
        (
            assertion(&audience, "0oaworker", -5, "c"),
            "okta.users.read",
            "invalid_client",
        ),
        (
            assertion(&audience, "0oaworker", 7200, "d"),
            "okta.users.read",
            "invalid_client",
        ),
        ("not-a-jwt".to_owned(), "okta.users.read", "invalid_client"),
        (good("e"), "okta.apps.read", "invalid_scope"),
    ] {
        assert_eq!(
            token(&org, &assertion, scope).json()["error"],
            error,
            "{assertion}"
        );
    }
    let once = good("f");
    assert_eq!(token(&org, &once, "okta.users.read").status, 200);
    assert_eq!(
        token(&org, &once, "okta.users.read").json()["error"],
        "invalid_client",
        "a jti works once"
    );
}

#[test]
fn scopes_without_an_admin_role_open_nothing() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", serde_json::from_str(SETTINGS).unwrap());
    let audience = format!("http://{}/okta/main/oauth2/v1/token", sim.address);
    let answer = token(
        &org,
        &assertion(&audience, "0oanoadmin", 300, "1"),
        "okta.users.read",
    )
    .json();
    let response = with(
        &org,
        answer["access_token"].as_str().unwrap(),
        "GET",
        "/api/v1/users",
    );
    assert_eq!(response.code(), "E0000006");
}

#[test]
fn a_feature_that_the_org_lacks_is_401_with_its_own_code() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "missing_features": ["devices"] }));
    let id = org.person(json!({}));
    let response = org.get(&format!("/api/v1/users/{id}/devices"));
    assert_eq!(
        (response.status, response.code().as_str()),
        (401, "E0000015")
    );
}
