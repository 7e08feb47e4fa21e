//! Paging, replica lag, throttling, batches, delta queries, faults, the audit log.

use serde_json::{Value, json};

use crate::entra_sim::{CLIENT, SECRET, Tenant, names, refused};
use crate::sim::Sim;

#[test]
fn pages_follow_by_next_link_with_empty_ones_between() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "page_size": 2, "empty_pages": true }));
    let groups: Vec<Value> = (0..5).map(|n| json!({ "name": format!("G{n}") })).collect();
    tenant.seed(&json!({ "groups": groups }));
    let id = tenant.person(json!({ "groups": ["G0", "G1", "G2", "G3", "G4"] }));
    let pages = tenant.pages(&format!("/users/{id}/memberOf"));
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 0, 2, 0, 1]
    );
    assert_eq!(
        names(&pages.concat(), "displayName"),
        ["G0", "G1", "G2", "G3", "G4"]
    );
    tenant.put(json!({ "page_size": 2, "page_repeats": "twice" }));
    let pages = tenant.pages(&format!("/users/{id}/memberOf"));
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 2, 2, 2, 1]
    );
    assert_eq!(tenant.get("/users?$top=1000").status, 400);
}

#[test]
fn replicas_show_the_past_in_both_directions() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "replica_lag_reads": 2 }));
    tenant.seed(&json!({ "groups": [{ "id": "g1", "name": "One" }] }));
    let id = tenant.person(json!({ "groups": ["One"] }));
    tenant.delete(&format!("/groups/g1/members/{id}/$ref"));
    let count = || tenant.list(&format!("/users/{id}/memberOf")).len();
    assert_eq!([count(), count(), count()], [1, 1, 0]);
    tenant.put(json!({ "replica_lag_reads": 3, "replica_flapping": true }));
    let body =
        json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}") });
    tenant.post("/groups/g1/members/$ref", &body);
    assert_eq!(
        [count(), count(), count(), count()],
        [0, 1, 0, 1],
        "not there yet, or there"
    );
    tenant.put(json!({ "replica_lag_ms": 60_000 }));
    tenant.delete(&format!("/users/{id}"));
    assert_eq!(
        tenant.get(&format!("/users/{id}")).status,
        200,
        "deleted, and still seen"
    );
    sim.control("POST", "/clock", &json!({ "advance_ms": 61_000 }));
    assert_eq!(tenant.get(&format!("/users/{id}")).status, 404);
}

#[test]
fn throttling_counts_resource_units_and_says_when_to_come_back_or_does_not() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let path = "/users?$filter=mail%20eq%20'x'";
    assert_eq!(tenant.get(path).header("x-ms-resource-unit"), Some("2"));
    assert_eq!(
        tenant
            .get(&format!("{path}&$select=id"))
            .header("x-ms-resource-unit"),
        Some("1")
    );
    tenant.put(json!({ "resource_units": 5 }));
    assert_eq!(
        tenant.get(path).header("x-ms-throttle-limit-percentage"),
        None
    );
    assert_eq!(tenant.get(path).status, 200);
    let refusal = tenant.get(path);
    assert_eq!(refused(&refusal), (429, "TooManyRequests".into()));
    assert_eq!(
        refusal.header("x-ms-throttle-information"),
        Some("ResourceUnitLimitExceeded")
    );
    assert!(refusal.number("retry-after") >= 1);
    tenant.put(json!({ "writes": 0, "retry_after": "absent" }));
    let id = tenant.person(json!({}));
    let refusal = tenant.delete(&format!("/users/{id}"));
    assert_eq!((refusal.status, refusal.header("retry-after")), (429, None));
    tenant.put(json!({ "azure_calls": 1 }));
    let subscriptions = "/subscriptions?api-version=2020-01-01";
    let left = |answer: crate::http::Response| {
        answer
            .header("x-ms-ratelimit-remaining-subscription-reads")
            .map(str::to_owned)
    };
    assert_eq!(
        left(tenant.arm("GET", subscriptions, None)).as_deref(),
        Some("0")
    );
    assert_eq!(tenant.arm("GET", subscriptions, None).status, 429);
}

