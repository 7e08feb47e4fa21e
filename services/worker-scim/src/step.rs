//! Steps as this connector plans them.

use serde_json::json;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, BindingId, EntitlementKind, Grade, Reversibility, StepClass};

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

/// `active` false.
#[must_use]
pub fn deactivation(binding: BindingId, account_id: &str) -> PlannedStep {
    let contain = (Action::SuspendAccount, StepClass::Contain);
    step(binding, contain, EntitlementKind::Account, account_id)
}
