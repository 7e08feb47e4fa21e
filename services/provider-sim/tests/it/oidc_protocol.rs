//! The standard endpoints of an OpenID provider.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::http::Response;
use crate::place::{Place, SECRET};
use crate::sim::Sim;

fn realm(sim: &Sim, settings: Value) -> Place<'_> {
    let place = Place::new(sim, "oidc", settings);
    place.seed(&json!({
        "clients": [
            { "client_id": "web", "secret": "w:1" },
            { "client_id": "other", "secret": "o" },
            { "client_id": "jwt", "authentication": "private_key_jwt", "admin_roles": ["view-users"] },
        ],
        "users": [{
            "id": "u1", "login": "ada@example.com",
            "tokens": [
                { "client": "web", "kind": "refresh", "secret": "r1" },
                { "client": "web", "kind": "access", "secret": "a1" },
                { "client": "web", "kind": "offline", "secret": "o1" },
            ],
        }],
    }));
    place
}

fn post(place: &Place<'_>, path: &str, client: &str, form: &str) -> Response {
    let basic = format!("Basic {}", STANDARD.encode(client));
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    place.send("POST", path, &headers, form).unwrap()
}

fn active(place: &Place<'_>, token: &str) -> bool {
    let answer = post(place, "/introspect", "web:w%3A1", &format!("token={token}"));
    answer.json()["active"].as_bool().unwrap()
}

#[test]
fn metadata_name_what_is_served_at_the_root_and_where_keycloak_has_it() {
    let sim = Sim::start(&[]);
    let place = realm(&sim, json!({}));
    let base = format!("http://{}/oidc/main", sim.address);
    let plain = place.get("/.well-known/openid-configuration").json();
    assert_eq!(
        (&plain["issuer"], &plain["revocation_endpoint"]),
        (&json!(base), &json!(format!("{base}/revoke")))
    );
    assert!(plain.get("global_token_revocation_endpoint").is_none());
    let keycloak = place
        .get("/realms/main/.well-known/openid-configuration")
        .json();
    assert_eq!(keycloak["issuer"], json!(format!("{base}/realms/main")));
    let token = keycloak["token_endpoint"]
        .as_str()
        .unwrap()
        .strip_prefix(&base)
        .unwrap()
        .to_owned();
    assert_eq!(
        post(&place, &token, "web:w%3A1", "grant_type=password").json()["error"],
        "unsupported_grant_type"
    );
    assert_eq!(
        place
            .get("/realms/other/.well-known/openid-configuration")
            .status,
        404
    );
    place.put(
        json!({ "revocation": false, "introspection": false, "global_token_revocation": "either" }),
    );
    let plain = place.get("/.well-known/openid-configuration").json();
    assert!(
        plain.get("revocation_endpoint").is_none()
            && plain["global_token_revocation_endpoint"].is_string()
    );
}

