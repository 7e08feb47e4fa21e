//! The System Log.

use serde_json::{Value, json};

use crate::sim::{Org, Sim};

fn kinds(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|event| event["eventType"].as_str().unwrap().to_owned())
        .collect()
}

fn inside(org: &Org<'_>, link: &str) -> String {
    link.strip_prefix(&format!("http://{}/okta/main", org.sim.address))
        .unwrap()
        .to_owned()
}

#[test]
fn every_write_is_an_event_that_names_its_request() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "clients": [{ "client_id": "0oa1", "tokens": [{}] }] }));
    let write = org.post(&format!("/api/v1/users/{id}/lifecycle/suspend"));
    org.delete(&format!("/api/v1/users/{id}/sessions?oauthTokens=true"));
    let query = format!("/api/v1/logs?filter=target.id+eq+%22{id}%22");
    let events = org.get(&query).items();
    assert_eq!(
        kinds(&events),
        [
            "user.lifecycle.suspend",
            "user.session.clear",
            "app.oauth2.token.revoke.implicit.user"
        ]
    );
    let request = events[0]
        .pointer("/debugContext/debugData/requestId")
        .unwrap()
        .as_str();
    assert_eq!(request, write.header("x-okta-request-id"));
    assert_eq!(events[0].pointer("/target/0/id"), Some(&json!(id)));
    let one = org
        .get(&format!(
            "{query}+and+eventType+eq+%22user.session.clear%22"
        ))
        .items();
    assert_eq!(one.len(), 1);
    assert_eq!(
        org.get("/api/v1/logs?filter=published+gt+%222020-01-01T00:00:00.000Z%22")
            .status,
        400
    );
}

#[test]
fn polling_always_has_a_next_and_a_bounded_question_ends() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({}));
    let toggle = |action: &str| org.post(&format!("/api/v1/users/{id}/lifecycle/{action}"));
    toggle("suspend");
    toggle("unsuspend");
    let first = org.get("/api/v1/logs?limit=2");
    assert_eq!(first.items().len(), 2);
    let next = inside(&org, &first.link("next").unwrap());
    let empty = org.get(&next);
    assert_eq!(empty.items().len(), 0);
    toggle("suspend");
    let later = org.get(&inside(&org, &empty.link("next").unwrap()));
    assert_eq!(kinds(&later.items()), ["user.lifecycle.suspend"]);
    assert!(later.link("next").is_some());
    let bounded =
        org.pages("/api/v1/logs?since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z&limit=2");
    assert_eq!(bounded.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let newest = org.get("/api/v1/logs?sortOrder=DESCENDING&limit=1").items();
    assert_eq!(kinds(&newest), ["user.lifecycle.suspend"]);
}
