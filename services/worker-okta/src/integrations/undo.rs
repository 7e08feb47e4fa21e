//! The way back of an integration's steps.

use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, Grade, Reversibility, StepClass};
use sever_provider::Undo;

/// How a verified step comes back; what a call needs besides the target is in the pre-image.
#[must_use]
pub fn undo(step: &PlannedStep, pre_image: Option<&Entitlement>) -> Undo {
    match (step.action, pre_image) {
        (Action::DisableIntegration, _) => inverse(step, Action::EnableIntegration, Value::Null),
        (Action::RemoveConsumer, _) => inverse(step, Action::AddConsumer, Value::Null),
        (Action::RevokePermission, Some(read)) => {
            let facts = json!({ "scope": read.facts["scope"], "issuer": read.facts["issuer"] });
            inverse(step, Action::GrantPermission, facts)
        }
        (Action::RevokeRole, Some(read)) => role(step, read),
        (Action::RevokePermission | Action::RevokeRole, None) => {
            never("what it was is not in the pre-image")
        }
        (Action::RevokeTokens, _) => never("people sign in to the application anew"),
        (Action::RemoveSecret, _) => {
            never("Okta shows a credential once: the application's owner makes another")
        }
        (Action::RemoveHook, _) => never("the hook's owner makes another"),
        (Action::RevokeApiToken, _) => {
            never("Okta shows an API token once: its owner makes a new one")
        }
        (_, _) => Undo::Nothing,
    }
}

fn role(step: &PlannedStep, read: &Entitlement) -> Undo {
    let facts = &read.facts;
    let role = match (&facts["type"], &facts["role"]) {
        (Value::String(kind), _) if kind != "CUSTOM" => json!({ "type": kind }),
        (_, Value::String(role)) => {
            json!({ "type": "CUSTOM", "role": role, "resource-set": facts["resource_set"] })
        }
        (_, _) => return never("what the role was is not in the pre-image"),
    };
    let facts = json!({ "client_id": facts["client_id"], "role": role });
    inverse(step, Action::GrantRole, facts)
}

fn never(reason: &str) -> Undo {
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}

fn inverse(step: &PlannedStep, action: Action, facts: Value) -> Undo {
    Undo::Step(Box::new(PlannedStep {
        binding: step.binding,
        action,
        class: StepClass::Revoke,
        target_kind: step.target_kind,
        target_key: step.target_key.clone(),
        privileged: step.privileged,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts,
    }))
}
