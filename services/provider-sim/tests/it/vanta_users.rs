//! Logins to Vanta, and what a private connector pushes.

use serde_json::{Value, json};

use crate::sim::Sim;
use crate::vanta_tenant::Tenant;

const DEACTIVATE: &str = "/v1/users/deactivate";

fn users(tenant: &Tenant<'_>) {
    tenant.seed(&json!({ "users": [
        { "id": "u1", "email": "ada@example.com" },
        { "id": "u2", "email": "bo@example.com", "managed": "scim" },
        { "id": "u3", "email": "boss@example.com", "admin": true },
    ]}));
}

#[test]
fn logins_are_deactivated_one_by_one_and_some_are_refused() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    users(&tenant);
    let person = tenant.person(json!({}));
    let all = json!([{ "id": "u1" }, { "id": "u2" }, { "id": "u3" }]);
    let results = tenant.statuses(DEACTIVATE, &all);
    assert_eq!(results, ["SUCCESS", "ERROR", "ERROR"]);
    let listed: Vec<Value> = tenant
        .items("/v1/users")
        .iter()
        .map(|user| user["id"].clone())
        .collect();
    assert_eq!(listed, ["u2", "u3"]);
    assert_eq!(tenant.get("/v1/users/u1").json()["isActive"], false);
    assert_eq!(tenant.live(&person), json!(["person:1"]));
    let entry = sim.journal("family=users.deactivate").remove(0);
    let concerned = format!("{person},u2,u3");
    assert_eq!(
        entry["user"],
        json!(concerned),
        "a login counts as its person"
    );
}

#[test]
fn what_a_repeat_and_a_read_afterwards_answer_can_be_switched() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    users(&tenant);
    let ada = json!([{ "id": "u1" }]);
    assert_eq!(tenant.statuses(DEACTIVATE, &ada), ["SUCCESS"]);
    assert_eq!(tenant.statuses(DEACTIVATE, &ada), ["SUCCESS"]);
    let open = json!({ "repeat_deactivate": "error", "deactivated_user": "gone" });
    tenant.put(json!({ "unconfirmed": open }));
    assert_eq!(tenant.statuses(DEACTIVATE, &ada), ["ERROR"]);
    assert_eq!(tenant.get("/v1/users/u1").status, 404);
    tenant.put(json!({ "missing_operations": ["deactivate_users"] }));
    let missing = tenant.call("POST", DEACTIVATE, &json!({ "updates": ada }));
    assert_eq!(missing.status, 404);
}

#[test]
fn a_push_is_the_whole_world_of_its_connector() {
    let sim = Sim::start(&[]);
    let build = json!({
        "client_id": "vci_build", "client_secret": "vcs_1", "type": "build", "resource_ids": ["r1"],
    });
    let mut tenant = Tenant::start(&sim, json!({ "applications": [build] }));
    let person = tenant.person(json!({ "employment": "FORMER" }));
    let boss = tenant.person(json!({ "email": "boss@example.com" }));
    let manage = tenant.token.clone();
    let scopes = "connectors.self:read-resource connectors.self:write-resource";
    tenant.token = tenant.mint("vci_build", scopes);
    let path = "/v1/resources/user_account";
    let put = |rows: Value| {
        let body = json!({ "resourceId": "r1", "resources": rows });
        tenant.call("PUT", path, &body).status
    };
    let row = |id: &str, email: &str| json!({ "uniqueId": id, "email": email, "status": "ACTIVE" });
    let (ada, bo) = (row("a", "ada@example.com"), row("b", "bo@example.com"));
    assert_eq!(put(json!([ada, bo])), 200);
    assert_eq!(
        tenant.live(&person),
        json!(["person:1", "pushed_accounts:1"])
    );
    let offboard = json!({ "updates": [{ "id": person, "acknowledgerId": boss }] });
    let offboard = || {
        let answer = tenant.send(
            "POST",
            "/v1/people/offboard",
            Some(&manage),
            Some(&offboard),
        );
        answer.unwrap().json()["results"][0]["status"].clone()
    };
    assert_eq!(offboard(), "ERROR", "a pushed account counts as monitored");
    assert_eq!(put(json!([bo])), 200);
    let read = || tenant.get(&format!("{path}?resourceId=r1")).json()["resources"].clone();
    assert!(read()[0]["deletedAt"].is_string(), "accounts stay, marked");
    assert_eq!(offboard(), "SUCCESS");
    assert_eq!(put(json!([])), 200, "an empty push is taken at its word");
    assert_eq!(
        tenant.truth("applications/vci_build")["live"],
        json!(["application:1", "tokens:1"])
    );
    let foreign = json!({ "resourceId": "r2", "resources": [] });
    assert_eq!(
        tenant.call("PUT", path, &foreign).status,
        404,
        "another's resource id"
    );
    let nameless = json!({ "resourceId": "r1", "resources": [{ "email": "x@example.com" }] });
    assert_eq!(tenant.call("PUT", path, &nameless).status, 400);
}

#[test]
fn an_answer_that_is_lost_leaves_its_effect() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    users(&tenant);
    let person = tenant.person(json!({}));
    let when = json!({ "provider": "vanta", "operation": "deactivate_users", "user": person });
    sim.fault(&json!({ "when": when, "then": { "answer_lost": true }, "count": 1 }));
    let body = json!({ "updates": [{ "id": "u1" }] });
    let lost = tenant.send("POST", DEACTIVATE, Some(&tenant.token), Some(&body));
    lost.unwrap_err();
    assert_eq!(tenant.live(&person), json!(["person:1"]));
    sim.fault(&json!({ "when": { "family": "users" }, "then": { "status": 503 }, "count": 1 }));
    assert_eq!(tenant.get("/v1/users").status, 503);
}

#[test]
fn the_examples_are_taken_as_they_are() {
    let sim = Sim::start(&[]);
    let example = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let tenant = Tenant::start(
        &sim,
        example(include_str!("../../examples/vanta-settings.json")),
    );
    let document = example(include_str!("../../examples/vanta-seed.json"));
    let people = tenant.seed(&document);
    let live = json!(["person:1", "login:1", "accounts:2", "pushed_accounts:1"]);
    assert_eq!(tenant.live(&people[1]), live);
}

#[test]
fn made_by_a_leaver_an_application_stays_live_until_someone_deletes_it() {
    let sim = Sim::start(&[]);
    let made =
        json!({ "client_id": "vci_x", "client_secret": "s", "created_by": "ada@example.com" });
    let tenant = Tenant::start(&sim, json!({ "applications": [made] }));
    let person = tenant.person(json!({ "offboarded": true, "employment": "FORMER" }));
    assert_eq!(tenant.live(&person), json!(["applications:1"]));
    tenant.mutate(&json!({ "do": "delete_application", "client_id": "vci_x" }));
    assert_eq!(tenant.live(&person), json!([]));
}
