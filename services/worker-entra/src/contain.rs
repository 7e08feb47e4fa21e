//! The reversible block that comes before everything else.

use sever_domain::plan::PlannedStep;
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Reversibility, StepClass,
};

use crate::steps::step;

/// The disabling of an account that can sign in. Of an administrator it may be refused until the roles are gone; the plan
/// then has it again, after them.
#[must_use]
pub fn disabling(binding: BindingId, account_id: &str, state: AccountState) -> Option<PlannedStep> {
    (state == AccountState::Live).then(|| PlannedStep {
        reversibility: Reversibility::Reversible,
        grade: Grade::AgreeingReads,
        ..step(
            binding,
            Action::SuspendAccount,
            StepClass::Contain,
            EntitlementKind::Account,
            account_id,
        )
    })
}
