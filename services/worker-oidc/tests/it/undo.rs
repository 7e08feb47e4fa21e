//! The way back of a person at a Keycloak.

use serde_json::json;
use sever_domain::{BindingId, Intent};
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
