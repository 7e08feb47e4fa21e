//! The way back.

use serde_json::json;
use sever_domain::{BindingId, Intent};
use sever_provider::{Connector as _, ConnectorFactory as _, Effect, Undo};
use sever_worker_scim::ScimFactory;

use crate::drive::opt_out;
use crate::people;
use crate::sim::{Sim, TOKEN};

#[tokio::test]
async fn what_was_taken_is_given_back_from_the_pre_image() {
    let sim = Sim::start(json!({ "patch": { "active": ["string"] } })).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let before = sim.truth(&ada).await;
    let credential = json!({ "token": TOKEN, "final_state": "inactive" }).to_string();
    let connector = ScimFactory::default()
        .connect(sim.settings(&credential))
        .unwrap()
        .people;
    let binding = BindingId::generate();
    let pre_image = connector.inspect(&ada).await.unwrap();
    let steps = connector.plan(Intent::Remove, binding, &pre_image);
    opt_out(&connector, Intent::Remove, &ada).await;
    assert_eq!(sim.truth(&ada).await["live"], json!([]));
    for step in &steps {
        let was = pre_image
            .of(step.target_kind)
            .iter()
            .find(|held| held.provider_key == step.target_key);
        let Undo::Step(back) = connector.undo(step, was).await.unwrap() else {
            continue;
        };
        let effect = Effect {
            action: back.action,
            account_id: ada.clone(),
            target_kind: back.target_kind,
            target_key: back.target_key.clone(),
            facts: back.facts.clone(),
        };
        connector.apply(&effect).await.unwrap();
    }
    let after = sim.truth(&ada).await;
    assert_eq!(after["live"], before["live"]);
    assert_eq!(
        after["attributes"]["entitlements"],
        before["attributes"]["entitlements"]
    );
}

#[tokio::test]
async fn a_deleted_account_is_said_not_to_come_back() {
    let sim = Sim::start(json!({})).await;
    let ada = sim.seed(&people::two()).await.remove(0);
    let connector = sim.connector();
    let reading = connector.inspect(&ada).await.unwrap();
    let steps = connector.plan(Intent::Remove, BindingId::generate(), &reading);
    opt_out(&connector, Intent::Remove, &ada).await;
    let last = connector.undo(steps.last().unwrap(), None).await.unwrap();
    assert!(matches!(last, Undo::Impossible { .. }), "{last:?}");
}
