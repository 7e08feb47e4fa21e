//! Enterprise applications, judged by the simulator's own state and journal.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::plan::Disposition;
use sever_domain::{BindingId, EntitlementKind as Kind, Intent};
use sever_provider::{Connector as _, FoundAccount};

use crate::drive::{opt_out, opt_out_until};
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn an_application_is_disabled_and_stripped_and_no_other_is_touched() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let (wiki, ada) = (sim.application("sp-wiki").await, sim.truth("ada").await);
    let outcome = opt_out(&sim.integrations(), Intent::Remove, "sp-crm").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!((outcome.revisions, outcome.refused), (1, vec![]));
    let truth = sim.application("sp-crm").await;
    assert_eq!(
        (&truth["enabled"], &truth["live"]),
        (&json!(false), &json!([])),
        "{truth}"
    );
    assert_eq!(sim.application("sp-wiki").await, wiki);
    let writes = sim.writes().await;
    assert_eq!(writes[0], "update_service_principal");
    assert!(!writes.iter().any(
        |write| write.starts_with("delete_service") || write.starts_with("delete_application")
    ));
    for call in sim.journal().await {
        let path = call["path"].as_str().unwrap();
        assert!(
            !path.contains("sp-wiki") && !path.contains("app-sp-wiki"),
            "{call}"
        );
        let own = ["sp-crm", "app-sp-crm"]
            .map(Value::from)
            .contains(&call["user"]);
        // Consumers and consents are other people's ends of the application's own relations.
        let relation = ["app_roles", "grants"].contains(&call["family"].as_str().unwrap());
        assert!(own || relation || call["effect"] == "read", "{call}");
    }
    assert_eq!(sim.truth("ben").await["enabled"], true);
    let left = sim.truth("ada").await;
    assert_eq!(
        (
            left["app_roles"].as_array().unwrap().len(),
            ada["app_roles"].as_array().unwrap().len()
        ),
        (1, 2)
    );
}

#[tokio::test]
async fn a_third_partys_application_has_no_registration_here() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::applications();
    document["applications"][1]["third_party"] = json!(true);
    sim.seed(&document).await;
    let outcome = opt_out(&sim.integrations(), Intent::Remove, "sp-crm").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let writes = sim.writes().await;
    assert!(
        !writes
            .iter()
            .any(|write| write.contains("password") || write == "update_application")
    );
}

#[tokio::test]
async fn a_disabled_application_keeps_what_it_cannot_use() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let outcome = opt_out(&sim.integrations(), Intent::Disable, "sp-crm").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.writes().await, ["update_service_principal"]);
}

#[tokio::test]
async fn whom_an_application_serves_is_counted() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect("sp-crm").await.unwrap();
    let affected = integrations.blast_radius("sp-crm", &reading).await.unwrap();
    assert_eq!(
        (affected.people, affected.groups, affected.applications),
        (2, 1, 0)
    );
    assert!(
        !affected.complete,
        "everybody may use an application that wants no assignment"
    );
}

#[tokio::test]
async fn what_azure_or_microsoft_manages_is_not_called() {
    let sim = Sim::start(json!({})).await;
    let subscriptions =
        json!([{"id": "11111111-1111-4111-a111-111111111111", "name": "Production"}]);
    sim.seed(&json!({"subscriptions": subscriptions, "applications": [{"id": "sp-vm", "name": "VM", "managed_identity": true, "roles": [{"role": "Directory Readers"}]}]})).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect("sp-vm").await.unwrap();
    let steps = integrations.plan(Intent::Remove, BindingId::generate(), &reading);
    assert!(matches!(steps[0].disposition, Disposition::Manual { .. }));
    let outcome = opt_out(&integrations, Intent::Remove, "sp-vm").await;
    assert_eq!((outcome.verdict, outcome.refused), (Verdict::Asked, vec![]));
    assert_eq!(sim.writes().await, ["remove_role"]);
}

#[tokio::test]
async fn microsofts_own_applications_keep_everything_and_are_everybodys_way_in() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect("sp-graph").await.unwrap();
    assert!(!reading.of(Kind::Consumer).is_empty());
    let affected = integrations
        .blast_radius("sp-graph", &reading)
        .await
        .unwrap();
    assert!(affected.last_sign_in_path);
    let outcome = opt_out(&integrations, Intent::Remove, "sp-graph").await;
    assert_eq!((outcome.verdict, outcome.refused), (Verdict::Live, vec![]));
    assert_eq!(sim.writes().await, [] as [&str; 0]);
}

#[tokio::test]
async fn an_application_that_was_deleted_before_loses_its_azure_roles() {
    let sim = Sim::start(json!({"unconfirmed": {"roles_of_deleted_listed": true}})).await;
    sim.seed(&people::applications()).await;
    sim.mutate(json!({"do": "delete", "user": "sp-crm"})).await;
    let integrations = sim.integrations();
    let FoundAccount::Present(account) = integrations.find_by_id("sp-crm").await.unwrap() else {
        panic!("a deleted application can be restored, and is not absent");
    };
    assert_eq!(account.provider_state, "deleted");
    let outcome = opt_out(&integrations, Intent::Remove, "sp-crm").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.application("sp-crm").await["azure_orphans"], 0);
    assert!(
        outcome
            .closing
            .inert
            .iter()
            .all(|remaining| remaining.kind == Kind::EligibleRole)
    );
}

#[tokio::test]
async fn a_process_that_dies_or_loses_any_answer_ends_where_a_whole_one_does() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    opt_out(&sim.integrations(), Intent::Remove, "sp-crm").await;
    let whole = sim.application("sp-crm").await;
    let writes = sim.writes().await.len();
    assert!(writes > 10, "{writes}");
    for at in 0..writes {
        sim.anew().await;
        sim.seed(&people::applications()).await;
        let rule = json!({"when": {"provider": "entra", "write": true}, "then": {"answer_lost": true}, "after": at, "count": 1});
        sim.fault(rule).await;
        let died = opt_out_until(&sim.integrations(), Intent::Remove, "sp-crm", writes - at).await;
        drop(died);
        let outcome = opt_out(&sim.integrations(), Intent::Remove, "sp-crm").await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{at}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{at}");
        assert_eq!(sim.application("sp-crm").await, whole, "{at}");
    }
}
