//! What is seen late.

use serde_json::{Value, json};

use crate::sim::{Org, Sim};

const FIND: &str = "/api/v1/users?search=profile.login+eq+%22ada@example.com%22";

fn statuses(org: &Org<'_>) -> Vec<Value> {
    org.get(FIND)
        .items()
        .iter()
        .map(|user| user["status"].clone())
        .collect()
}

#[test]
fn search_shows_the_old_state_for_as_many_reads_as_were_set_and_the_user_itself_does_not() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "search_lag_reads": 2 }));
    let id = org.person(json!({}));
    org.post(&format!("/api/v1/users/{id}/lifecycle/suspend"));
    assert_eq!(
        org.get(&format!("/api/v1/users/{id}")).json()["status"],
        "SUSPENDED"
    );
    let seen: Vec<Vec<Value>> = (0..3).map(|_| statuses(&org)).collect();
    assert_eq!(
        seen,
        [[json!("ACTIVE")], [json!("ACTIVE")], [json!("SUSPENDED")]]
    );
}

#[test]
fn search_finds_a_deleted_user_and_the_old_login_until_the_lag_is_over() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "search_lag_ms": 60_000 }));
    let id = org.person(json!({}));
    org.mutate(&json!({ "do": "change_login", "user": id, "login": "ada.new@example.com" }));
    assert_eq!(statuses(&org), [json!("ACTIVE")], "under the old login");
    org.mutate(&json!({ "do": "delete", "user": id }));
    assert_eq!(statuses(&org), [json!("ACTIVE")], "though deleted");
    assert_eq!(org.get(&format!("/api/v1/users/{id}")).status, 404);
    sim.control("POST", "/clock", &json!({ "advance_ms": 61_000 }));
    assert_eq!(statuses(&org), [] as [Value; 0]);
}

#[test]
fn an_app_counts_who_left_its_group_until_the_lag_is_over() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "app_lag_reads": 2 }));
    org.seed(&json!({
        "groups": [{ "id": "00gsales", "name": "Sales" }], "apps": [{ "id": "0oacrm", "label": "CRM", "groups": ["Sales"] }],
    }));
    let id = org.person(json!({ "groups": ["Sales"] }));
    let app_user = format!("/api/v1/apps/0oacrm/users/{id}");
    org.delete(&format!("/api/v1/groups/00gsales/users/{id}"));
    assert_eq!(org.get(&app_user).json()["scope"], "GROUP");
    assert_eq!(
        org.delete(&app_user).code(),
        "E0000046",
        "the group still counts"
    );
    assert_eq!(org.get(&app_user).status, 404);
    assert_eq!(org.truth(&id)["live"], json!(["account:1"]));
}
