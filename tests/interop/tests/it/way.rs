//! One opt-out, as short as it can be: contain, inspect, plan, apply in the plan's order, close.

use sever_domain::closing::{Closing, Done, ManualStep, judge};
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::{Action, BindingId, Intent};
use sever_provider::{Connector, Effect, FoundAccount};

/// Carries out one opt-out; every call must be answered.
pub async fn opt_out<C: Connector>(connector: &C, intent: Intent, account: &str) -> Closing {
    connector.canary().await.unwrap();
    let binding = BindingId::generate();
    let mut answered = Vec::new();
    if let FoundAccount::Present(found) = connector.find_by_id(account).await.unwrap() {
        for step in connector.contain(binding, &found) {
            send(connector, account, &step, &mut answered).await;
        }
    }
    let reading = connector.inspect(account).await.unwrap();
    let plan = connector.plan(intent, binding, &reading);
    assert_eq!(check(&plan), Ok(()));
    let manual: Vec<ManualStep<'_>> = plan
        .iter()
        .filter(|step| matches!(step.disposition, Disposition::Manual { .. }))
        .map(|step| ManualStep {
            kind: step.target_kind,
            key: &step.target_key,
            attested: false,
        })
        .collect();
    for step in &plan {
        send(connector, account, step, &mut answered).await;
    }
    let reading = connector.inspect(account).await.unwrap();
    let done = Done {
        answered: &answered,
        manual: &manual,
    };
    judge(connector, intent, &reading, done)
}

async fn send<C: Connector>(
    connector: &C,
    account: &str,
    step: &PlannedStep,
    answered: &mut Vec<Action>,
) {
    if step.action == Action::Leave {
        return;
    }
    let effect = Effect {
        action: step.action,
        account_id: account.to_owned(),
        target_kind: step.target_kind,
        target_key: step.target_key.clone(),
        facts: step.facts.clone(),
    };
    connector.apply(&effect).await.unwrap();
    answered.push(step.action);
}
