//! What a reading says of one step's target.

use crate::entitlement::{
    AccountReading, AccountState, Entitlement, EntitlementKind, FamilyResult,
};
use crate::plan::{KNOWN_BY, PlannedStep, STAYS_DISABLED};
use crate::step::Action;

/// What a reading says of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is as the step wants it: of a removal, its family was read whole and the target is not in it.
    Done,
    /// It is not.
    NotDone,
    /// The reading does not tell.
    Unread,
}

impl Seen {
    const fn when(done: bool) -> Self {
        if done { Self::Done } else { Self::NotDone }
    }
}

/// Looks for a step's target in a reading of its account.
#[must_use]
pub fn seen(step: &PlannedStep, reading: &AccountReading) -> Seen {
    if step.target_kind == EntitlementKind::Account {
        return Seen::when(account(step, reading.account_state));
    }
    let Some(family) = reading
        .families
        .iter()
        .find(|family| family.family == step.target_kind)
    else {
        return Seen::Unread;
    };
    match family.result {
        FamilyResult::Complete => {
            let mut entitlements = family.entitlements.iter();
            let there = entitlements.any(|held| is_target(step, held));
            Seen::when(there == step.action.gives_back())
        }
        FamilyResult::Unsupported | FamilyResult::Forbidden | FamilyResult::Failed => Seen::Unread,
    }
}

/// A removal means the very entitlement that was read; what is given back may come with another id.
fn is_target(step: &PlannedStep, held: &Entitlement) -> bool {
    let recognised = || {
        let known = step.facts[KNOWN_BY].as_object();
        known.is_some_and(|known| {
            let mut facts = known.iter();
            !known.is_empty() && facts.all(|(name, value)| held.facts[name] == *value)
        })
    };
    held.provider_key == step.target_key || (step.action.gives_back() && recognised())
}

fn account(step: &PlannedStep, state: AccountState) -> bool {
    match step.action {
        Action::SuspendAccount | Action::DisableIntegration => state.sign_in_blocked(),
        Action::ReinstateAccount if step.facts[STAYS_DISABLED] == true => {
            matches!(state, AccountState::Live | AccountState::Contained)
        }
        Action::ReinstateAccount | Action::EnableIntegration => matches!(state, AccountState::Live),
        _ => matches!(state, AccountState::Deactivated | AccountState::Absent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entitlement::{Entitlement, FamilyReading};
    use crate::plan::Disposition;
    use crate::{BindingId, Grade, Reversibility, StepClass};
    use serde_json::json;

    fn step(action: Action, target_kind: EntitlementKind, target_key: &str) -> PlannedStep {
        PlannedStep {
            binding: BindingId::generate(),
            action,
            class: StepClass::Revoke,
            target_kind,
            target_key: target_key.to_owned(),
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

    fn reading(state: AccountState, result: FamilyResult, keys: &[&str]) -> AccountReading {
        let entitlements = keys
            .iter()
            .map(|key| Entitlement {
                kind: EntitlementKind::Group,
                provider_key: (*key).to_owned(),
                privileged: false,
                facts: json!({}),
            })
            .collect();
        AccountReading {
            account_state: state,
            provider_state: state.to_string(),
            families: vec![FamilyReading {
                family: EntitlementKind::Group,
                result,
                detail: None,
                entitlements,
            }],
        }
    }

    #[test]
    fn only_a_whole_family_says_gone() {
        let group = step(Action::RemoveFromGroup, EntitlementKind::Group, "g1");
        assert_eq!(
            seen(
                &group,
                &reading(AccountState::Live, FamilyResult::Complete, &["g2"])
            ),
            Seen::Done
        );
        assert_eq!(
            seen(
                &group,
                &reading(AccountState::Live, FamilyResult::Complete, &["g1"])
            ),
            Seen::NotDone
        );
        for result in [
            FamilyResult::Failed,
            FamilyResult::Forbidden,
            FamilyResult::Unsupported,
        ] {
            assert_eq!(
                seen(&group, &reading(AccountState::Absent, result, &[])),
                Seen::Unread
            );
        }
        assert_eq!(
            seen(
                &step(Action::RevokeSessions, EntitlementKind::Session, "all"),
                &reading(AccountState::Live, FamilyResult::Complete, &[])
            ),
            Seen::Unread
        );
    }

    #[test]
    fn what_is_given_back_is_done_when_it_is_there() {
        let back = step(Action::AddToGroup, EntitlementKind::Group, "g1");
        let with = |keys| reading(AccountState::Live, FamilyResult::Complete, keys);
        assert_eq!(seen(&back, &with(&["g1"])), Seen::Done);
        assert_eq!(seen(&back, &with(&[])), Seen::NotDone);
        let account = step(Action::ReinstateAccount, EntitlementKind::Account, "u");
        assert_eq!(seen(&account, &with(&[])), Seen::Done);
        let contained = reading(AccountState::Contained, FamilyResult::Complete, &[]);
        assert_eq!(seen(&account, &contained), Seen::NotDone);
        let as_before = PlannedStep {
            facts: json!({ STAYS_DISABLED: true }),
            ..account
        };
        assert_eq!(seen(&as_before, &contained), Seen::Done);
    }

    #[test]
    fn what_comes_back_with_another_id_is_known_by_its_facts() {
        let role = |facts| Entitlement {
            kind: EntitlementKind::Group,
            provider_key: "new".to_owned(),
            privileged: true,
            facts,
        };
        let read = |facts| {
            let mut reading = reading(AccountState::Live, FamilyResult::Complete, &[]);
            reading.families[0].entitlements.push(role(facts));
            reading
        };
        let with = |action, known_by| PlannedStep {
            facts: json!({ KNOWN_BY: known_by }),
            ..step(action, EntitlementKind::Group, "old")
        };
        let back = with(Action::GrantRole, json!({ "type": "A", "scope": null }));
        assert_eq!(
            seen(&back, &read(json!({ "type": "A", "label": "x" }))),
            Seen::Done
        );
        for other in [json!({ "type": "B" }), json!({ "type": "A", "scope": "s" })] {
            assert_eq!(seen(&back, &read(other.clone())), Seen::NotDone, "{other}");
        }
        let nothing = with(Action::GrantRole, json!({}));
        assert_eq!(seen(&nothing, &read(json!({ "type": "A" }))), Seen::NotDone);
        let removal = with(Action::RevokeRole, json!({ "type": "A" }));
        assert_eq!(seen(&removal, &read(json!({ "type": "A" }))), Seen::Done);
    }

    #[test]
    fn a_suspended_account_is_contained_and_not_deactivated() {
        let contained = reading(AccountState::Contained, FamilyResult::Complete, &[]);
        assert_eq!(
            seen(
                &step(Action::SuspendAccount, EntitlementKind::Account, "u"),
                &contained
            ),
            Seen::Done
        );
        assert_eq!(
            seen(
                &step(Action::DeactivateAccount, EntitlementKind::Account, "u"),
                &contained
            ),
            Seen::NotDone
        );
    }
}
