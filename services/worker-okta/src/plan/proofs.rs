//! What every plan keeps to, whatever was read.

#![cfg(test)] // a failed unwrap is a failed test

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use sever_domain::closing::{Done, ImpliedRule, Rules, Verdict, judge, verdict};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind, Intent, StepClass};

use super::samples::{entitlement, reading, rich};
use super::{Lifetimes, plan};
use crate::disposition::disposition;
use crate::rules;

struct OktaRules;
impl Rules for OktaRules {
    fn implied(&self) -> &[ImpliedRule] {
        rules::IMPLIED
    }
    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        held: &Entitlement,
    ) -> Disposition {
        disposition(intent, account, held)
    }
}

fn lifetimes() -> Lifetimes {
    Lifetimes {
        max: Duration::from_secs(3600),
        by_issuer: [("https://a.test/long".to_owned(), Duration::from_secs(7200))].into(),
        skew: Duration::from_secs(5),
    }
}

fn planned(intent: Intent, reading: &AccountReading) -> Vec<PlannedStep> {
    plan(intent, BindingId(uuid::Uuid::nil()), reading, &lifetimes())
}

/// The wave in which each step can go, when every wave is answered whole.
fn waves(steps: &[PlannedStep]) -> Vec<usize> {
    let mut waves: Vec<usize> = Vec::new();
    for step in steps {
        let after = step.needs.iter().map(|needs| waves[*needs] + 1).max();
        waves.push(after.unwrap_or(0));
    }
    waves
}

/// Okta in miniature: what the documents say of each write.
fn applied(before: &AccountReading, steps: &[PlannedStep]) -> AccountReading {
    let calls: Vec<&PlannedStep> = steps
        .iter()
        .filter(|step| step.disposition == Disposition::MustGo && step.action != Action::Leave)
        .collect();
    let has = |action: Action| calls.iter().any(|step| step.action == action);
    let deactivated =
        has(Action::DeactivateAccount) || before.account_state == AccountState::Deactivated;
    let ended: HashSet<(EntitlementKind, &str)> = calls
        .iter()
        .filter(|step| step.action != Action::DeactivateDevice)
        .map(|step| (step.target_kind, step.target_key.as_str()))
        .collect();
    let mut after = before.clone();
    if deactivated {
        after.account_state = AccountState::Deactivated;
        after.provider_state = "DEPROVISIONED".into();
    } else if has(Action::SuspendAccount) {
        after.account_state = AccountState::Contained;
        after.provider_state = "SUSPENDED".into();
    }
    for family in &mut after.families {
        family.entitlements.retain(|held| {
            let taken_by_deactivation = deactivated
                && matches!(
                    held.kind,
                    EntitlementKind::Role
                        | EntitlementKind::AppAssignment
                        | EntitlementKind::ApiToken
                );
            held.kind == EntitlementKind::Account
                || !(taken_by_deactivation || ended.contains(&(held.kind, &held.provider_key)))
        });
    }
    after
}

fn any_held() -> impl Strategy<Value = Vec<Entitlement>> {
    let facts = prop_oneof![
        Just(
            json!({"type": "OKTA_GROUP", "scope": "USER", "assignment_type": "USER", "shared": false, "status": "ACTIVE"})
        ),
        Just(
            json!({"type": "BUILT_IN", "scope": "GROUP", "assignment_type": "GROUP", "shared": true, "status": "DEACTIVATED"})
        ),
        Just(json!({"type": "APP_GROUP", "issuers": ["https://a.test/long"]})),
        Just(Value::Null),
    ];
    let kind = proptest::sample::select(vec![
        EntitlementKind::Token,
        EntitlementKind::Grant,
        EntitlementKind::ApiToken,
        EntitlementKind::Role,
        EntitlementKind::Group,
        EntitlementKind::AppAssignment,
        EntitlementKind::Factor,
        EntitlementKind::Device,
        EntitlementKind::IdentityLink,
    ]);
    proptest::collection::vec((kind, facts), 0..25).prop_map(|held| {
        held.into_iter()
            .enumerate()
            .map(|(at, (kind, facts))| entitlement(kind, &format!("k{at}"), facts))
            .collect()
    })
}

