//! The closing judgement: what a full re-read after the last write proves, and what it does not.

use crate::entitlement::{
    AccountReading, AccountState, Entitlement, EntitlementKind, FamilyResult,
};
use crate::opt_out::Intent;
use crate::plan::Disposition;
use crate::step::Action;

/// A documented consequence of a verified account state, which stands in for a read that the provider
/// does not offer. Named, so that an auditor can look it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImpliedRule {
    /// Its stable name, `provider.what_it_says`.
    pub name: &'static str,
    /// The family that it covers.
    pub family: EntitlementKind,
    /// The account states, read in the same inspection, under which it holds.
    pub account_states: &'static [AccountState],
    /// The action that must have been answered in this job before the inspection, unless the account is absent.
    pub after: Option<Action>,
    /// The rule in one sentence, with its source.
    pub says: &'static str,
}

/// Something that a closing inspection still saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    /// Its family.
    pub kind: EntitlementKind,
    /// Its key.
    pub provider_key: String,
    /// What the provider's rules say of it.
    pub disposition: Disposition,
}

/// A family whose emptiness the inspection does not prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// The family.
    pub family: EntitlementKind,
    /// How it was read.
    pub result: FamilyResult,
}

/// A family proven empty by a rule rather than a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleUsed {
    /// The family.
    pub family: EntitlementKind,
    /// The rule's name.
    pub rule: &'static str,
}

/// What a closing inspection says of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// Entitlements that can still act and must go.
    pub live: Vec<Remaining>,
    /// Entitlements that no call of ours can take and no rule covers.
    pub blocked: Vec<Remaining>,
    /// Entitlements that stay and cannot act.
    pub inert: Vec<Remaining>,
    /// Families that the inspection leaves open.
    pub unproven: Vec<Unproven>,
    /// Families that a rule covers.
    pub rules_used: Vec<RuleUsed>,
}

/// The verdict over all accounts of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every family is complete, or covered by a named rule, and nothing is live.
    NothingLive,
    /// Something is live: plan again.
    Live,
    /// A family could not be read this time: read again later.
    Unread,
    /// A person must act: something is blocked, or may not be read.
    NeedsPerson,
}

/// What the judgement needs to know of a provider; pure data and functions of its connector.
pub trait Rules {
    /// The implied rules, at most one per family and account state.
    fn implied(&self) -> &[ImpliedRule];
    /// What is to become of an entitlement that was read while the account was in this state.
    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition;
}

/// Judges one account's closing inspection.
///
/// `answered` holds the actions that the provider answered in this job before the inspection began.
/// An account that is not in the state the intent demands counts as live.
#[must_use]
pub fn judge(
    rules: &impl Rules,
    intent: Intent,
    reading: &AccountReading,
    answered: &[Action],
) -> Closing {
    let mut closing = Closing::default();
    let account = reading.account_state;
    if !state_suffices(intent, account) {
        closing.live.push(Remaining {
            kind: EntitlementKind::Account,
            provider_key: reading.provider_state.clone(),
            disposition: Disposition::MustGo,
        });
    }
    for family in &reading.families {
        match family.result {
            FamilyResult::Complete => {}
            FamilyResult::Unsupported | FamilyResult::Forbidden | FamilyResult::Failed => {
                match covering_rule(rules, family.family, family.result, account, answered) {
                    Some(rule) => closing.rules_used.push(RuleUsed {
                        family: family.family,
                        rule: rule.name,
                    }),
                    None => closing.unproven.push(Unproven {
                        family: family.family,
                        result: family.result,
                    }),
                }
            }
        }
        for entitlement in family
            .entitlements
            .iter()
            .filter(|entitlement| entitlement.kind != EntitlementKind::Account)
        {
            sort_in(
                &mut closing,
                rules.disposition(intent, account, entitlement),
                entitlement,
            );
        }
    }
    closing
}

/// Whether an account in this state satisfies the intent.
#[must_use]
pub const fn state_suffices(intent: Intent, account: AccountState) -> bool {
    match (intent, account) {
        (_, AccountState::Deactivated | AccountState::Absent)
        | (Intent::Disable, AccountState::Contained) => true,
        (_, AccountState::Live) | (Intent::Remove, AccountState::Contained) => false,
    }
}

/// A rule stands in only for a read that the provider does not offer; a read that failed or was
/// forbidden is never explained away.
fn covering_rule<'a>(
    rules: &'a impl Rules,
    family: EntitlementKind,
    result: FamilyResult,
    account: AccountState,
    answered: &[Action],
) -> Option<&'a ImpliedRule> {
    if result != FamilyResult::Unsupported {
        return None;
    }
    rules.implied().iter().find(|rule| {
        rule.family == family
            && rule.account_states.contains(&account)
            && (account == AccountState::Absent
                || rule.after.is_none_or(|action| answered.contains(&action)))
    })
}

