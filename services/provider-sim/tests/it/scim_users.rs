//! Users of a SCIM application: reading, deactivating in every dialect, deleting.

use serde_json::{Value, json};

use crate::place::{Place, SECRET};
use crate::sim::Sim;

fn patch(operation: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] })
}

fn by_path() -> Value {
    patch(json!({ "op": "replace", "path": "active", "value": false }))
}

fn pathless() -> Value {
    patch(json!({ "op": "replace", "value": { "active": false } }))
}

fn by_string() -> Value {
    patch(json!({ "op": "Replace", "path": "active", "value": "False" }))
}

fn ada(place: &Place<'_>) -> String {
    let user = json!({ "login": "ada@example.com", "first_name": "Ada", "external_id": "e1" });
    place.seed(&json!({ "users": [user] })).remove(0)
}

#[test]
fn a_user_has_the_documented_members_and_unknown_ones_where_wanted() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({ "etag": true }));
    let id = ada(&app);
    let answer = app.get(&format!("/Users/{id}"));
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    let user = answer.json();
    let location = format!("http://{}/scim/main/Users/{id}", sim.address);
    for (pointer, wanted) in [
        ("/id", json!(id)),
        ("/userName", json!("ada@example.com")),
        ("/externalId", json!("e1")),
        ("/active", json!(true)),
        ("/emails/0/value", json!("ada@example.com")),
        ("/name/givenName", json!("Ada")),
        ("/groups", json!([])),
        ("/meta/resourceType", json!("User")),
        ("/meta/location", json!(location)),
        ("/meta/version", json!("W/\"1\"")),
    ] {
        assert_eq!(user.pointer(pointer), Some(&wanted), "{pointer}");
    }
    app.put(
        json!({ "unknown_members": true, "attribute_case": "pascal", "active_as_string": true }),
    );
    let user = app.get(&format!("/Users/{id}")).json();
    assert_eq!(
        (&user["UserName"], &user["Active"]),
        (&json!("ada@example.com"), &json!("True"))
    );
    assert!(user.get("VendorFlags").is_some() && user.get("userName").is_none());
}

#[test]
fn every_dialect_deactivates_where_it_is_taken_and_is_refused_where_not() {
    let sim = Sim::start(&[]);
    let forms = [
        ("path", by_path()),
        ("pathless", pathless()),
        ("string", by_string()),
    ];
    for (taken, _) in &forms {
        for (sent, body) in &forms {
            let app = Place::new(&sim, "scim", json!({ "patch": { "active": [taken] } }));
            let id = ada(&app);
            let answer = app.call("PATCH", &format!("/Users/{id}"), body);
            let done = app.truth(&id)["active"] == json!(false);
            assert_eq!(
                (answer.status == 200, done),
                (taken == sent, taken == sent),
                "{sent} at {taken}"
            );
            if taken != sent {
                let error = answer.json();
                assert_eq!(
                    (&error["status"], &error["scimType"]),
                    (&json!("400"), &json!("invalidPath"))
                );
            }
            app.order("DELETE", "", &json!({}));
        }
    }
}

#[test]
fn a_dialect_can_be_ignored_with_a_success_and_patch_can_be_missing() {
    let sim = Sim::start(&[]);
    let app = Place::new(
        &sim,
        "scim",
        json!({ "patch": { "active": ["pathless"], "active_refusal": "ignored", "success_status": 204 } }),
    );
    let id = ada(&app);
    let user = format!("/Users/{id}");
    assert_eq!(app.call("PATCH", &user, &by_path()).status, 204);
    assert_eq!(app.truth(&id)["live"], json!(["account:1"]));
    for status in [501, 405, 404] {
        app.put(json!({ "patch": { "missing_status": status } }));
        assert_eq!(app.call("PATCH", &user, &pathless()).status, status);
    }
    let mut whole = app.get(&user).json();
    whole["active"] = json!(false);
    assert_eq!(app.call("PUT", &user, &whole).status, 200);
    assert_eq!(app.truth(&id)["live"], json!([]));
    whole.as_object_mut().unwrap().remove("active");
    assert_eq!(app.call("PUT", &user, &whole).status, 200);
    assert_eq!(
        app.truth(&id)["active"],
        false,
        "a PUT without active leaves it"
    );
}

#[test]
fn deleting_is_final_or_soft_or_not_there() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({}));
    let id = ada(&app);
    let user = format!("/Users/{id}");
    let delete = || app.call("DELETE", &user, &Value::Null).status;
    app.put(json!({ "delete": "missing" }));
    assert_eq!(delete(), 501);
    app.put(json!({ "delete": "soft" }));
    assert_eq!((delete(), delete()), (204, 204));
    assert_eq!(app.get(&user).json()["active"], false);
    app.put(json!({}));
    assert_eq!((delete(), delete()), (204, 404));
    assert_eq!(app.get(&user).status, 404);
    assert_eq!(
        app.truth(&id),
        json!({ "id": id, "exists": false, "groups": [], "live": [] })
    );
    let again = app.call("POST", "/Users", &json!({ "userName": "ada@example.com" }));
    assert_eq!(again.status, 201);
    assert_ne!(again.json()["id"], json!(id));
    assert_eq!(
        app.call("POST", "/Users", &json!({ "userName": "ADA@example.com" }))
            .json()["scimType"],
        "uniqueness"
    );
}

#[test]
fn a_change_can_be_accepted_and_done_some_reads_later() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({ "active_polls": 2 }));
    let id = ada(&app);
    let user = format!("/Users/{id}");
    assert_eq!(app.call("PATCH", &user, &by_path()).status, 202);
    assert_eq!(app.call("PATCH", &user, &by_path()).status, 202);
    let seen: Vec<Value> = (0..3)
        .map(|_| app.get(&user).json()["active"].clone())
        .collect();
    assert_eq!(seen, [true, true, false]);
}

#[test]
fn another_version_is_refused() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({ "etag": true }));
    let id = ada(&app);
    let bearer = format!("Bearer {SECRET}");
    let with = |version: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-match", version)];
        let sent = app.send(
            "PATCH",
            &format!("/Users/{id}"),
            &headers,
            &by_path().to_string(),
        );
        sent.unwrap().status
    };
    assert_eq!((with("W/\"7\""), with("W/\"1\"")), (412, 200));
    assert_eq!(app.truth(&id)["active"], false);
}

#[test]
fn errors_come_in_every_shape() {
    let sim = Sim::start(&[]);
    let app = Place::new(&sim, "scim", json!({}));
    let refused = |style: &str| {
        app.put(json!({ "error_style": style }));
        app.get("/Users/nobody")
    };
    assert_eq!(refused("string_status").json()["status"], "404");
    assert_eq!(refused("number_status").json()["status"], 404);
    assert_eq!(refused("scim1").json()["Errors"][0]["code"], "404");
    assert_eq!(refused("html").header("content-type"), Some("text/html"));
    let unknown = app
        .send("GET", "/Users", &[("authorization", "Bearer wrong")], "")
        .unwrap();
    assert_eq!(
        (unknown.status, unknown.header("www-authenticate")),
        (401, Some("Bearer"))
    );
}