fn any_status() -> impl Strategy<Value = (AccountState, &'static str)> {
    proptest::sample::select(vec![
        (AccountState::Live, "ACTIVE"),
        (AccountState::Live, "LOCKED_OUT"),
        (AccountState::Live, "STAGED"),
        (AccountState::Contained, "SUSPENDED"),
        (AccountState::Deactivated, "DEPROVISIONED"),
    ])
}

const fn done(answered: &[Action]) -> Done<'_> {
    Done {
        answered,
        manual: &[],
    }
}

proptest! {
    #[test]
    fn each_entitlement_has_one_step_and_each_target_is_named_once(
        held in any_held(), (state, word) in any_status(), remove in any::<bool>()
    ) {
        let intent = if remove { Intent::Remove } else { Intent::Disable };
        let reading = reading(state, word, &held);
        let steps = planned(intent, &reading);
        prop_assert_eq!(check(&steps), Ok(()));
        let mut targets = HashSet::new();
        let mut count: HashMap<(EntitlementKind, &str), usize> = HashMap::new();
        for step in &steps {
            prop_assert!(targets.insert((step.action, step.target_kind, &step.target_key)));
            if step.action != Action::DeactivateDevice {
                *count.entry((step.target_kind, &step.target_key)).or_default() += 1;
            }
        }
        for entitlement in &held {
            let key = (entitlement.kind, entitlement.provider_key.as_str());
            prop_assert_eq!(count.get(&key), Some(&1), "{:?}", key);
            let step = steps.iter().find(|step| (step.target_kind, step.target_key.as_str()) == key);
            prop_assert_eq!(
                step.map(|step| step.disposition.clone()),
                Some(disposition(intent, state, entitlement))
            );
        }
    }

    /// Doing what must be done leaves nothing live: a plan and the closing judgement agree.
    #[test]
    fn a_carried_out_removal_is_proven(held in any_held(), (state, word) in any_status()) {
        let before = reading(state, word, &held);
        let steps = planned(Intent::Remove, &before);
        let after = applied(&before, &steps);
        let answered: Vec<Action> = steps.iter().map(|step| step.action).collect();
        let closing = judge(&OktaRules, Intent::Remove, &after, done(&answered));
        prop_assert_eq!(verdict(std::slice::from_ref(&closing)), Verdict::NothingLive, "{:?}", closing);
        // Once more over the same state plans nothing but the session cut.
        let again = planned(Intent::Remove, &after);
        let calls = again.iter().filter(|step| step.action != Action::Leave);
        prop_assert!(calls.map(|step| step.action).eq([Action::RevokeSessions]));
    }

    /// The same for a disabled account, where Okta can suspend it.
    #[test]
    fn a_carried_out_disabling_is_proven(held in any_held(), (state, word) in any_status()) {
        let before = reading(state, word, &held);
        let steps = planned(Intent::Disable, &before);
        prop_assert!(steps.iter().all(|step| step.class != StepClass::Final));
        let after = applied(&before, &steps);
        let answered: Vec<Action> = steps.iter().map(|step| step.action).collect();
        let closing = judge(&OktaRules, Intent::Disable, &after, done(&answered));
        let proven = verdict(std::slice::from_ref(&closing)) == Verdict::NothingLive;
        prop_assert_eq!(proven, state != AccountState::Live || word == "ACTIVE", "{:?}", closing);
    }

    #[test]
    fn five_waves_at_most(held in any_held(), (state, word) in any_status()) {
        let steps = planned(Intent::Remove, &reading(state, word, &held));
        prop_assert!(waves(&steps).into_iter().max().unwrap_or(0) < 6);
    }
}

