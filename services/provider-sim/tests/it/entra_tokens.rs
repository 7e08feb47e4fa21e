//! Tokens: secrets, audiences, permissions, ends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::entra_sim::{ARM, CLIENT, GRAPH, SECRET, Tenant, refused};
use crate::sim::Sim;

#[test]
fn a_token_works_for_its_own_api_only() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    assert_eq!(tenant.get("/organization").status, 200);
    assert_eq!(
        tenant
            .arm("GET", "/subscriptions?api-version=2020-01-01", None)
            .status,
        200
    );
    let graph = tenant.call_with_the_other_token("/graph/v1.0/organization");
    assert_eq!(refused(&graph), (401, "InvalidAuthenticationToken".into()));
    let arm = tenant.call_with_the_other_token("/arm/subscriptions?api-version=2020-01-01");
    assert_eq!(
        refused(&arm),
        (401, "InvalidAuthenticationTokenAudience".into())
    );
}

#[test]
fn wrong_credentials_are_told_apart_by_number() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let code = |response: crate::http::Response| response.json()["error_codes"][0].clone();
    assert_eq!(code(tenant.ask_token(GRAPH, "wrong")), json!(7_000_215));
    assert_eq!(code(tenant.ask_token("openid", SECRET)), json!(70_011));
    assert_eq!(
        code(tenant.ask_token_as("nobody", GRAPH, SECRET)),
        json!(700_016)
    );
    let expired = json!([{ "client_id": CLIENT, "secret": SECRET, "secret_expired": true }]);
    tenant.put(json!({ "apps": expired }));
    assert_eq!(code(tenant.ask_token(ARM, SECRET)), json!(7_000_222));
}

#[test]
fn a_token_ends_with_its_lifetime_and_by_order() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "access_token_lifetime_s": 60 }));
    sim.control("POST", "/clock", &json!({ "advance_ms": 61_000 }));
    assert_eq!(tenant.get("/organization").status, 401);
    let tenant = Tenant::start(&sim, json!({}));
    sim.control("POST", "/entra/main/tokens/revoke", &json!({}));
    assert_eq!(tenant.get("/organization").status, 401);
}

#[test]
fn permissions_are_those_of_the_time_when_the_token_was_issued() {
    let sim = Sim::start(&[]);
    let app = json!({ "client_id": CLIENT, "secret": SECRET, "permissions": ["User.Read.All"] });
    let tenant = Tenant::start(&sim, json!({ "apps": [app] }));
    let user = tenant.person(json!({}));
    let path = format!("/users/{user}");
    let disable = json!({ "accountEnabled": false });
    assert_eq!(tenant.get(&path).status, 200);
    let denied = tenant.patch(&path, &disable);
    assert_eq!(
        refused(&denied),
        (403, "Authorization_RequestDenied".into())
    );
    tenant.put(json!({}));
    assert_eq!(tenant.patch(&path, &disable).status, 403, "the old token");
    let fresh = Tenant::start(&sim, json!({}));
    assert_eq!(fresh.patch(&path, &disable).status, 204);
}

#[test]
fn an_application_of_the_directory_gets_tokens_until_it_is_disabled_or_its_secret_is_gone() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let app = json!({ "name": "CRM", "app_id": "a-crm", "secrets": [{ "name": "one", "value": "s1" }, { "name": "two", "value": "s2" }] });
    let id = tenant.seed(&json!({ "applications": [app] })).remove(0);
    let status = |secret: &str| tenant.ask_token_as("a-crm", GRAPH, secret).status;
    assert_eq!((status("s1"), status("s2"), status("s3")), (200, 200, 401));
    let application = tenant.get("/applications(appId='a-crm')").json();
    let key = &application["passwordCredentials"][0];
    assert!(
        key.get("_secret").is_none(),
        "the value is shown once, when it is made"
    );
    let remove = format!(
        "/applications/{}/removePassword",
        application["id"].as_str().unwrap()
    );
    let body = json!({ "keyId": key["keyId"] });
    assert_eq!(tenant.post(&remove, &body).status, 204);
    assert_eq!(tenant.post(&remove, &body).status, 404);
    assert_eq!((status("s1"), status("s2")), (401, 200));
    let disabled = json!({ "accountEnabled": false });
    assert_eq!(
        tenant
            .patch(&format!("/servicePrincipals/{id}"), &disabled)
            .status,
        204
    );
    assert_eq!(status("s2"), 401);
    assert_eq!(
        tenant.truth(&format!("service-principals/{id}"))["live"],
        json!(["secrets:1"])
    );
}

#[test]
fn a_certificate_opens_by_its_thumbprint_and_an_assertion_works_once() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.put(json!({ "apps": [{ "client_id": CLIENT, "thumbprints": ["dGh1bWI"] }] }));
    let path = format!("/entra/main/login/{}/oauth2/v2.0/token", tenant.id);
    let audience = format!("http://{}{path}", sim.address);
    let now_s = jiff::Timestamp::now().as_second();
    let ask = |thumbprint: &str, audience: &str, jti: &str| {
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        let claims = json!({ "aud": audience, "iss": CLIENT, "sub": CLIENT, "jti": jti, "nbf": now_s, "exp": now_s + 300 });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let form = format!(
            "grant_type=client_credentials&client_id={CLIENT}&scope={GRAPH}&client_assertion_type={}&client_assertion={}.{}.c2ln",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            part(&header),
            part(&claims),
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        crate::http::send(sim.address, "POST", &path, &headers, Some(form.as_bytes()))
            .unwrap()
            .status
    };
    assert_eq!(ask("dGh1bWI", &audience, "one"), 200);
    assert_eq!(ask("dGh1bWI", &audience, "one"), 401, "used before");
    assert_eq!(ask("b3RoZXI", &audience, "two"), 401, "unknown certificate");
    assert_eq!(
        ask("dGh1bWI", "https://other", "three"),
        401,
        "wrong audience"
    );
}
