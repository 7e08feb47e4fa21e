//! Okta's integrations: apps with credentials, grants and tokens, who is assigned, and hooks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::sim::{Org, Sim};

const APP: &str = "/api/v1/apps/0oacrm";

fn org<'a>(sim: &'a Sim, settings: Value) -> Org<'a> {
    let org = sim.org("main", settings);
    let client = json!({ "client_id": "0oacrm", "name": "CRM", "tokens": [{ "id": "oar1" }] });
    org.seed(&json!({
        "groups": [{ "id": "00gsales", "name": "Sales" }],
        "apps": [{
            "id": "0oacrm", "label": "CRM", "groups": ["Sales"], "provisioning": true,
            "secrets": [{ "id": "ocs1" }, { "id": "ocs2" }], "keys": [{ "id": "pks1", "kid": "k1" }],
            "grants": ["okta.users.read"], "roles": [{ "id": "irb1", "type": "READ_ONLY_ADMIN" }],
        }],
        "event_hooks": [{ "id": "who1", "name": "to the CRM", "uri": "https://crm.example/hook", "app": "CRM" }],
        "inline_hooks": [{ "id": "cal1", "name": "ask", "uri": "https://crm.example/ask", "app": "CRM" }],
        "users": [{
            "id": "00uada", "login": "ada@example.com", "groups": ["Sales"], "apps": ["CRM"], "clients": [client],
            "api_tokens": [{ "id": "00Tcrm", "name": "crm sync", "app": "CRM" }],
        }],
    }));
    org
}

fn live(org: &Org<'_>) -> Value {
    let path = "/okta/main/state/apps/0oacrm";
    org.sim.control("GET", path, &json!({})).json()["live"].clone()
}

