//! The program: start, health, several orgs, end.

use std::process::Command;

use serde_json::json;

use crate::http;
use crate::sim::Sim;

#[test]
fn it_ends_with_status_0_on_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut sim = Sim::start(&[]);
        assert_eq!(
            http::send(sim.address, "GET", "/healthz", &[], None)
                .unwrap()
                .status,
            200
        );
        assert!(
            Command::new("kill")
                .args([signal, &sim.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(sim.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn orgs_know_nothing_of_each_other() {
    let sim = Sim::start(&[]);
    let (one, two) = (sim.org("one", json!({})), sim.org("two", json!({})));
    let id = one.person(json!({}));
    assert_eq!(one.get(&format!("/api/v1/users/{id}")).status, 200);
    assert_eq!(two.get(&format!("/api/v1/users/{id}")).status, 404);
    assert_eq!(sim.journal("org=two").len(), 1);
    assert_eq!(sim.control("DELETE", "/okta/two", &json!({})).status, 204);
    let gone = two.get("/api/v1/users");
    assert!(
        gone.status == 404
            && gone.json()["error"]
                .as_str()
                .unwrap()
                .contains("PUT /control/okta/two")
    );
}

#[test]
fn an_address_that_cannot_be_bound_ends_the_program_and_names_the_flag() {
    let sim = Sim::start(&[]);
    let taken = sim.address.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_sever-provider-sim"))
        .args(["--listen", &taken])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen"));
}
