//! The way back of a person at a Keycloak.

use serde_json::{Value, json};
use sever_domain::{BindingId, EntitlementKind, Intent};
use sever_provider::{Connector as _, Effect, Undo};

use crate::drive::opt_out;
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn what_can_come_back_does_and_the_rest_says_why_not() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.keycloak();
    let pre_image = connector.inspect("u-ada").await.unwrap();
    let steps = connector.plan(Intent::Remove, BindingId::generate(), &pre_image);
    opt_out(&connector, Intent::Remove, "u-ada").await;
    sim.mutate(json!({ "do": "add_role_to_group", "group": "Berlin", "role": "admin" }))
        .await;
    let mut impossible = 0;
    for step in &steps {
        let was = pre_image
            .of(step.target_kind)
            .iter()
            .find(|held| held.provider_key == step.target_key);
        match connector.undo(step, was).await.unwrap() {
            Undo::Step(back) => {
                let effect = Effect {
                    action: back.action,
                    account_id: "u-ada".to_owned(),
                    target_kind: back.target_kind,
                    target_key: back.target_key.clone(),
                    facts: back.facts.clone(),
                };
                connector.apply(&effect).await.unwrap();
            }
            Undo::Impossible { reason } => {
                assert!(!reason.is_empty());
                impossible += 1;
            }
            Undo::Nothing => {}
        }
    }
    let truth = sim.truth("u-ada").await;
    assert_eq!(
        truth["live"],
        json!(["account:1", "roles:3", "groups:1"]),
        "Berlin became privileged meanwhile"
    );
    // Sessions, offline tokens, a consent, two credentials, a link and the group that became privileged.
    assert_eq!(impossible, 7);
}

/// What a restore would make of the membership in Berlin after these changes.
async fn way_back_into_berlin(settings: Value, changes: &[Value]) -> Undo {
    let sim = Sim::start(settings).await;
    sim.seed(&people::two()).await;
    sim.seed(&json!({ "clients": [{ "client_id": "realm-management" }] }))
        .await;
    let connector = sim.keycloak();
    let pre_image = connector.inspect("u-ada").await.unwrap();
    let steps = connector.plan(Intent::Remove, BindingId::generate(), &pre_image);
    opt_out(&connector, Intent::Remove, "u-ada").await;
    for change in changes {
        sim.mutate(change.clone()).await;
    }
    let groups = pre_image.of(EntitlementKind::Group).iter();
    let mut berlin = groups.filter(|group| group.facts["name"] == "Berlin");
    let berlin = berlin.next().unwrap();
    let step = steps
        .iter()
        .find(|step| step.target_key == berlin.provider_key);
    connector.undo(step.unwrap(), Some(berlin)).await.unwrap()
}

fn below_staff() -> Value {
    json!({ "do": "set_parent", "group": "Berlin", "parent": "Staff" })
}

fn mapped(group: &str, role: &str, client: Option<&str>) -> Value {
    json!({ "do": "add_role_to_group", "group": group, "role": role, "client": client })
}

#[tokio::test]
async fn a_group_gives_what_those_above_it_give() {
    let by_path = json!({ "unconfirmed": { "group_parent_id": false } });
    let staff_below_all = json!({ "do": "set_parent", "group": "Staff", "parent": "All" });
    for settings in [json!({}), by_path] {
        for power in [
            vec![mapped("Staff", "realm-admin", Some("realm-management"))],
            vec![
                staff_below_all.clone(),
                mapped("All", "view-users", Some("realm-management")),
            ],
            vec![mapped("Staff", "owner", None)],
            vec![mapped("Staff", "admin", Some("web"))],
        ] {
            let changes = [vec![below_staff()], power].concat();
            let undo = way_back_into_berlin(settings.clone(), &changes).await;
            assert!(
                matches!(&undo, Undo::Impossible { reason } if reason.contains("administrative")),
                "{settings} {changes:?}: {undo:?}"
            );
        }
        let ordinary = [
            below_staff(),
            staff_below_all.clone(),
            mapped("All", "editor", Some("web")),
        ];
        let undo = way_back_into_berlin(settings.clone(), &ordinary).await;
        assert!(matches!(undo, Undo::Step(_)), "{settings}: {undo:?}");
    }
}

#[tokio::test]
async fn a_role_that_contains_administrative_ones_is_administrative() {
    let contains = |client: &str, contains: &str| json!({ "do": "add_role_to_role", "role": "operations", "client": client, "contains": contains });
    let operations = mapped("Berlin", "operations", None);
    let changes = [
        operations.clone(),
        contains("realm-management", "manage-users"),
    ];
    let undo = way_back_into_berlin(json!({}), &changes).await;
    assert!(
        matches!(&undo, Undo::Impossible { reason } if reason.contains("administrative")),
        "{undo:?}"
    );
    let changes = [operations, contains("web", "editor")];
    let undo = way_back_into_berlin(json!({}), &changes).await;
    assert!(matches!(undo, Undo::Step(_)), "{undo:?}");
}