#[test]
fn a_batch_answers_each_call_by_itself() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "sessions": 1 }));
    sim.fault(&json!({ "when": { "operation": "list_groups_of_user" }, "then": { "status": 429, "reset_in_s": 7 }, "count": 1 }));
    let requests = json!({ "requests": [
        { "id": "1", "method": "GET", "url": format!("/users/{id}?$select=id") },
        { "id": "2", "method": "GET", "url": format!("/users/{id}/memberOf") },
        { "id": "3", "method": "POST", "url": format!("/users/{id}/revokeSignInSessions"), "dependsOn": ["2"] },
        { "id": "4", "method": "PATCH", "url": format!("/users/{id}"), "body": { "accountEnabled": false }, "headers": { "Content-Type": "application/json" } },
    ] });
    let answer = tenant.post("/$batch", &requests);
    assert_eq!(answer.status, 200);
    let responses = answer.json()["responses"].as_array().unwrap().clone();
    let one = |id: &str| {
        responses
            .iter()
            .find(|one| one["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(one("1")["body"]["id"], json!(id));
    assert_eq!(
        (&one("2")["status"], &one("2")["headers"]["Retry-After"]),
        (&json!(429), &json!("7"))
    );
    assert_eq!(one("3")["status"], 424);
    assert_eq!(one("4")["status"], 204);
    assert_eq!(tenant.live(&id), json!(["sessions:1"]));
    let touched: Vec<Value> = sim
        .journal("effect=write")
        .iter()
        .map(|entry| entry["user"].clone())
        .collect();
    assert_eq!(touched, [json!(id)]);
    let many: Vec<Value> = (0..21)
        .map(|n| json!({ "id": n.to_string(), "method": "GET", "url": "/users" }))
        .collect();
    assert_eq!(
        tenant.post("/$batch", &json!({ "requests": many })).status,
        400
    );
}

#[test]
fn a_delta_query_tells_what_changed_until_its_token_is_too_old() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "page_size": 2 }));
    let ids: Vec<String> = (0..3)
        .map(|n| tenant.person(json!({ "login": format!("p{n}@example.com") })))
        .collect();
    let base = format!("http://{}/entra/main/graph/v1.0", sim.address);
    let follow = |link: &Value| {
        link.as_str()
            .unwrap()
            .strip_prefix(&base)
            .unwrap()
            .to_owned()
    };
    let first = tenant.get("/users/delta?$select=accountEnabled").json();
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let second = tenant.get(&follow(&first["@odata.nextLink"])).json();
    let link = follow(&second["@odata.deltaLink"]);
    tenant.mutate(&json!({ "do": "set_enabled", "user": ids[0], "enabled": false }));
    tenant.delete(&format!("/users/{}", ids[1]));
    let changed = tenant.get(&link).json();
    let of = |id: &str| {
        changed["value"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(of(&ids[0])["accountEnabled"], false);
    assert_eq!(of(&ids[1])["@removed"]["reason"], "changed");
    tenant.put(json!({ "delta_disorder": true }));
    assert_eq!(
        tenant.get(&link).json()["value"].as_array().unwrap().len(),
        4,
        "twice each"
    );
    tenant.mutate(&json!({ "do": "expire_delta" }));
    assert_eq!(refused(&tenant.get(&link)), (410, "resyncRequired".into()));
    let latest = tenant.get("/users/delta?$deltatoken=latest").json();
    assert_eq!(latest["value"], json!([]));
}

#[test]
fn a_lost_answer_took_effect_and_the_journal_says_so() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({}));
    sim.fault(&json!({ "when": { "provider": "entra", "write": true, "user": id }, "then": { "answer_lost": true }, "count": 1 }));
    let lost = tenant.try_delete(&format!("/users/{id}"));
    assert!(lost.is_err(), "no answer came");
    assert_eq!(tenant.truth(&format!("users/{id}"))["exists"], false);
    let entry = sim.journal("effect=write&provider=entra").remove(0);
    assert_eq!(
        (&entry["ending"], &entry["changed"]),
        (&json!("lost"), &json!(true))
    );
}

#[test]
fn the_audit_log_says_who_did_what_to_whom() {
    let sim = Sim::start(&[]);
    let app = json!({ "client_id": CLIENT, "secret": SECRET, "name": "sever" });
    let tenant = Tenant::start(&sim, json!({ "apps": [app], "audit_lag_ms": 1000 }));
    let id = tenant.person(json!({}));
    tenant.patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }));
    let path =
        format!("/auditLogs/directoryAudits?$filter=targetResources/any(t:t/id%20eq%20'{id}')");
    assert_eq!(tenant.list(&path).len(), 0, "not yet");
    sim.control("POST", "/clock", &json!({ "advance_ms": 2000 }));
    let events = tenant.list(&path);
    assert_eq!(names(&events, "activityDisplayName"), ["Disable account"]);
    assert_eq!(events[0]["initiatedBy"]["app"]["displayName"], "sever");
}

#[test]
fn a_directory_follows_the_seed_and_lists_people_only() {
    let sim = Sim::start(&["--seed", "7"]);
    let tenant = Tenant::start(&sim, json!({}));
    let wish = json!({ "people": 40 });
    let planted = sim
        .control("POST", "/entra/main/seed-directory", &wish)
        .json();
    let users = planted["users"].as_array().unwrap();
    assert_eq!(users.len(), 40);
    assert!(users.iter().all(|user| user["employee_id"].is_string()));
    let other = Sim::start(&["--seed", "7"]);
    let _same = Tenant::start(&other, json!({}));
    assert_eq!(
        other
            .control("POST", "/entra/main/seed-directory", &wish)
            .json(),
        planted
    );
    assert_eq!(
        tenant.truth("users")["users"].as_array().unwrap().len(),
        41,
        "and the custodian"
    );
}

#[test]
fn the_examples_are_accepted() {
    let sim = Sim::start(&[]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let put = sim.control("PUT", "/entra/example", &read("entra-settings.json"));
    assert_eq!(put.status, 201, "{:?}", put.json());
    let planted = sim.control("POST", "/entra/example/seed", &read("entra-seed.json"));
    assert_eq!(planted.status, 200, "{:?}", planted.json());
    let ada = sim.control(
        "GET",
        "/entra/example/state/users/ada@example.com",
        &json!({}),
    );
    assert_eq!(ada.json()["live"].as_array().unwrap().len(), 11);
}
