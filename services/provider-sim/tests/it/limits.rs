//! Rate limits and the concurrency limit.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::sim::Sim;

#[test]
fn every_answer_tells_its_bucket_and_a_spent_one_answers_429_until_its_reset() {
    let sim = Sim::start(&[]);
    let org = sim.org(
        "main",
        json!({ "rate_limits": { "/api/v1/users/{id}": 2 } }),
    );
    let id = org.person(json!({}));
    let user = format!("/api/v1/users/{id}");
    let first = org.get(&user);
    assert_eq!(
        (
            first.number("x-rate-limit-limit"),
            first.number("x-rate-limit-remaining")
        ),
        (2, 1)
    );
    assert!(first.header("x-okta-request-id").is_some() && first.header("date").is_some());
    assert_eq!(org.get(&user).number("x-rate-limit-remaining"), 0);
    let spent = org.get(&user);
    assert_eq!((spent.status, spent.code().as_str()), (429, "E0000047"));
    assert_eq!(
        spent.number("x-rate-limit-reset"),
        first.number("x-rate-limit-reset")
    );
    assert_eq!(
        org.get(&format!("{user}/groups")).status,
        200,
        "another bucket"
    );
    assert_eq!(org.delete(&user).status, 204, "another method");
    sim.control("POST", "/clock", &json!({ "advance_ms": 61_000 }));
    assert_eq!(org.get(&user).status, 200);
}

#[test]
fn one_credential_gets_its_part_of_a_bucket() {
    let sim = Sim::start(&[]);
    let org = sim.org(
        "main",
        json!({ "rate_limits": { "/api/v1/groups": 4 }, "principal_percent": 50 }),
    );
    let seen: Vec<u16> = (0..3).map(|_| org.get("/api/v1/groups").status).collect();
    assert_eq!(seen, [200, 200, 429]);
}

#[test]
fn too_many_calls_at_once_are_429_with_zeros() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "concurrency_limit": 1 }));
    sim.fault(&json!({ "when": { "operation": "list_groups" }, "then": { "hang_ms": 20_000 } }));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            org.try_send("GET", "/api/v1/groups", &[], None)
                .unwrap_err()
        });
        // The hanging call has entered once it is in the journal; each look is a round trip, so nothing spins.
        let began = Instant::now();
        while sim.journal("family=groups").is_empty() {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "the call never entered"
            );
            std::thread::yield_now();
        }
        let refused = org.get("/api/v1/users");
        assert_eq!((refused.status, refused.code().as_str()), (429, "E0000047"));
        assert_eq!(
            (
                refused.number("x-rate-limit-limit"),
                refused.number("x-rate-limit-remaining")
            ),
            (0, 0)
        );
        end(&sim);
    });
}

/// Ends the simulator, and with it the call that hangs.
fn end(sim: &Sim) {
    let pid = sim.child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
}
