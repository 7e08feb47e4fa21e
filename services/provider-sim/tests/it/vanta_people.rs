//! Vanta's people: records, groups, leave, and offboarding with its preconditions.

use serde_json::{Value, json};

use crate::sim::Sim;
use crate::vanta_tenant::Tenant;

fn admin(tenant: &Tenant<'_>) -> String {
    tenant.person(json!({ "email": "boss@example.com", "user": { "admin": true } }))
}

fn offboard(tenant: &Tenant<'_>, person: &str, by: &str) -> (String, Option<String>) {
    let updates = json!([{ "id": person, "acknowledgerId": by }]);
    tenant.bulk("/v1/people/offboard", &updates).remove(0)
}

#[test]
fn a_person_looks_as_documented() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({
        "first_name": "Ada", "last_name": "Kim", "employment": "FORMER", "end_date": "2099-01-01T00:00:00.000Z",
        "source": "okta", "user": {}, "tasks": ["Return the badge"],
    }));
    let person = tenant.get(&format!("/v1/people/{id}")).json();
    assert_eq!(person["emailAddress"], "ada@example.com");
    assert_eq!(person["name"]["display"], "Ada Kim");
    assert_eq!(person["employment"]["status"], "FORMER");
    assert_eq!(person["sources"]["emailAddress"]["integrationId"], "okta");
    let summary = &person["tasksSummary"];
    assert_eq!(summary["status"], "OFFBOARDING_DUE_SOON");
    let custom = &summary["details"]["completeOffboardingCustomTasks"];
    assert_eq!(
        custom["incompleteCustomOffboardingTasks"],
        json!([{ "name": "Return the badge" }])
    );
    assert!(person["userId"].is_string());
    tenant.put(json!({ "unconfirmed": { "people_have_user_id": false } }));
    let person = tenant.get(&format!("/v1/people/{id}")).json();
    assert_eq!(person.get("userId"), None);
}

#[test]
fn offboarding_needs_every_precondition_and_a_repeat_changes_nothing() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(
        &sim,
        json!({ "unconfirmed": { "item_errors_say_why": true } }),
    );
    let boss = admin(&tenant);
    let id = tenant.person(json!({
        "tasks": ["Return the badge"],
        "accounts": [{ "system": "Okta" }, { "system": "Design Tool", "unmonitored": true }],
    }));
    let why = || offboard(&tenant, &id, &boss).1.unwrap();
    assert_eq!(why(), "employment has not ended");
    tenant.mutate(&json!({ "do": "set_employment", "person": id, "status": "FORMER" }));
    assert_eq!(why(), "a monitored account is active");
    let gone = json!({ "do": "set_account", "person": id, "account": "Okta", "active": false });
    tenant.mutate(&gone);
    assert_eq!(why(), "a custom offboarding task is not complete");
    tenant.mutate(&json!({ "do": "complete_task", "person": id }));
    assert_eq!(offboard(&tenant, &id, &id).0, "ERROR", "not by themselves");
    assert_eq!(tenant.live(&id), json!(["person:1", "accounts:1"]));
    assert_eq!(offboard(&tenant, &id, &boss), ("SUCCESS".into(), None));
    assert_eq!(
        tenant.live(&id),
        json!([]),
        "unmonitored accounts are marked too"
    );
    let summary = tenant.get(&format!("/v1/people/{id}")).json()["tasksSummary"].clone();
    assert_eq!(summary["status"], "OFFBOARDING_COMPLETE");
    assert_eq!(offboard(&tenant, &id, &boss), ("SUCCESS".into(), None));
    let changed: Vec<Value> = sim
        .journal(&format!("family=people.offboard&user={id}"))
        .iter()
        .map(|entry| entry["changed"].clone())
        .collect();
    assert_eq!(
        changed.iter().filter(|changed| **changed == true).count(),
        1
    );
    tenant.mutate(&json!({ "do": "reset_offboarding", "person": id }));
    assert_eq!(tenant.live(&id), json!(["person:1"]));
}

#[test]
fn each_item_of_a_bulk_call_stands_for_itself() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let boss = admin(&tenant);
    let gone = tenant.person(json!({ "employment": "FORMER" }));
    let here = tenant.person(json!({ "email": "bo@example.com" }));
    let item = |id: &str| json!({ "id": id, "acknowledgerId": boss });
    let updates = json!([item(&here), item(&gone), item("nobody")]);
    let results = tenant.bulk("/v1/people/offboard", &updates);
    let invalid = ("ERROR".to_owned(), Some("Invalid Input".to_owned()));
    let wanted = [invalid.clone(), ("SUCCESS".to_owned(), None), invalid];
    assert_eq!(results, wanted);
    let entry = &sim.journal("family=people.offboard")[0];
    assert_eq!(entry["user"], json!(format!("{here},{gone},nobody")));
    let none = tenant.call("POST", "/v1/people/offboard", &json!({ "updates": [] }));
    assert_eq!(none.status, 400);
}

#[test]
fn an_account_is_seen_late_and_a_person_may_override_it() {
    let sim = Sim::start(&[]);
    let settings = json!({ "sync_delay_ms": 60_000, "sync_delay_reads": 1 });
    let tenant = Tenant::start(&sim, settings);
    let boss = admin(&tenant);
    let accounts = json!([{ "system": "Okta" }, { "system": "Mail" }]);
    let id = tenant.person(json!({ "employment": "FORMER", "accounts": accounts }));
    tenant.mutate(&json!({ "do": "override_account", "person": id, "account": "Mail" }));
    let gone = json!({ "do": "set_account", "person": id, "account": "Okta", "active": false });
    tenant.mutate(&gone);
    sim.control("POST", "/clock", &json!({ "advance_ms": 60_000 }));
    assert_eq!(offboard(&tenant, &id, &boss).0, "ERROR", "one look more");
    assert_eq!(offboard(&tenant, &id, &boss).0, "SUCCESS");
    assert_eq!(
        tenant.live(&id),
        json!(["accounts:1"]),
        "Mail is active at its source"
    );
}

