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
    /// Why it is not complete.
    pub detail: Option<String>,
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
    /// What a person was asked to end, and no second person has confirmed.
    pub asked: Vec<Remaining>,
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
    /// Only manual tasks are open.
    Asked,
}

/// A manual step of the job at one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManualStep<'a> {
    /// The kind of its target.
    pub kind: EntitlementKind,
    /// The key of its target.
    pub key: &'a str,
    /// Whether a second person confirmed it.
    pub attested: bool,
}

/// What this job has done at the account before the inspection began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done<'a> {
    /// The actions that the provider answered.
    pub answered: &'a [Action],
    /// The manual steps, open and attested.
    pub manual: &'a [ManualStep<'a>],
}

/// What the judgement needs to know of a provider; pure data and functions of its connector.
pub trait Rules {
    /// The implied rules, at most one per family and account state.
    fn implied(&self) -> &[ImpliedRule];
    /// What holds besides where a person did the work, so that no call of the job was answered: only what the provider's
    /// documents promise of a state that was read. At most one per family and account state.
    fn implied_by_hand(&self) -> &[ImpliedRule] {
        &[]
    }
    /// What is to become of an entitlement that was read while the account was in this state.
    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition;
}

/// A provider's rules for what a person did: the ordinary ones before those that ask for no answer of ours.
#[derive(Debug)]
pub struct ByHand<'a, R> {
    rules: &'a R,
    implied: Vec<ImpliedRule>,
}

impl<'a, R: Rules> ByHand<'a, R> {
    /// The rules of this provider.
    pub fn new(rules: &'a R) -> Self {
        Self {
            rules,
            implied: [rules.implied(), rules.implied_by_hand()].concat(),
        }
    }
}

impl<R: Rules> Rules for ByHand<'_, R> {
    fn implied(&self) -> &[ImpliedRule] {
        &self.implied
    }

    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition {
        self.rules.disposition(intent, account, entitlement)
    }
}

/// Judges one account's closing inspection.
///
/// An account that is not in the state the intent demands counts as live. What a person was asked to end is
/// open until a read shows it gone or a second person has confirmed it.
#[must_use]
pub fn judge(
    rules: &impl Rules,
    intent: Intent,
    reading: &AccountReading,
    done: Done<'_>,
) -> Closing {
    let mut closing = Closing::default();
    let account = reading.account_state;
    let account_step = done
        .manual
        .iter()
        .find(|step| step.kind == EntitlementKind::Account);
    if !state_suffices(intent, account) && account_step.is_none() {
        closing.live.push(Remaining {
            kind: EntitlementKind::Account,
            provider_key: reading.provider_state.clone(),
            disposition: Disposition::MustGo,
        });
    }
    // What follows from the account's end cannot be proven before the person who is asked for it has ended it; the open
    // task keeps the closing open meanwhile.
    let account_is_asked = account_step.is_some_and(|step| !step.attested);
    for family in &reading.families {
        match family.result {
            FamilyResult::Complete => {}
            FamilyResult::Unsupported | FamilyResult::Forbidden | FamilyResult::Failed => {
                match covering_rule(rules, family.family, family.result, account, done.answered) {
                    Some(rule) => closing.rules_used.push(RuleUsed {
                        family: family.family,
                        rule: rule.name,
                    }),
                    None if family.result == FamilyResult::Unsupported
                        && is_asked(done.manual, family.family) =>
                    {
                        if let Some(used) = attested(done.manual, family.family) {
                            closing.rules_used.push(used);
                        }
                    }
                    None if family.result == FamilyResult::Unsupported
                        && account_is_asked
                        && !state_suffices(intent, account) => {}
                    None => closing.unproven.push(Unproven {
                        family: family.family,
                        result: family.result,
                        detail: family.detail.clone(),
                    }),
                }
            }
        }
        for entitlement in family
            .entitlements
            .iter()
            .filter(|entitlement| entitlement.kind != EntitlementKind::Account)
        {
            let own = |step: &&ManualStep<'_>| {
                step.kind == entitlement.kind && step.key == entitlement.provider_key
            };
            let attested = done.manual.iter().filter(own).any(|step| step.attested);
            let asked = done.manual.iter().filter(own).any(|step| !step.attested);
            match rules.disposition(intent, account, entitlement) {
                Disposition::Manual { .. } if attested => {}
                // A call could end it; the plan asks a person, because the provider goes on refusing that call.
                Disposition::MustGo if asked => closing.asked.push(Remaining {
                    kind: entitlement.kind,
                    provider_key: entitlement.provider_key.clone(),
                    disposition: Disposition::MustGo,
                }),
                disposition => sort_in(&mut closing, disposition, entitlement),
            }
        }
    }
    open_tasks(&mut closing, intent, reading, done.manual);
    closing
}

