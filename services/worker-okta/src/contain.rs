//! The reversible block that comes before everything else.

use serde_json::Value;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, BindingId, EntitlementKind, Grade, Reversibility, StepClass};

/// The only status from which Okta suspends (users API, "Suspend user").
const SUSPENDABLE: &str = "ACTIVE";

/// The suspension of an account in this status, where Okta takes one. An account that is locked out,
/// expired, staged or in recovery cannot be suspended; it is contained by its deactivation.
#[must_use]
pub fn suspension(
    binding: BindingId,
    account_id: &str,
    provider_state: &str,
) -> Option<PlannedStep> {
    (provider_state == SUSPENDABLE).then(|| PlannedStep {
        binding,
        action: Action::SuspendAccount,
        class: StepClass::Contain,
        target_kind: EntitlementKind::Account,
        target_key: account_id.to_owned(),
        privileged: false,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts: Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_account_is_suspended() {
        for (status, steps) in [
            ("ACTIVE", 1),
            ("SUSPENDED", 0),
            ("DEPROVISIONED", 0),
            ("LOCKED_OUT", 0),
            ("PASSWORD_EXPIRED", 0),
            ("PROVISIONED", 0),
            ("RECOVERY", 0),
            ("STAGED", 0),
        ] {
            let planned = suspension(BindingId::generate(), "00u1", status);
            assert_eq!(planned.iter().count(), steps, "{status}");
        }
    }
}
