//! Groups of a SCIM application, and what becomes of memberships.

use serde_json::{Value, json};

use crate::place::Place;
use crate::sim::Sim;

fn two_in_sales(place: &Place<'_>) -> (Vec<String>, String) {
    let users = place.seed(&json!({
        "groups": [{ "name": "Sales" }],
        "users": [{ "login": "ada", "groups": ["Sales"] }, { "login": "bob", "groups": ["Sales"] }],
    }));
    let group = place.truth(&users[0])["groups"][0]["id"].clone();
    (users, group.as_str().unwrap().to_owned())
}

fn members(place: &Place<'_>, group: &str) -> usize {
    let group = place.get(&format!("/Groups/{group}")).json();
    group["members"].as_array().map_or(0, Vec::len)
}

fn remove(place: &Place<'_>, group: &str, operation: Value) -> u16 {
    let body = json!({ "Operations": [operation] });
    place
        .call("PATCH", &format!("/Groups/{group}"), &body)
        .status
}

#[test]
fn a_member_goes_in_every_form_and_the_journal_names_them() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({}));
    let (users, group) = two_in_sales(&app);
    let user = app.get(&format!("/Users/{}", users[0])).json();
    assert_eq!(user["groups"][0]["value"], json!(group));
    let path = format!("members[value eq \"{}\"]", users[0]);
    assert_eq!(
        remove(&app, &group, json!({ "op": "remove", "path": path })),
        200
    );
    assert_eq!(members(&app, &group), 1);
    let value = json!([{ "value": users[1] }]);
    assert_eq!(
        remove(
            &app,
            &group,
            json!({ "op": "Remove", "path": "members", "value": value })
        ),
        200
    );
    assert_eq!(members(&app, &group), 0);
    let named: Vec<Value> = sim
        .journal("effect=write")
        .iter()
        .map(|entry| entry["user"].clone())
        .collect();
    assert_eq!(named, [json!(users[0]), json!(users[1])]);
}

#[test]
fn a_server_that_reads_no_value_takes_everybody_out() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({ "patch": { "members": ["filter"] } }));
    let (users, group) = two_in_sales(&app);
    let value = json!([{ "value": users[0] }]);
    assert_eq!(
        remove(
            &app,
            &group,
            json!({ "op": "remove", "path": "members", "value": value })
        ),
        200
    );
    assert_eq!(members(&app, &group), 0);
}

#[test]
fn forms_can_be_refused_and_a_missing_member_too() {
    let sim = Sim::start(&[]);
    let app = Place::new(
        &sim,
        "scim",
        json!({ "patch": { "members": ["replace"], "members_refusal": "invalidSyntax", "missing_member_status": 400 } }),
    );
    let (users, group) = two_in_sales(&app);
    let path = format!("members[value eq \"{}\"]", users[0]);
    assert_eq!(
        remove(&app, &group, json!({ "op": "remove", "path": path })),
        400
    );
    let kept = json!([{ "value": users[1] }]);
    assert_eq!(
        remove(
            &app,
            &group,
            json!({ "op": "replace", "path": "members", "value": kept })
        ),
        200
    );
    assert_eq!(members(&app, &group), 1);
    app.put(json!({ "patch": { "missing_member_status": 400 } }));
    assert_eq!(
        remove(&app, &group, json!({ "op": "remove", "path": path })),
        400
    );
    app.put(json!({}));
    assert_eq!(
        remove(&app, &group, json!({ "op": "remove", "path": path })),
        200
    );
}

#[test]
fn memberships_stay_or_go_with_the_account_as_set() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({ "deletion_keeps_members": true }));
    let (users, group) = two_in_sales(&app);
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    app.call("PATCH", &format!("/Users/{}", users[0]), &off);
    assert_eq!(app.truth(&users[0])["live"], json!(["groups:1"]));
    app.call("DELETE", &format!("/Users/{}", users[0]), &Value::Null);
    assert_eq!(app.truth(&users[0])["live"], json!(["groups:1"]));
    app.put(json!({ "deactivation_keeps_groups": false }));
    app.call("PATCH", &format!("/Users/{}", users[1]), &off);
    assert_eq!(app.truth(&users[1])["live"], json!([]));
    assert_eq!(members(&app, &group), 1, "the deleted one is still named");
}

#[test]
fn members_can_be_kept_back_and_filters_know_them() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({}));
    let (users, group) = two_in_sales(&app);
    for (told, expected) in [("empty", Some(json!([]))), ("hidden", None)] {
        app.put(json!({ "group_members": told }));
        let read = app.get(&format!("/Groups/{group}")).json();
        assert_eq!(read.get("members").cloned(), expected, "{told}");
        let filter = format!(
            "id%20eq%20%22{group}%22%20and%20members%20eq%20%22{}%22",
            users[0]
        );
        let found = app.get(&format!("/Groups?filter={filter}")).json();
        assert_eq!(found["totalResults"], 1, "{told}");
    }
}