/// The name under which a person's confirmed word stands in for a read.
pub const ATTESTED_RULE: &str = "attested";

/// A person answers for what the provider does not show; never for what it refused to show.
fn is_asked(manual: &[ManualStep<'_>], family: EntitlementKind) -> bool {
    manual.iter().any(|step| step.kind == family)
}

fn attested(manual: &[ManualStep<'_>], family: EntitlementKind) -> Option<RuleUsed> {
    let mut of_family = manual.iter().filter(|step| step.kind == family);
    of_family.all(|step| step.attested).then_some(RuleUsed {
        family,
        rule: ATTESTED_RULE,
    })
}

/// Adds the tasks about which the reading says nothing: nobody but a person can tell about them.
fn open_tasks(
    closing: &mut Closing,
    intent: Intent,
    reading: &AccountReading,
    manual: &[ManualStep<'_>],
) {
    let shown = |step: &ManualStep<'_>| match step.kind {
        EntitlementKind::Account => state_suffices(intent, reading.account_state),
        kind => reading
            .families
            .iter()
            .any(|family| family.family == kind && family.result == FamilyResult::Complete),
    };
    for step in manual.iter().filter(|step| !step.attested && !shown(step)) {
        closing.asked.push(Remaining {
            kind: step.kind,
            provider_key: step.key.to_owned(),
            disposition: Disposition::MustGo,
        });
    }
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
        Disposition::Manual { .. } => &mut closing.asked,
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
    } else if closings.iter().any(|closing| !closing.asked.is_empty()) {
        Verdict::Asked
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
    const RULES_BY_HAND: &[ImpliedRule] = &[ImpliedRule {
        name: "test.deactivation_ends_sessions",
        account_states: &[AccountState::Deactivated],
        after: None,
        ..RULES[0]
    }];
    impl Rules for OneRule {
        fn implied(&self) -> &[ImpliedRule] {
            RULES
        }
        fn implied_by_hand(&self) -> &[ImpliedRule] {
            RULES_BY_HAND
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
        let before = judge(&OneRule, Intent::Remove, &seen, Done::default());
        assert_eq!(verdict(&[before]), Verdict::NeedsPerson);
        let after = judge(
            &OneRule,
            Intent::Remove,
            &seen,
            Done {
                answered: &[Action::RevokeSessions],
                manual: &[],
            },
        );
        assert_eq!(after.rules_used.len(), 1);
        assert_eq!(verdict(&[after]), Verdict::NothingLive);
    }

    #[test]
    fn work_by_hand_is_proven_by_what_was_read_and_a_rule_of_its_own() {
        let unseen =
            |state, result| reading(state, vec![family(EntitlementKind::Session, result, 0)]);
        let close = |state, result, answered| {
            let done = Done {
                answered,
                manual: &[],
            };
            let rules = ByHand::new(&OneRule);
            judge(&rules, Intent::Disable, &unseen(state, result), done)
        };
        use AccountState::{Contained, Deactivated, Live};
        use FamilyResult::{Forbidden, Unsupported};
        let proven = close(Deactivated, Unsupported, &[]);
        assert_eq!(proven.rules_used[0].rule, RULES_BY_HAND[0].name);
        assert_eq!(verdict(&[proven]), Verdict::NothingLive);
        let cut = close(Deactivated, Unsupported, &[Action::RevokeSessions]);
        assert_eq!(
            cut.rules_used[0].rule, RULES[0].name,
            "the stronger rule is named"
        );
        for (state, result) in [
            (Contained, Unsupported),
            (Live, Unsupported),
            (Deactivated, Forbidden),
        ] {
            let open = close(state, result, &[]);
            assert_ne!(verdict(&[open]), Verdict::NothingLive, "{state} {result}");
        }
    }

    #[test]
    fn a_contained_account_is_live_for_remove_and_enough_for_disable() {
        let seen = reading(AccountState::Contained, vec![]);
        assert_eq!(
            verdict(&[judge(&OneRule, Intent::Remove, &seen, Done::default())]),
            Verdict::Live
        );
        assert_eq!(
            verdict(&[judge(&OneRule, Intent::Disable, &seen, Done::default())]),
            Verdict::NothingLive
        );
    }

    #[test]
    fn a_task_is_open_until_a_second_person_confirms_or_a_read_shows_it_gone() {
        let unseen = reading(AccountState::Deactivated, vec![]);
        let task = ManualStep {
            kind: EntitlementKind::Token,
            key: "console",
            attested: false,
        };
        const fn done<'a>(manual: &'a [ManualStep<'a>]) -> Done<'a> {
            Done {
                answered: &[],
                manual,
            }
        }
        let open = judge(&OneRule, Intent::Remove, &unseen, done(&[task]));
        assert_eq!(verdict(&[open]), Verdict::Asked);
        let attested = ManualStep {
            attested: true,
            ..task
        };
        let closed = judge(&OneRule, Intent::Remove, &unseen, done(&[attested]));
        assert_eq!(verdict(&[closed]), Verdict::NothingLive);
        let gone = reading(
            AccountState::Deactivated,
            vec![family(EntitlementKind::Token, FamilyResult::Complete, 0)],
        );
        let read = judge(&OneRule, Intent::Remove, &gone, done(&[task]));
        assert_eq!(verdict(&[read]), Verdict::NothingLive);
    }

    #[test]
    fn what_follows_from_an_account_that_is_asked_for_waits_with_it() {
        let unseen = vec![family(
            EntitlementKind::Ownership,
            FamilyResult::Unsupported,
            0,
        )];
        let asked = ManualStep {
            kind: EntitlementKind::Account,
            key: "account",
            attested: false,
        };
        let close = |state, manual: &[ManualStep<'_>]| {
            let done = Done {
                answered: &[],
                manual,
            };
            let reading = reading(state, unseen.clone());
            verdict(&[judge(&OneRule, Intent::Remove, &reading, done)])
        };
        assert_eq!(close(AccountState::Live, &[asked]), Verdict::Asked);
        let attested = ManualStep {
            attested: true,
            ..asked
        };
        let unproven = [
            close(AccountState::Live, &[attested]),
            close(AccountState::Deactivated, &[asked]),
        ];
        assert_eq!(
            unproven,
            [Verdict::NeedsPerson; 2],
            "no rule covers the family"
        );
    }

    #[test]
    fn a_person_never_answers_for_what_the_provider_refused_to_show() {
        let forbidden = reading(
            AccountState::Deactivated,
            vec![family(EntitlementKind::Token, FamilyResult::Forbidden, 0)],
        );
        let attested = ManualStep {
            kind: EntitlementKind::Token,
            key: "console",
            attested: true,
        };
        let done = Done {
            answered: &[],
            manual: &[attested],
        };
        let closing = judge(&OneRule, Intent::Remove, &forbidden, done);
        assert_eq!(verdict(&[closing]), Verdict::NeedsPerson);
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
            let closing = judge(&OneRule, Intent::Remove, &reading(state, vec![family(kind, result, count)]), Done { answered: Action::ALL, manual: &[] });
            if verdict(std::slice::from_ref(&closing)) == Verdict::NothingLive {
                prop_assert!(matches!(state, AccountState::Deactivated | AccountState::Absent));
                prop_assert!(result == FamilyResult::Complete || (result == FamilyResult::Unsupported && kind == EntitlementKind::Session));
                prop_assert!(count == 0 || kind == EntitlementKind::Group);
            }
        }
    }
}