/// The answer to a token request that the app signs with key `kid`.
fn mint(org: &Org<'_>, kid: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let audience = format!("http://{}/okta/main/oauth2/v1/token", org.sim.address);
    let claims = json!({ "aud": audience, "iss": "0oacrm", "sub": "0oacrm", "exp": now + 300 });
    let assertion = format!(
        "{}.{}.c2ln",
        part(json!({ "alg": "RS256", "kid": kid })),
        part(claims)
    );
    let form = format!(
        "grant_type=client_credentials&scope=okta.users.read&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let sent = org.try_send("POST", "/oauth2/v1/token", &headers, Some(form.as_bytes()));
    sent.unwrap().json()
}

#[test]
fn an_app_shows_its_client_and_everything_that_hangs_on_it() {
    let sim = Sim::start(&[]);
    let org = org(&sim, json!({}));
    let app = org.get(APP).json();
    assert_eq!(app["credentials"]["oauthClient"]["client_id"], "0oacrm");
    let ids = |path: &str| -> Vec<Value> {
        let items = org.get(&format!("{APP}/{path}")).items();
        items.iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(ids("groups"), ["00gsales"]);
    assert_eq!(ids("users"), ["00uada"]);
    assert_eq!(ids("tokens"), ["oar1"]);
    assert_eq!(ids("credentials/secrets"), ["ocs1", "ocs2"]);
    assert_eq!(ids("credentials/jwks"), ["pks1"]);
    let grants = org.get(&format!("{APP}/grants")).items();
    assert_eq!(grants[0]["scopeId"], "okta.users.read");
    let roles = org.get("/oauth2/v1/clients/0oacrm/roles").items();
    assert_eq!(roles[0]["id"], "irb1");
    let connection = org.get(&format!("{APP}/connections/default")).json();
    assert_eq!(connection["status"], "ENABLED");
    assert_eq!(
        live(&org),
        json!([
            "app:1",
            "tokens:1",
            "grants:1",
            "roles:1",
            "secrets:2",
            "keys:1",
            "groups:1",
            "users:1",
            "provisioning:1",
            "event_hooks:1",
            "inline_hooks:1",
            "api_tokens:1",
        ])
    );
}

#[test]
fn everything_of_an_app_can_be_taken_away_but_its_last_secret() {
    let sim = Sim::start(&[]);
    let org = org(&sim, json!({}));
    let app = |path: &str| format!("{APP}/{path}");
    let grant = org.get(&app("grants")).items()[0]["id"].clone();
    let secret = |id: &str, what: &str| app(&format!("credentials/secrets/{id}{what}"));
    for (response, wanted) in [
        (org.post(&app("lifecycle/deactivate")), 200),
        (org.delete(&app("tokens")), 204),
        (
            org.delete(&app(&format!("grants/{}", grant.as_str().unwrap()))),
            204,
        ),
        (org.delete("/oauth2/v1/clients/0oacrm/roles/irb1"), 204),
        (org.delete(&secret("ocs1", "")), 400),
        (org.post(&secret("ocs1", "/lifecycle/deactivate")), 200),
        (org.delete(&secret("ocs1", "")), 204),
        (org.post(&secret("ocs2", "/lifecycle/deactivate")), 400),
        (
            org.post(&app("credentials/jwks/pks1/lifecycle/deactivate")),
            200,
        ),
        (org.delete(&app("credentials/jwks/pks1")), 204),
        (
            org.post(&app("connections/default/lifecycle/deactivate")),
            204,
        ),
        (org.delete(&app("users/00uada?sendEmail=false")), 204),
        (org.delete("/api/v1/eventHooks/who1"), 400),
        (
            org.post("/api/v1/eventHooks/who1/lifecycle/deactivate"),
            200,
        ),
        (org.delete("/api/v1/eventHooks/who1"), 204),
        (
            org.post("/api/v1/inlineHooks/cal1/lifecycle/deactivate"),
            200,
        ),
        (org.delete("/api/v1/inlineHooks/cal1"), 204),
        (org.delete("/api/v1/api-tokens/00Tcrm"), 204),
    ] {
        let told = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, wanted, "{told}");
    }
    assert_eq!(live(&org), json!([]));
    assert_eq!(org.delete(APP).status, 204);
    assert_eq!([org.get(APP).status, org.delete(APP).status], [404, 404]);
}

#[test]
fn deactivation_strips_the_groups_and_a_way_back_needs_what_was_read_before() {
    let sim = Sim::start(&[]);
    let org = org(&sim, json!({}));
    org.post(&format!("{APP}/lifecycle/deactivate"));
    let groups = || org.get(&format!("{APP}/groups")).items().len();
    assert_eq!(groups(), 0);
    org.post(&format!("{APP}/lifecycle/activate"));
    assert_eq!(groups(), 0, "they do not come back by themselves");
    let put = || {
        org.call("PUT", &format!("{APP}/groups/00gsales"), "{}")
            .status
    };
    assert_eq!([put(), put(), groups() as u16], [200, 200, 1]);
    let of_group = format!("{APP}/groups/00gsales");
    let (get, delete) = (org.get(&of_group).status, org.delete(&of_group).status);
    assert_eq!([get, delete, org.delete(&of_group).status], [200, 204, 404]);
    let scope = json!({ "issuer": "x", "scopeId": "okta.groups.read" }).to_string();
    let granted = org.call("POST", &format!("{APP}/grants"), &scope);
    assert_eq!(granted.status, 201);
    org.put(json!({ "unconfirmed": { "app_deactivate_strips_groups": false } }));
    org.call("PUT", &of_group, "{}");
    org.post(&format!("{APP}/lifecycle/deactivate"));
    assert_eq!(groups(), 1);
}

#[test]
fn an_app_mints_tokens_with_its_key_until_it_is_off_and_they_outlive_it() {
    let sim = Sim::start(&[]);
    let org = org(&sim, json!({}));
    let answer = mint(&org, "k1");
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let users = || {
        let headers = [("authorization", bearer.as_str())];
        org.try_send("GET", "/api/v1/users", &headers, None)
            .unwrap()
    };
    assert_eq!(users().status, 200);
    assert_eq!(
        mint(&org, "k2")["error"],
        "invalid_client",
        "an unknown key"
    );
    org.post(&format!("{APP}/lifecycle/deactivate"));
    assert_eq!(mint(&org, "k1")["error"], "invalid_client");
    assert_eq!(users().status, 200, "no call takes an access token back");
    org.put(json!({ "unconfirmed": { "inactive_app_access_tokens": "rejected" } }));
    assert_eq!(users().status, 401);
    org.put(json!({}));
    org.delete("/oauth2/v1/clients/0oacrm/roles/irb1");
    assert_eq!(users().status, 403, "a scope without a role opens nothing");
    sim.control("POST", "/clock", &json!({ "advance_ms": 3_600_000 }));
    assert_eq!(users().status, 401);
}

#[test]
fn what_an_inactive_app_and_a_list_of_keys_answer_can_be_switched() {
    let sim = Sim::start(&[]);
    let open =
        json!({ "app_tokens_inactive": 400, "jwks_in_envelope": true, "delete_active_app": 400 });
    let org = org(&sim, json!({ "unconfirmed": open }));
    let keys = org.get(&format!("{APP}/credentials/jwks")).json();
    assert_eq!(keys["jwks"]["keys"][0]["kid"], "k1");
    assert_eq!(org.delete(APP).status, 400);
    let tokens = format!("{APP}/tokens");
    org.post(&format!("{APP}/lifecycle/deactivate"));
    assert_eq!(org.delete(&tokens).status, 400);
    org.put(json!({ "unconfirmed": { "app_tokens_inactive": 403 } }));
    assert_eq!(org.delete(&tokens).status, 403);
    org.put(json!({}));
    let one = format!("{tokens}/oar1");
    let statuses = [
        org.get(&one).status,
        org.delete(&one).status,
        org.delete(&one).status,
    ];
    assert_eq!(statuses, [200, 204, 404]);
}

#[test]
fn the_last_key_of_an_app_that_signs_stays_and_there_are_two_secrets_at_most() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let keys = json!([{ "id": "pks1" }, { "id": "pks2", "encryption": true }]);
    let app = json!({ "id": "0oasvc", "label": "Service", "auth_method": "private_key_jwt", "keys": keys });
    org.seed(&json!({ "apps": [app] }));
    let key = |id: &str| format!("/api/v1/apps/0oasvc/credentials/jwks/{id}");
    for id in ["pks1", "pks2"] {
        let refused = org.post(&format!("{}/lifecycle/deactivate", key(id)));
        assert_eq!((refused.status, refused.code().as_str()), (400, "E0000001"));
        assert_eq!(org.delete(&key(id)).status, 400);
    }
    let create = || {
        org.call("POST", "/api/v1/apps/0oasvc/credentials/secrets", "{}")
            .status
    };
    assert_eq!([create(), create(), create()], [201, 201, 400]);
}

#[test]
fn an_app_changes_behind_the_clients_back() {
    let sim = Sim::start(&[]);
    let org = org(&sim, json!({}));
    for change in [
        json!({ "do": "set_app", "app": "CRM", "active": false }),
        json!({ "do": "assign_app_group", "app": "CRM", "group": "Sales" }),
        json!({ "do": "assign_app_user", "app": "CRM", "user": "ada@example.com" }),
        json!({ "do": "add_app_secret", "app": "CRM" }),
        json!({ "do": "grant_app_scope", "app": "CRM", "scope": "okta.apps.read" }),
        json!({ "do": "set_app", "app": "CRM", "active": true }),
    ] {
        org.mutate(&change);
    }
    let live = live(&org);
    for wanted in ["app:1", "groups:1", "secrets:3", "grants:2"] {
        let words = live.as_array().unwrap();
        assert!(words.contains(&json!(wanted)), "{wanted} in {live}");
    }
}
