//! The plain form of a planned step, which each place fills in.

use serde_json::json;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, BindingId, EntitlementKind, Grade, Reversibility, StepClass};

/// A step without needs that must go, one-way, proven by agreeing reads.
#[must_use]
pub fn step(
    binding: BindingId,
    action: Action,
    class: StepClass,
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
        reversibility: Reversibility::OneWay,
        grade: Grade::AgreeingReads,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts: json!({}),
    }
}

/// A step that only stands for an entitlement which no call of ours ends.
#[must_use]
pub fn stand_in(
    binding: BindingId,
    entitlement: &Entitlement,
    disposition: Disposition,
) -> PlannedStep {
    let rule = match &disposition {
        Disposition::Inert { rule } => Some(rule.clone()),
        Disposition::MustGo | Disposition::Blocked { .. } | Disposition::Manual { .. } => None,
    };
    let plain = step(
        binding,
        Action::Leave,
        StepClass::Revoke,
        entitlement.kind,
        &entitlement.provider_key,
    );
    PlannedStep {
        privileged: entitlement.privileged,
        grade: if rule.is_some() {
            Grade::Implied
        } else {
            Grade::AgreeingReads
        },
        rule,
        disposition,
        facts: entitlement.facts.clone(),
        ..plain
    }
}
