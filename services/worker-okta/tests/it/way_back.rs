//! What is given back: done only where it is there.

use serde_json::{Value, json};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    Action, BindingId, EntitlementKind, Grade, OutcomeClass, Reversibility, StepClass,
};
use sever_provider::{Answer, AnswerKind, CallError, Connector as _, Effect, Sent, Undo};

use crate::people;
use crate::sim::Sim;

/// A group that nobody has.
const NO_GROUP: &str = "00g1zzzzzzzzzzzzzzzz";

async fn given(
    sim: &Sim,
    action: Action,
    account: &str,
    key: &str,
    facts: Value,
) -> Result<Answer, CallError> {
    let effect = Effect {
        action,
        account_id: account.to_owned(),
        target_kind: EntitlementKind::Group,
        target_key: key.to_owned(),
        facts,
    };
    sim.connector().apply(&effect).await
}

#[tokio::test]
async fn a_group_that_was_deleted_meanwhile_stops_nothing_else() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::fixed()).await;
    let taken = PlannedStep {
        binding: BindingId::generate(),
        action: Action::RemoveFromGroup,
        class: StepClass::Revoke,
        target_kind: EntitlementKind::Group,
        target_key: NO_GROUP.to_owned(),
        privileged: false,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: vec![],
        facts: Value::Null,
    };
    let undo = sim.connector().undo(&taken, None).await.unwrap();
    assert!(matches!(undo, Undo::Impossible { .. }), "{undo:?}");
}

#[tokio::test]
async fn what_is_not_found_is_not_given_back() {
    let sim = Sim::start(json!({})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let error = given(&sim, Action::AddToGroup, &user, NO_GROUP, Value::Null).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.class, error.sent),
        (OutcomeClass::Retry, Sent::NotApplied)
    );
    // To take it is done: nobody is in it.
    let gone = given(&sim, Action::RemoveFromGroup, &user, NO_GROUP, Value::Null).await;
    assert_eq!(gone.unwrap().kind, AnswerKind::AlreadyGone);
}

#[tokio::test]
async fn only_a_conflict_that_says_so_means_that_it_is_there() {
    let sim = Sim::start(json!({})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let role = json!({ "role": { "type": "APP_ADMIN" } });
    let there = given(&sim, Action::GrantRole, &user, "", role.clone()).await;
    assert_eq!(there.unwrap().kind, AnswerKind::AlreadyGone);
    let body = json!({ "errorCode": "E0000112", "errorSummary": "the user is being activated" });
    sim.fault(
        json!({ "when": { "operation": "assign_role" }, "then": { "status": 409, "body": body } }),
    )
    .await;
    let activating = given(&sim, Action::GrantRole, &user, "", role).await;
    assert_eq!(activating.unwrap_err().class, OutcomeClass::Retry);
}
