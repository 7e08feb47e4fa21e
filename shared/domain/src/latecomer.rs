//! What an account was given after its removal was planned: looked for right before a step that would hide it.

use crate::closing::Rules;
use crate::entitlement::{AccountReading, Entitlement, EntitlementKind};
use crate::opt_out::Intent;
use crate::plan::{Disposition, PlannedStep};
use crate::step::StepState;

/// What a look right before the end shows, against the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Nothing that the plan does not know of.
    Nothing,
    /// Something that the plan has ended is there: the reading is old, or it was given anew.
    Again,
    /// Something that the plan does not know of.
    New,
}

/// Compares a reading with the steps of the plan that is being carried out. Steps of earlier plans may be among them.
#[must_use]
pub fn late<'a>(
    rules: &impl Rules,
    intent: Intent,
    reading: &AccountReading,
    steps: impl Iterator<Item = (&'a PlannedStep, StepState)> + Clone,
) -> Late {
    let held = reading.entitlements().filter(|held| {
        held.kind != EntitlementKind::Account
            && rules.disposition(intent, reading.account_state, held) == Disposition::MustGo
    });
    let of = |held: &Entitlement| {
        let same = steps.clone().filter(|(step, _)| {
            step.target_kind == held.kind && step.target_key == held.provider_key
        });
        let (mut known, mut ended) = (false, true);
        for (_, state) in same {
            known = true;
            ended &= matches!(state, StepState::Applied | StepState::Verified);
        }
        match (known, ended) {
            (false, _) => Late::New,
            (true, true) => Late::Again,
            // One that is still to be answered, or was refused, is known to be there.
            (true, false) => Late::Nothing,
        }
    };
    let mut found = Late::Nothing;
    for held in held {
        match of(held) {
            Late::New => return Late::New,
            Late::Again => found = Late::Again,
            Late::Nothing => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closing::ImpliedRule;
    use crate::entitlement::{AccountState, FamilyReading, FamilyResult};
    use crate::step::Action;
    use crate::{BindingId, Grade, Reversibility, StepClass};
    use serde_json::json;

    struct AllButInert;

    impl Rules for AllButInert {
        fn implied(&self) -> &[ImpliedRule] {
            &[]
        }

        fn disposition(&self, _: Intent, _: AccountState, held: &Entitlement) -> Disposition {
            if held.provider_key == "inert" {
                let rule = "r".to_owned();
                return Disposition::Inert { rule };
            }
            Disposition::MustGo
        }
    }

    fn step(key: &str) -> PlannedStep {
        PlannedStep {
            binding: BindingId::generate(),
            action: Action::RemoveFromGroup,
            class: StepClass::Revoke,
            target_kind: EntitlementKind::Group,
            target_key: key.to_owned(),
            privileged: false,
            reversibility: Reversibility::Reversible,
            grade: Grade::Read,
            rule: None,
            disposition: Disposition::MustGo,
            residual_s: None,
            needs: vec![],
            facts: json!({}),
        }
    }

    fn seen(keys: &[&str], steps: &[(&str, StepState)]) -> Late {
        let held = |(kind, key): (EntitlementKind, &str)| Entitlement {
            kind,
            provider_key: key.to_owned(),
            privileged: false,
            facts: json!({}),
        };
        let groups = keys.iter().map(|key| (EntitlementKind::Group, *key));
        let family = |family, entitlements| FamilyReading {
            family,
            result: FamilyResult::Complete,
            detail: None,
            entitlements,
        };
        let reading = AccountReading {
            account_state: AccountState::Contained,
            provider_state: "disabled".to_owned(),
            families: vec![
                family(
                    EntitlementKind::Account,
                    vec![held((EntitlementKind::Account, "a"))],
                ),
                family(EntitlementKind::Group, groups.map(held).collect()),
            ],
        };
        let steps: Vec<(PlannedStep, StepState)> = steps
            .iter()
            .map(|(key, state)| (step(key), *state))
            .collect();
        let steps = steps.iter().map(|(step, state)| (step, *state));
        late(&AllButInert, Intent::Remove, &reading, steps)
    }

    #[test]
    fn what_the_plan_does_not_know_counts_most() {
        use StepState::{Applied, Blocked, Planned, Verified};
        assert_eq!(seen(&[], &[("g", Applied)]), Late::Nothing);
        assert_eq!(seen(&["g", "inert"], &[("g", Planned)]), Late::Nothing);
        assert_eq!(seen(&["g"], &[("g", Blocked)]), Late::Nothing);
        assert_eq!(seen(&["g"], &[("g", Applied)]), Late::Again);
        assert_eq!(
            seen(&["g"], &[("g", Verified), ("g", Blocked)]),
            Late::Nothing
        );
        assert_eq!(seen(&["g", "h"], &[("g", Applied)]), Late::New);
    }
}
