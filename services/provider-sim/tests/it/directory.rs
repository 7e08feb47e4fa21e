//! The generated directory.

use serde_json::{Value, json};

use crate::sim::{Org, Sim};

fn generated(org: &Org<'_>, people: usize) -> Vec<Value> {
    let response = org.sim.control(
        "POST",
        &format!("/okta/{}/seed-directory", org.name),
        &json!({ "people": people }),
    );
    response.json()["users"].as_array().unwrap().clone()
}

/// Everything about everybody, without the moments, which differ from run to run.
fn everything(org: &Org<'_>, users: &[Value]) -> String {
    let mut all: Vec<Value> = users
        .iter()
        .map(|user| org.truth(user["id"].as_str().unwrap()))
        .collect();
    for token in all
        .iter_mut()
        .flat_map(|user| user["clients"].as_array_mut().unwrap())
    {
        token["tokens"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(|token| token["expires_at"] = Value::Null);
    }
    Value::from(all).to_string()
}

#[test]
fn the_same_seed_gives_the_same_directory_and_another_seed_another() {
    let told = |seed: &str| {
        let sim = Sim::start(&["--seed", seed]);
        let org = sim.org("main", json!({}));
        let users = generated(&org, 40);
        everything(&org, &users)
    };
    let first = told("7");
    assert_eq!(first, told("7"));
    assert_ne!(first, told("8"));
}

#[test]
fn people_have_as_much_access_as_people_have() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let users = generated(&org, 300);
    assert_eq!(users.len(), 300);
    let truths: Vec<Value> = users
        .iter()
        .map(|user| org.truth(user["id"].as_str().unwrap()))
        .collect();
    let count = |truth: &Value, part: &str| truth[part].as_array().unwrap().len();
    for truth in &truths {
        let owned = truth["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|group| group["type"] == "OKTA_GROUP")
            .count();
        assert!((3..=9).contains(&owned), "{owned} groups");
        assert!(
            (1..=12).contains(&count(truth, "apps")) && (1..=3).contains(&count(truth, "clients"))
        );
        assert!((1..=3).contains(&count(truth, "factors")) && count(truth, "devices") == 1);
        assert!((1..=2).contains(&truth["sessions"].as_u64().unwrap()));
    }
    let having = |part: &str| truths.iter().filter(|truth| count(truth, part) > 0).count();
    assert!(
        (8..=40).contains(&having("roles")),
        "{} with roles",
        having("roles")
    );
    assert!(
        (5..=40).contains(&having("api_tokens")),
        "{} with API tokens",
        having("api_tokens")
    );
    assert_eq!(users[0]["login"], users[0]["email"]);
    let summary = sim.control("GET", "/okta/main/state", &json!({})).json();
    assert_eq!(
        (&summary["users"], &summary["active"]),
        (&json!(300), &json!(300))
    );
}

#[test]
fn a_seed_document_with_a_mistake_is_refused_by_name() {
    let sim = Sim::start(&[]);
    sim.org("main", json!({}));
    for (document, wanted) in [
        (
            json!({ "users": [{ "login": "a@example.com", "sesions": 1 }] }),
            "sesions",
        ),
        (
            json!({ "users": [{ "login": "a@example.com", "groups": ["Nowhere"] }] }),
            "Nowhere",
        ),
        (json!({ "users": [{ "first_name": "A" }] }), "login"),
    ] {
        let refused = sim.control("POST", "/okta/main/seed", &document);
        assert!(
            refused.status >= 400 && refused.json()["error"].as_str().unwrap().contains(wanted),
            "{document}"
        );
    }
    assert_eq!(
        sim.control("POST", "/okta/other/seed", &json!({})).status,
        404
    );
    assert_eq!(
        sim.control("PUT", "/okta/main", &json!({ "rate_window_s": 0 }))
            .status,
        400
    );
}

/// What the README shows must work.
#[test]
fn the_examples_are_accepted() {
    let example = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let sim = Sim::start(&[]);
    let org = sim.org(
        "main",
        example(include_str!("../../examples/settings.json")),
    );
    let users = org.seed(&example(include_str!("../../examples/seed.json")));
    let live = json!([
        "account:1",
        "sessions:2",
        "tokens:2",
        "grants:1",
        "api_tokens:1",
        "roles:2",
        "groups:2",
        "apps:2"
    ]);
    assert_eq!(org.truth(&users[1])["live"], live);
    sim.fault(&example(include_str!("../../examples/faults.json")));
}