fn sort_in(closing: &mut Closing, disposition: Disposition, entitlement: &Entitlement) {
    let list = match &disposition {
        Disposition::MustGo => &mut closing.live,
        Disposition::Inert { .. } => &mut closing.inert,
        Disposition::Blocked { .. } => &mut closing.blocked,
    };
    list.push(Remaining {
        kind: entitlement.kind,
        provider_key: entitlement.provider_key.clone(),
        disposition,
    });
}

/// The verdict over every account of a job. A job without an account to judge proves nothing.
#[must_use]
pub fn verdict(closings: &[Closing]) -> Verdict {
    if closings.is_empty() {
        return Verdict::NeedsPerson;
    }
    let unread = |closing: &Closing| {
        closing
            .unproven
            .iter()
            .any(|unproven| unproven.result == FamilyResult::Failed)
    };
    let needs_person =
        |closing: &Closing| !closing.blocked.is_empty() || !closing.unproven.is_empty();
    if closings.iter().any(|closing| !closing.live.is_empty()) {
        Verdict::Live
    } else if closings.iter().any(unread) {
        Verdict::Unread
    } else if closings.iter().any(needs_person) {
        Verdict::NeedsPerson
    } else {
        Verdict::NothingLive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entitlement::FamilyReading;
    use proptest::prelude::*;

    struct OneRule;
    const RULES: &[ImpliedRule] = &[ImpliedRule {
        name: "test.sessions_end",
        family: EntitlementKind::Session,
        account_states: &[AccountState::Deactivated, AccountState::Absent],
        after: Some(Action::RevokeSessions),
        says: "a deactivated account has no session after a session revocation",
    }];
    impl Rules for OneRule {
        fn implied(&self) -> &[ImpliedRule] {
            RULES
        }
        fn disposition(
            &self,
            _: Intent,
            account: AccountState,
            entitlement: &Entitlement,
        ) -> Disposition {
            if entitlement.kind == EntitlementKind::Group && account == AccountState::Deactivated {
                Disposition::Inert {
                    rule: "test.group".into(),
                }
            } else {
                Disposition::MustGo
            }
        }
    }

    fn family(family: EntitlementKind, result: FamilyResult, count: usize) -> FamilyReading {
        let entitlements = (0..count)
            .map(|n| Entitlement {
                kind: family,
                provider_key: n.to_string(),
                privileged: false,
                facts: serde_json::Value::Null,
            })
            .collect();
        FamilyReading {
            family,
            result,
            detail: None,
            entitlements,
        }
    }

    fn reading(account_state: AccountState, families: Vec<FamilyReading>) -> AccountReading {
        AccountReading {
            account_state,
            provider_state: account_state.to_string(),
            families,
        }
    }

    #[test]
    fn sessions_are_proven_by_rule_only_after_the_cut() {
        let seen = reading(
            AccountState::Deactivated,
            vec![family(
                EntitlementKind::Session,
                FamilyResult::Unsupported,
                0,
            )],
        );
        let before = judge(&OneRule, Intent::Remove, &seen, &[]);
        assert_eq!(verdict(&[before]), Verdict::NeedsPerson);
        let after = judge(&OneRule, Intent::Remove, &seen, &[Action::RevokeSessions]);
        assert_eq!(after.rules_used.len(), 1);
        assert_eq!(verdict(&[after]), Verdict::NothingLive);
    }

    #[test]
    fn a_contained_account_is_live_for_remove_and_enough_for_disable() {
        let seen = reading(AccountState::Contained, vec![]);
        assert_eq!(
            verdict(&[judge(&OneRule, Intent::Remove, &seen, &[])]),
            Verdict::Live
        );
        assert_eq!(
            verdict(&[judge(&OneRule, Intent::Disable, &seen, &[])]),
            Verdict::NothingLive
        );
    }

    proptest! {
        /// I10: nothing is ever proven while a family is unread, or anything that must go was seen.
        #[test]
        fn never_proven_with_a_gap(
            state in proptest::sample::select(AccountState::ALL),
            result in proptest::sample::select(FamilyResult::ALL),
            kind in proptest::sample::select(EntitlementKind::ALL),
            count in 0usize..3,
        ) {
            let count = if result == FamilyResult::Complete && kind != EntitlementKind::Account { count } else { 0 };
            let closing = judge(&OneRule, Intent::Remove, &reading(state, vec![family(kind, result, count)]), Action::ALL);
            if verdict(std::slice::from_ref(&closing)) == Verdict::NothingLive {
                prop_assert!(matches!(state, AccountState::Deactivated | AccountState::Absent));
                prop_assert!(result == FamilyResult::Complete || (result == FamilyResult::Unsupported && kind == EntitlementKind::Session));
                prop_assert!(count == 0 || kind == EntitlementKind::Group);
            }
        }
    }
}
