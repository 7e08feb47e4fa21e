//! The way back of an integration's steps.

use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, KNOWN_BY, PlannedStep};
use sever_domain::{Action, Grade, Reversibility, StepClass};
use sever_provider::Undo;

use crate::undo::{ROLE_LIMITED, ROLE_UNKNOWN, is_limited, known_by_facts, role_again};

/// How a verified step comes back; what a call needs besides the target is in the pre-image.
#[must_use]
pub fn undo(step: &PlannedStep, pre_image: Option<&Entitlement>) -> Undo {
    match (step.action, pre_image) {
        (Action::DisableIntegration, _) => inverse(step, Action::EnableIntegration, Value::Null),
        (Action::RemoveConsumer, _) => inverse(step, Action::AddConsumer, Value::Null),
        (Action::RevokePermission, Some(read)) => {
            let facts = &read.facts;
            // A grant gets an id of its own; what provisions has none.
            let known_by = match &facts["scope"] {
                Value::String(_) => known_by_facts(facts, &["scope"]),
                _ => Value::Null,
            };
            let again =
                json!({ "scope": facts["scope"], "issuer": facts["issuer"], KNOWN_BY: known_by });
            inverse(step, Action::GrantPermission, again)
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
    if is_limited(&read.facts) {
        return never(ROLE_LIMITED);
    }
    let Some(mut facts) = role_again(&read.facts, &["type", "role", "resource_set"]) else {
        return never(ROLE_UNKNOWN);
    };
    facts["client_id"] = read.facts["client_id"].clone();
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
