//! Vanta's tokens: one for each application, few a minute, scopes by type.

use serde_json::{Value, json};

use crate::sim::Sim;
use crate::vanta_tenant::{MANAGE, Tenant};

const READ: &str = "vanta-api.all:read";

#[test]
fn a_second_token_ends_the_first_at_once() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    assert_eq!(tenant.get("/v1/people").status, 200);
    let second = tenant.mint(MANAGE, READ);
    assert_eq!(tenant.get("/v1/people").status, 401, "displaced");
    let with_second = tenant.send("GET", "/v1/people", Some(&second), None);
    assert_eq!(with_second.unwrap().status, 200);
}

#[test]
fn tokens_of_different_applications_do_not_disturb_each_other() {
    let sim = Sim::start(&[]);
    let other = json!({ "client_id": "vci_other", "client_secret": "vcs_1" });
    let tenant = Tenant::start(&sim, json!({ "applications": [other] }));
    tenant.mint("vci_other", READ);
    assert_eq!(tenant.get("/v1/people").status, 200);
}

#[test]
fn five_token_requests_a_minute_whoever_asks() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let ask = |secret: &str| tenant.ask_token(MANAGE, secret, READ);
    let statuses: Vec<u16> = (0..4).map(|_| ask("wrong").status).collect();
    assert_eq!(statuses, [401; 4], "refused ones count too");
    let sixth = ask("vcs_1");
    assert_eq!(sixth.status, 429);
    assert!((1..=60).contains(&sixth.number("retry-after")));
    assert_eq!(
        tenant.get("/v1/people").status,
        200,
        "the token still works"
    );
    sim.control("POST", "/clock", &json!({ "advance_ms": 60_000 }));
    assert_eq!(ask("vcs_1").status, 200);
}

#[test]
fn a_token_ends_after_an_hour_or_on_request() {
    let sim = Sim::start(&[]);
    let mut tenant = Tenant::start(&sim, json!({}));
    sim.control("POST", "/clock", &json!({ "advance_ms": 3_600_000 }));
    assert_eq!(tenant.get("/v1/people").status, 401);
    tenant.token = tenant.mint(MANAGE, READ);
    assert_eq!(tenant.get("/v1/people").status, 200);
    let revoked = sim.control("POST", "/vanta/main/tokens/revoke", &json!({}));
    assert_eq!(revoked.json()["revoked"], 1);
    assert_eq!(tenant.get("/v1/people").status, 401);
}

#[test]
fn scopes_go_with_the_type_of_the_application() {
    let sim = Sim::start(&[]);
    let build = json!({ "client_id": "vci_build", "client_secret": "vcs_1", "type": "build" });
    let mut tenant = Tenant::start(&sim, json!({ "applications": [build] }));
    let refused = tenant.ask_token("vci_build", "vcs_1", READ);
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (400, Some("invalid_scope"))
    );
    tenant.token = tenant.mint("vci_build", "connectors.self:read-resource");
    assert_eq!(tenant.get("/v1/people").status, 403);
    let own = tenant.get("/v1/resources/user_account?resourceId=r1");
    assert_eq!(own.status, 200);
    let read_only = tenant.call("PUT", "/v1/resources/user_account", &Value::Null);
    assert_eq!(read_only.status, 403);
}

#[test]
fn bad_requests_are_refused_as_oauth_does_and_secrets_stay_out_of_the_journal() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let wrong = json!({ "client_id": MANAGE, "client_secret": "vcs_1", "grant_type": "password" });
    let answer = tenant.send("POST", "/oauth/token", None, Some(&wrong));
    assert_eq!(answer.unwrap().json()["error"], "unsupported_grant_type");
    let form = crate::http::send(
        sim.address,
        "POST",
        "/vanta/main/oauth/token",
        &[],
        Some(b"grant_type=client_credentials"),
    );
    assert_eq!(form.unwrap().json()["error"], "invalid_request");
    let journal = Value::from(sim.journal("")).to_string();
    assert!(!journal.contains("vcs_1") && !journal.contains(&tenant.token));
}

#[test]
fn what_the_developer_console_does_to_an_application() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let new = json!({ "do": "regenerate_secret", "client_id": MANAGE, "client_secret": "vcs_2" });
    tenant.mutate(&new);
    assert_eq!(tenant.ask_token(MANAGE, "vcs_1", READ).status, 401);
    assert_eq!(tenant.get("/v1/people").status, 200, "the token stays");
    tenant.mutate(&json!({ "do": "delete_application", "client_id": MANAGE }));
    assert_eq!(tenant.get("/v1/people").status, 401);
    let truth = tenant.truth(&format!("applications/{MANAGE}"));
    assert_eq!(
        (&truth["exists"], &truth["live"]),
        (&json!(false), &json!([]))
    );
}