#[test]
fn revoking_a_refresh_token_ends_its_grant_and_nothing_else() {
    let sim = Sim::start(&[]);
    let place = realm(&sim, json!({}));
    assert!(active(&place, "r1") && active(&place, "a1") && active(&place, "o1"));
    assert_eq!(post(&place, "/revoke", "other:o", "token=r1").status, 200);
    assert!(active(&place, "r1"), "another client's token is left alone");
    let changed = |token: &str| {
        assert_eq!(
            post(&place, "/revoke", "web:w%3A1", &format!("token={token}")).status,
            200
        );
        sim.journal("family=revocation").pop().unwrap()["changed"].clone()
    };
    assert_eq!(
        (changed("r1"), changed("r1"), changed("unknown")),
        (json!(true), json!(false), json!(false))
    );
    assert!(!active(&place, "r1") && !active(&place, "a1") && active(&place, "o1"));
    let refresh = post(
        &place,
        "/token",
        "web:w%3A1",
        "grant_type=refresh_token&refresh_token=r1",
    );
    assert_eq!(
        (refresh.status, &refresh.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(
        post(&place, "/revoke", "web:wrong", "token=o1").json()["error"],
        "invalid_client"
    );
    place.put(json!({ "unconfirmed": { "foreign_token": "refused" } }));
    assert_eq!(post(&place, "/revoke", "other:o", "token=o1").status, 400);
    assert_eq!(sim.journal("family=revocation")[0]["user"], "u1");
}

#[test]
fn a_client_proves_itself_by_claims() {
    let sim = Sim::start(&[]);
    let place = realm(&sim, json!({}));
    let audience = format!("http://{}/oidc/main", sim.address);
    let exp = jiff::Timestamp::now().as_second() + 60;
    let ask = |claims: Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let assertion = format!(
            "{}.{}.c2ln",
            part(&json!({ "alg": "ES256" })),
            part(&claims)
        );
        let form = format!(
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
        );
        place.send("POST", "/token", &[], &form).unwrap()
    };
    let claims = |audience: &str, exp: i64, jti: &str| json!({ "iss": "jwt", "sub": "jwt", "aud": audience, "exp": exp, "jti": jti });
    let granted = ask(claims(&audience, exp, "1"));
    assert_eq!(granted.status, 200, "{granted:?}");
    for refused in [
        claims(&audience, exp, "1"),
        claims("https://other.example", exp, "2"),
        claims(&audience, exp - 3600, "3"),
        claims(&audience, exp + 7200, "4"),
    ] {
        assert_eq!(ask(refused.clone()).status, 401, "{refused}");
    }
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let call = |method, path| {
        place
            .send(method, path, &[("authorization", &bearer)], "{}")
            .unwrap()
            .status
    };
    assert_eq!(call("GET", "/admin/realms/main/users/u1"), 200);
    assert_eq!(
        call("PUT", "/admin/realms/main/users/u1"),
        403,
        "it may only view"
    );
    assert_eq!(call("GET", "/admin/realms/main/clients"), 403);
    sim.control("POST", "/clock", &json!({ "advance_ms": 400_000 }));
    assert_eq!(
        call("GET", "/admin/realms/main/users/u1"),
        401,
        "it is over"
    );
}

#[test]
fn global_revocation_ends_everything_of_one_user_by_either_name() {
    let sim = Sim::start(&[]);
    let place = realm(&sim, json!({ "global_token_revocation": "subject" }));
    let by_email = json!({ "format": "email", "email": "ada@example.com" });
    let ask = |body: &Value| place.call("POST", "/global-token-revocation", body).status;
    assert_eq!(ask(&json!({ "sub_id": by_email })), 400);
    assert_eq!(
        ask(&json!({ "subject": { "format": "opaque", "id": "nobody" } })),
        404
    );
    assert_eq!(ask(&json!({ "subject": by_email })), 204);
    assert_eq!(place.truth("u1")["live"], json!(["account:1"]));
    assert!(!active(&place, "o1"));
    place.put(json!({ "global_token_revocation": "either", "unconfirmed": { "global_token_revocation": 422 } }));
    assert_eq!(ask(&json!({ "sub_id": by_email })), 422);
    let anonymous = place
        .send("POST", "/global-token-revocation", &[], "{}")
        .unwrap();
    assert_eq!(anonymous.status, 401);
}

#[test]
fn a_registration_is_deleted_with_its_own_token() {
    let sim = Sim::start(&[]);
    let place = realm(&sim, json!({}));
    place.seed(
        &json!({ "clients": [{ "client_id": "dyn", "secret": "d", "registration_token": "rat" }] }),
    );
    let call = |method: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        place
            .send(method, "/register/dyn", &[("authorization", &bearer)], "")
            .unwrap()
            .status
    };
    assert_eq!((call("GET", SECRET), call("GET", "rat")), (401, 200));
    assert_eq!((call("DELETE", "rat"), call("DELETE", "rat")), (204, 401));
    assert_eq!(
        post(&place, "/introspect", "dyn:d", "token=r1").json()["error"],
        "invalid_client"
    );
}
