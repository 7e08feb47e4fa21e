//! Steps as these connectors plan them.

use serde_json::json;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, BindingId, EntitlementKind, Grade, Reversibility, StepClass};
use sever_provider::Undo;

/// A step that is reversible, proven by a read and waits for nothing.
#[must_use]
pub fn step(
    binding: BindingId,
    (action, class): (Action, StepClass),
    target_kind: EntitlementKind,
    target_key: &str,
) -> PlannedStep {
    PlannedStep {
        binding,
        action,
        class,
        target_kind,
        target_key: target_key.to_owned(),
        privileged: false,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts: json!({}),
    }
}

/// The line of an entitlement that no call ends.
#[must_use]
pub fn line(
    binding: BindingId,
    kind: EntitlementKind,
    key: &str,
    disposition: Disposition,
) -> PlannedStep {
    let (grade, rule) = match &disposition {
        Disposition::Inert { rule } => (Grade::Implied, Some(rule.clone())),
        Disposition::Manual { .. } => (Grade::Attested, None),
        Disposition::MustGo | Disposition::Blocked { .. } => (Grade::Read, None),
    };
    PlannedStep {
        grade,
        rule,
        disposition,
        ..step(binding, (Action::Leave, StepClass::Revoke), kind, key)
    }
}

/// The inverse of a step.
#[must_use]
pub fn inverse(done: &PlannedStep, action: Action, facts: serde_json::Value) -> Undo {
    let class = StepClass::Revoke;
    Undo::Step(Box::new(PlannedStep {
        privileged: done.privileged,
        facts,
        ..step(
            done.binding,
            (action, class),
            done.target_kind,
            &done.target_key,
        )
    }))
}

/// What does not come back, and why.
#[must_use]
pub fn never(reason: &str) -> Undo {
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}