#[test]
fn nothing_is_planned_for_an_absent_account() {
    let absent = AccountReading::absent(crate::families::ALL);
    assert_eq!(planned(Intent::Remove, &absent), vec![]);
    let closing = judge(&OktaRules, Intent::Remove, &absent, Done::default());
    assert_eq!(verdict(&[closing]), Verdict::NothingLive);
}

#[test]
fn sessions_are_not_proven_without_the_cut() {
    let after = reading(AccountState::Deactivated, "DEPROVISIONED", &[]);
    let closing = judge(
        &OktaRules,
        Intent::Remove,
        &after,
        done(&[Action::DeactivateAccount]),
    );
    assert_eq!(verdict(&[closing]), Verdict::NeedsPerson);
}

#[test]
fn the_deactivation_comes_after_all_but_assignments_and_sessions_end_once_more() {
    let steps = planned(
        Intent::Remove,
        &reading(AccountState::Contained, "SUSPENDED", &rich()),
    );
    let deactivation = steps
        .iter()
        .position(|step| step.action == Action::DeactivateAccount)
        .unwrap();
    let left_out: Vec<Action> = (0..deactivation)
        .filter(|at| !steps[deactivation].needs.contains(at))
        .map(|at| steps[at].action)
        .filter(|action| *action != Action::Leave)
        .collect();
    assert_eq!(left_out, vec![Action::UnassignApp]);
    let last = steps.last().unwrap();
    assert_eq!(
        (last.action, last.needs.as_slice()),
        (Action::RevokeSessions, &[deactivation][..])
    );
}

#[test]
fn only_tokens_and_lone_consents_leave_a_residual() {
    let steps = planned(
        Intent::Remove,
        &reading(AccountState::Contained, "SUSPENDED", &rich()),
    );
    let residual: Vec<(&str, Action, i64)> = steps
        .iter()
        .filter_map(|step| Some((step.target_key.as_str(), step.action, step.residual_s?)))
        .collect();
    assert_eq!(
        residual,
        vec![
            ("0oa1", Action::RevokeTokens, 7205),
            ("0oa2", Action::RevokeGrants, 3605)
        ]
    );
}

/// The plan as a page: one line for a step.
fn page(intent: Intent, reading: &AccountReading) -> String {
    let steps = planned(intent, reading);
    let waves = waves(&steps);
    let line = |(step, wave): (&PlannedStep, &usize)| {
        let disposition = match &step.disposition {
            Disposition::MustGo => "must go".to_owned(),
            Disposition::Inert { rule } => format!("inert by {rule}"),
            Disposition::Blocked { .. } => "blocked".to_owned(),
            Disposition::Manual { .. } => "manual".to_owned(),
        };
        let (action, class, kind, key) =
            (step.action, step.class, step.target_kind, &step.target_key);
        format!("{wave} {action:<18} {class:<12} {kind:<14} {key:<20} {disposition}")
    };
    let lines: Vec<String> = steps.iter().zip(&waves).map(line).collect();
    lines.join("\n")
}

#[test]
fn the_plans_of_a_rich_person() {
    let contained = reading(AccountState::Contained, "SUSPENDED", &rich());
    insta::assert_snapshot!("remove_suspended", page(Intent::Remove, &contained));
    insta::assert_snapshot!("disable_suspended", page(Intent::Disable, &contained));
    let locked = reading(AccountState::Live, "LOCKED_OUT", &rich());
    insta::assert_snapshot!("disable_locked_out", page(Intent::Disable, &locked));
    let active = reading(AccountState::Live, "ACTIVE", &rich());
    insta::assert_snapshot!("remove_active", page(Intent::Remove, &active));
    let ended = reading(AccountState::Deactivated, "DEPROVISIONED", &rich());
    insta::assert_snapshot!("remove_deprovisioned", page(Intent::Remove, &ended));
}
