//! The journal over HTTP.

use serde_json::{Value, json};

use crate::sim::{Sim, TOKEN};

#[test]
fn every_call_is_in_it_in_order_and_says_what_it_did() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "sessions": 1 }));
    let read = org.get("/api/v1/users/ada");
    org.delete(&format!("/api/v1/users/{id}/sessions?oauthTokens=true"));
    org.post(&format!("/api/v1/users/{id}/lifecycle/unsuspend"));
    org.try_send("GET", "/api/v1/users", &[], None).unwrap();
    let entries = sim.journal("");
    let told: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!([
                entry["seq"],
                entry["operation"],
                entry["effect"],
                entry["status"],
                entry["principal"],
                entry["user"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "get_user", "read", 200, "worker", id]),
            json!([2, "clear_sessions", "write", 204, "worker", id]),
            json!([3, "unsuspend_user", "none", 400, "worker", id]),
            json!([4, "list_users", "none", 401, null, null]),
        ]
    );
    assert_eq!(
        entries[0]["request_id"].as_str(),
        read.header("x-okta-request-id")
    );
    assert_eq!(entries[1]["query"], "oauthTokens=true");
    assert!(
        entries
            .windows(2)
            .all(|pair| pair[0]["monotonic_us"].as_u64() <= pair[1]["monotonic_us"].as_u64())
    );
    assert!(
        !Value::from(entries)
            .to_string()
            .contains(TOKEN.trim_start_matches("SSWS ")),
        "no credential in it"
    );
    assert_eq!(sim.journal("effect=write").len(), 1);
    assert_eq!(
        sim.journal(&format!("user={id}&after=1&limit=1"))[0]["seq"],
        2
    );
}

#[test]
fn it_keeps_the_newest_and_says_what_it_dropped() {
    let sim = Sim::start(&["--journal-capacity", "3"]);
    let org = sim.org("main", json!({}));
    for _ in 0..5 {
        org.get("/api/v1/groups");
    }
    let page = sim.control("GET", "/journal", &json!({})).json();
    assert_eq!(
        (
            &page["dropped"],
            &page["last_seq"],
            &page["entries"][0]["seq"]
        ),
        (&json!(2), &json!(5), &json!(3))
    );
    assert_eq!(sim.control("DELETE", "/journal", &json!({})).status, 204);
    org.get("/api/v1/groups");
    assert_eq!(sim.journal("")[0]["seq"], 6);
    assert_eq!(
        sim.control("GET", "/journal?efect=write", &json!({}))
            .status,
        400
    );
}