#[test]
fn accounts_and_employment_follow_the_okta_org() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let okta_id = org.person(json!({}));
    let tenant = Tenant::start(&sim, json!({}));
    let follows = json!({ "provider": "okta", "org": "main", "user": "ada@example.com" });
    let account = json!({ "system": "Okta", "follows": follows });
    let id = tenant.person(json!({ "follows": follows, "accounts": [account] }));
    let employment = || tenant.get(&format!("/v1/people/{id}")).json()["employment"].clone();
    assert_eq!(employment()["status"], "CURRENT");
    org.post(&format!("/api/v1/users/{okta_id}/lifecycle/deactivate"));
    assert_eq!(employment()["status"], "FORMER");
    assert_eq!(tenant.live(&id), json!(["person:1"]), "the account is gone");
}

#[test]
fn a_directory_has_the_people_of_the_okta_directory() {
    let sim = Sim::start(&["--seed", "7"]);
    let org = sim.org("main", json!({}));
    let wish = json!({ "people": 25 });
    let okta = sim
        .control("POST", "/okta/main/seed-directory", &wish)
        .json();
    let tenant = Tenant::start(&sim, json!({}));
    let wish = json!({ "people": 25, "okta": "main" });
    let vanta = sim
        .control("POST", "/vanta/main/seed-directory", &wish)
        .json();
    let emails = |people: &Value, name: &str| -> Vec<String> {
        let people = people[name].as_array().unwrap().iter();
        people
            .map(|one| one["email"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(emails(&okta, "users"), emails(&vanta, "people"));
    let login = okta["users"][3]["login"].as_str().unwrap();
    org.mutate(&json!({ "do": "deactivate", "user": login }));
    let truth = tenant.truth(&format!("people/{login}"));
    assert_eq!(truth["employment"], "FORMER");
}

#[test]
fn marks_leave_and_names_can_be_set_and_taken_back() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "first_name": "Ada" }));
    let marked = json!([{ "id": id, "reason": "service account" }]);
    assert_eq!(
        tenant.statuses("/v1/people/mark-as-not-people", &marked),
        ["SUCCESS"]
    );
    assert_eq!(tenant.get(&format!("/v1/people/{id}")).status, 404);
    tenant.put(json!({ "unconfirmed": { "not_people": "shown", "repeat_mark": "error" } }));
    assert_eq!(tenant.get(&format!("/v1/people/{id}")).status, 200);
    assert_eq!(
        tenant.statuses("/v1/people/mark-as-not-people", &marked),
        ["ERROR"]
    );
    let back = json!([{ "id": id }]);
    assert_eq!(
        tenant.statuses("/v1/people/mark-as-people", &back),
        ["SUCCESS"]
    );
    let leave = json!({ "startDate": "2026-01-01", "endDate": "soon" });
    let set = format!("/v1/people/{id}/set-leave");
    assert_eq!(tenant.call("POST", &set, &leave).status, 400);
    let leave = json!({ "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-02-01T00:00:00Z" });
    let person = tenant.call("POST", &set, &leave).json();
    assert_eq!(person["leaveInfo"], leave);
    let clear = format!("/v1/people/{id}/clear-leave");
    let person = tenant.call("POST", &clear, &json!({})).json();
    assert_eq!(person["leaveInfo"], Value::Null);
    let change = json!({ "name": { "last": "Kim" }, "employment": { "endDate": "2020-01-01" } });
    let person = tenant
        .call("PATCH", &format!("/v1/people/{id}"), &change)
        .json();
    assert_eq!(person["name"]["display"], "Ada Kim");
    assert_eq!(
        person["employment"]["endDate"],
        Value::Null,
        "no call ends it"
    );
}

#[test]
fn groups_take_people_in_and_out_unless_they_are_imported() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let groups = json!([
        { "id": "g1", "name": "Engineering" }, { "id": "g2", "name": "Imported", "imported": true },
    ]);
    tenant.seed(&json!({ "groups": groups }));
    let id = tenant.person(json!({ "groups": ["Engineering", "g2"] }));
    let people = tenant.get("/v1/groups/g1/people").json();
    assert_eq!(people[0]["id"], json!(id), "a bare array");
    let path = format!("/v1/groups/g1/people/{id}");
    let delete = |path: &str| tenant.call("DELETE", path, &json!({})).status;
    assert_eq!([delete(&path), delete(&path)], [200, 200]);
    let open = json!({ "group_delete": 204, "repeat_group_delete": 404, "bare_arrays": false });
    tenant.put(json!({ "unconfirmed": open }));
    assert_eq!(delete(&path), 404);
    assert_eq!(delete(&format!("/v1/groups/g2/people/{id}")), 400);
    assert_eq!(tenant.items("/v1/groups/g1/people"), [] as [Value; 0]);
    let add = json!([{ "id": id }]);
    assert_eq!(
        tenant.statuses("/v1/groups/g1/add-people", &add),
        ["SUCCESS"]
    );
    assert_eq!(delete(&path), 204);
    assert_eq!(
        tenant.statuses("/v1/groups/g1/remove-people", &add),
        ["ERROR"]
    );
}
