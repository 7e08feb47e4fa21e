//! Requests for integrations: jobs only where the integration has an id, and a clear answer where it has none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sever_accept::AcceptError;
use sever_domain::request::RequestState;
use sever_store::integration::{self, IntegrationSpec};

use crate::fixture::Fixture;

/// `crm` with an id at each of these connections.
async fn apply(fixture: &Fixture, connections: &[&str]) {
    let ids = |name: &&str| ((*name).to_owned(), BTreeSet::from([format!("0oa-{name}")]));
    let spec = IntegrationSpec {
        name: "crm".to_owned(),
        vendor: String::new(),
        owner: "sales-systems".to_owned(),
        provider_ids: connections.iter().map(ids).collect::<BTreeMap<_, _>>(),
    };
    let mut client = fixture.store.client("applying").await.unwrap();
    let tx = client.begin().await.unwrap();
    integration::apply(&tx, &spec, "token:ops").await.unwrap();
    tx.commit().await.unwrap();
}

fn request(name: &str) -> Value {
    json!({"integration": name, "intent": "remove", "reason": "contract ended"})
}

#[tokio::test]
async fn an_integration_gets_jobs_where_it_has_an_id_and_nowhere_else() {
    let fixture = Fixture::empty().await;
    apply(&fixture, &["okta-main"]).await;
    let accepted = fixture.ask("k1", &request("crm")).await.unwrap();
    assert_eq!(accepted.state, RequestState::Attached);
    assert_eq!(fixture.jobs().await, ["okta-main waiting remove ordinary"]);
    assert_eq!(fixture.count("outbox").await, 1);
    let again = fixture.ask("k1", &request("crm")).await.unwrap();
    assert_eq!((again.opt_out, again.created), (accepted.opt_out, false));
    let attached = fixture.ask("k2", &request("crm")).await.unwrap();
    assert_eq!(attached.opt_out, accepted.opt_out, "one open opt-out each");
}

#[tokio::test]
async fn an_id_that_came_later_gets_its_job_when_it_is_asked_for() {
    let fixture = Fixture::empty().await;
    apply(&fixture, &["okta-main"]).await;
    let accepted = fixture.ask("k1", &request("crm")).await.unwrap();
    apply(&fixture, &["okta-main", "okta-lab"]).await;
    let more = fixture.ask("k2", &request("crm")).await.unwrap();
    assert_eq!(more.opt_out, accepted.opt_out);
    assert_eq!(fixture.jobs().await.len(), 2);
}

#[tokio::test]
async fn where_it_has_no_id_nothing_is_promised() {
    let fixture = Fixture::empty().await;
    apply(&fixture, &[]).await;
    let nowhere = fixture.ask("k1", &request("crm")).await.unwrap_err();
    assert!(
        matches!(&nowhere, AcceptError::NotBound { connections } if connections.is_empty()),
        "{nowhere}"
    );
    apply(&fixture, &["okta-main"]).await;
    let mut named = request("crm");
    named["scope"] = json!(["okta-lab", "okta-main"]);
    let there = fixture.ask("k2", &named).await.unwrap_err();
    assert!(
        matches!(&there, AcceptError::NotBound { connections } if connections == &["okta-lab"]),
        "{there}"
    );
    assert!(there.to_string().contains("okta-lab"), "{there}");
    assert_eq!(fixture.count("opt_out").await, 0);
    named["scope"] = json!(["okta-main"]);
    fixture.ask("k3", &named).await.unwrap();
    assert_eq!(fixture.jobs().await.len(), 1);
}

#[tokio::test]
async fn an_unknown_name_is_told_and_a_person_s_id_is_no_integration() {
    let (fixture, person) = Fixture::with_person().await;
    for name in ["chat".to_owned(), person.to_string()] {
        let error = fixture.ask(&name, &request(&name)).await.unwrap_err();
        assert!(
            matches!(&error, AcceptError::UnknownIntegration { .. }),
            "{error}"
        );
    }
    assert_eq!(fixture.count("request").await, 0);
}

#[tokio::test]
async fn a_request_that_a_hold_stops_is_released_for_an_integration_too() {
    let fixture = Fixture::empty().await;
    apply(&fixture, &["okta-main"]).await;
    fixture.ask("k1", &request("crm")).await.unwrap();
    let mut old = request("crm");
    old["effective_at"] = json!("2020-01-01T00:00:00Z");
    let held = fixture.ask("k2", &old).await.unwrap();
    assert_eq!(held.state, RequestState::Held);
    let hold = fixture.sql("SELECT id FROM hold").await.parse().unwrap();
    let approver = sever_store::hold_decision::Approver {
        actor: "token:on-call",
        source: None,
    };
    let released =
        sever_accept::release_request(&fixture.store, hold, None, approver, "checked").await;
    assert_eq!(released.unwrap().state, RequestState::Attached);
}
