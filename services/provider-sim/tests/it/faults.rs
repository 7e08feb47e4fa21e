//! Faults on request: what the client sees, what really happened, what the journal says.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sim::{Org, Sim, TOKEN};

fn attempt(org: &Org<'_>, id: &str) -> std::io::Result<crate::http::Response> {
    let path = format!("/api/v1/users/{id}/lifecycle/suspend");
    org.try_send("POST", &path, &[("authorization", TOKEN)], Some(b""))
}

fn last_of(sim: &Sim, id: &str) -> Value {
    sim.journal(&format!("user={id}&family=users.lifecycle"))
        .pop()
        .unwrap()
}

#[test]
fn a_lost_answer_leaves_the_effect_and_no_answer() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({}));
    let rule = sim.fault(&json!({ "when": { "operation": "suspend_user" }, "then": { "answer_lost": true }, "count": 1 }));
    attempt(&org, &id).unwrap_err();
    assert_eq!(org.truth(&id)["status"], "SUSPENDED");
    let entry = last_of(&sim, &id);
    assert_eq!(
        (&entry["ending"], &entry["effect"], &entry["status"]),
        (&json!("lost"), &json!("write"), &json!(200))
    );
    assert_eq!(entry["fault"], json!(rule));
    assert_eq!(attempt(&org, &id).unwrap().status, 400, "the rule is spent");
}

#[test]
fn a_reset_leaves_neither() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({}));
    sim.fault(
        &json!({ "when": { "user": id, "write": true }, "then": { "reset": true }, "count": 1 }),
    );
    let error = attempt(&org, &id).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(org.truth(&id)["status"], "ACTIVE");
    let entry = last_of(&sim, &id);
    assert_eq!(
        (&entry["ending"], &entry["effect"]),
        (&json!("reset"), &json!("none"))
    );
}

#[test]
fn a_status_comes_instead_of_the_effect_or_after_it() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({}));
    sim.fault(&json!({ "when": { "method": "POST" }, "then": { "status": 503 }, "count": 1 }));
    assert_eq!(attempt(&org, &id).unwrap().code(), "E0000010");
    assert_eq!(org.truth(&id)["status"], "ACTIVE");
    sim.fault(&json!({ "when": { "method": "POST" }, "then": { "status": 500, "after_effect": true }, "count": 1 }));
    assert_eq!(attempt(&org, &id).unwrap().code(), "E0000009");
    assert_eq!(org.truth(&id)["status"], "SUSPENDED");
}

#[test]
fn an_ordered_429_has_headers_and_others_can_be_added() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    sim.fault(&json!({
        "when": { "family": "users" }, "count": 1,
        "then": { "status": 429, "reset_in_s": 7, "headers": [["Retry-After", "3"]] },
    }));
    let response = org.get("/api/v1/users");
    assert_eq!(
        (
            response.status,
            response.code().as_str(),
            response.header("retry-after")
        ),
        (429, "E0000047", Some("3"))
    );
    assert_eq!(response.number("x-rate-limit-remaining"), 0);
    assert_eq!(org.get("/api/v1/users").status, 200);
}

#[test]
fn a_call_can_take_effect_twice() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({}));
    sim.fault(&json!({ "when": { "method": "POST" }, "then": { "twice": true } }));
    assert_eq!(
        attempt(&org, &id).unwrap().status,
        400,
        "the second time it was suspended already"
    );
    assert_eq!(sim.journal(&format!("user={id}")).len(), 2);
}

#[test]
fn latency_hanging_slow_and_half_bodies() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let timed = |then: Value| {
        sim.control("DELETE", "/faults", &json!({}));
        sim.fault(&json!({ "when": { "family": "groups" }, "then": then }));
        let began = Instant::now();
        let response = org.try_send("GET", "/api/v1/groups", &[("authorization", TOKEN)], None);
        (
            response.map(|response| response.items().len()).ok(),
            began.elapsed() >= Duration::from_millis(80),
        )
    };
    assert_eq!(timed(json!({ "latency_ms": 80 })), (Some(1), true));
    assert_eq!(timed(json!({ "slow_body_ms": 80 })), (Some(1), true));
    assert_eq!(timed(json!({ "hang_ms": 80 })), (None, true));
    assert_eq!(timed(json!({ "half_body": true })).0, None);
}

#[test]
fn the_list_of_faults_tells_what_they_saw_and_did_and_bad_orders_are_refused() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = sim.fault(&json!({ "when": { "path": "^/api/v1/groups$" }, "then": { "status": 500 }, "after": 1, "count": 1 }));
    let seen: Vec<u16> = (0..3).map(|_| org.get("/api/v1/groups").status).collect();
    assert_eq!(seen, [200, 500, 200]);
    let rule = sim.control("GET", "/faults", &json!({})).json()["rules"][0].clone();
    assert_eq!((&rule["seen"], &rule["fired"]), (&json!(3), &json!(1)));
    assert_eq!(
        sim.control("DELETE", &format!("/faults/{id}"), &json!({}))
            .json()["removed"],
        1
    );
    for bad in [
        json!({}),
        json!({ "then": { "explode": true } }),
        json!({ "then": { "reset": true }, "probability": 2.0 }),
    ] {
        let refused = sim.control("POST", "/faults", &bad);
        assert_eq!(refused.status, 400, "{bad}");
        assert!(refused.json()["error"].is_string());
    }
}
