//! What every plan keeps to, whatever was read.

#![cfg(test)] // a failed unwrap is a failed test

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use sever_domain::closing::{Done, ImpliedRule, ManualStep, Rules, Verdict, judge, verdict};
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyResult};
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind as Kind, Intent};

use super::{Lifetime, plan};
use crate::disposition::{Policy, disposition};
use crate::families::{PEOPLE, complete, unsupported};
use crate::rules;

const POLICY: Policy = Policy {
    keep_factors: false,
};

struct EntraRules;
impl Rules for EntraRules {
    fn implied(&self) -> &[ImpliedRule] {
        rules::PEOPLE
    }
    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        held: &Entitlement,
    ) -> Disposition {
        disposition(POLICY, intent, account, held)
    }
}

fn planned(intent: Intent, reading: &AccountReading) -> Vec<PlannedStep> {
    let lifetime = Lifetime {
        max: Duration::from_secs(3600),
        skew: Duration::from_secs(5),
    };
    plan(
        POLICY,
        intent,
        BindingId(uuid::Uuid::nil()),
        reading,
        lifetime,
    )
}

fn entitlement(kind: Kind, key: &str, facts: Value) -> Entitlement {
    let privileged =
        matches!(kind, Kind::Role | Kind::EligibleRole) || facts["role_assignable"] == true;
    Entitlement {
        kind,
        provider_key: key.to_owned(),
        privileged,
        facts,
    }
}

/// A whole reading of an account `u1` that holds these entitlements.
fn reading(state: AccountState, synced: bool, held: &[Entitlement]) -> AccountReading {
    let families = PEOPLE.iter().map(|family| {
        let deleted = state == AccountState::Deactivated;
        match family {
            Kind::Account => {
                let account = entitlement(*family, "u1", json!({ "synced": synced }));
                complete(*family, vec![account])
            }
            Kind::Session => unsupported(*family, "no read"),
            Kind::Role | Kind::EligibleRole | Kind::ResourceRole => {
                complete(*family, of(*family, held))
            }
            _ if deleted => unsupported(*family, "deleted"),
            _ => complete(*family, of(*family, held)),
        }
    });
    AccountReading {
        account_state: state,
        provider_state: state.to_string(),
        families: families.collect(),
    }
}

fn of(family: Kind, held: &[Entitlement]) -> Vec<Entitlement> {
    let mine = held.iter().filter(|held| held.kind == family);
    mine.cloned().collect()
}

/// Graph in miniature: what the documents say of each write.
fn applied(before: &AccountReading, steps: &[PlannedStep]) -> AccountReading {
    let is_call = |step: &&PlannedStep| {
        step.disposition == Disposition::MustGo && step.action != Action::Leave
    };
    let calls: Vec<&PlannedStep> = steps.iter().filter(is_call).collect();
    let has = |action| calls.iter().any(|step| step.action == action);
    let ended: HashSet<(Kind, &str)> = calls
        .iter()
        .map(|step| (step.target_kind, step.target_key.as_str()))
        .collect();
    let state = match before.account_state {
        _ if has(Action::DeleteAccount) => AccountState::Deactivated,
        AccountState::Live if has(Action::SuspendAccount) => AccountState::Contained,
        state => state,
    };
    let account = before.of(Kind::Account)[0].facts["synced"] == true;
    let left: Vec<Entitlement> = before
        .entitlements()
        .filter(|held| !ended.contains(&(held.kind, held.provider_key.as_str())))
        .cloned()
        .collect();
    reading(state, account, &left)
}

fn any_held() -> impl Strategy<Value = Vec<Entitlement>> {
    let facts = prop_oneof![
        Just(
            json!({"source": "cloud", "own": true, "group": null, "collection": "fido2Methods", "shared": false})
        ),
        Just(
            json!({"source": "rule", "own": false, "group": "g", "collection": null, "shared": true, "on_premises": true})
        ),
        Just(
            json!({"source": "cloud", "role_assignable": true, "scheduled": true, "collection": "phoneMethods"})
        ),
    ];
    let kind = proptest::sample::select(
        PEOPLE
            .iter()
            .filter(|kind| !matches!(kind, Kind::Account | Kind::Session))
            .copied()
            .collect::<Vec<_>>(),
    );
    proptest::collection::vec((kind, facts), 0..25).prop_map(|held| {
        held.into_iter()
            .enumerate()
            .map(|(at, (kind, facts))| entitlement(kind, &format!("k{at}"), facts))
            .collect()
    })
}

fn any_state() -> impl Strategy<Value = AccountState> {
    proptest::sample::select(vec![
        AccountState::Live,
        AccountState::Contained,
        AccountState::Deactivated,
    ])
}

fn waves(steps: &[PlannedStep]) -> Vec<usize> {
    let mut waves: Vec<usize> = Vec::new();
    for step in steps {
        let after = step.needs.iter().map(|needs| waves[*needs] + 1).max();
        waves.push(after.unwrap_or(0));
    }
    waves
}

proptest! {
    #[test]
    fn each_entitlement_has_one_step_and_each_target_is_named_once(
        held in any_held(), state in any_state(), remove in any::<bool>(), synced in any::<bool>()
    ) {
        let intent = if remove { Intent::Remove } else { Intent::Disable };
        let reading = reading(state, synced, &held);
        let steps = planned(intent, &reading);
        prop_assert_eq!(check(&steps), Ok(()));
        let mut targets = HashSet::new();
        for step in &steps {
            prop_assert!(targets.insert((step.action, step.target_kind, &step.target_key)));
        }
        for held in reading.entitlements().filter(|held| held.kind != Kind::Account) {
            let mut mine = steps.iter().filter(|step| step.target_kind == held.kind && step.target_key == held.provider_key);
            let step = mine.next().expect("each has a step");
            prop_assert!(mine.next().is_none());
            prop_assert_eq!(&step.disposition, &disposition(POLICY, intent, state, held));
        }
        prop_assert!(waves(&steps).into_iter().max().unwrap_or(0) < 5);
    }

    /// Doing what must be done leaves nothing live: a plan and the closing judgement agree.
    #[test]
    fn a_carried_out_removal_is_proven(held in any_held(), state in any_state()) {
        let before = reading(state, false, &held);
        let steps = planned(Intent::Remove, &before);
        let after = applied(&before, &steps);
        let answered: Vec<Action> = steps.iter().map(|step| step.action).collect();
        let done = Done { answered: &answered, manual: &[] };
        let closing = judge(&EntraRules, Intent::Remove, &after, done);
        prop_assert_eq!(verdict(std::slice::from_ref(&closing)), Verdict::NothingLive, "{:?}", closing);
        let again = planned(Intent::Remove, &after);
        prop_assert!(again.iter().all(|step| step.action == Action::Leave), "{again:?}");
    }

    #[test]
    fn a_carried_out_disabling_is_proven(held in any_held(), state in any_state(), synced in any::<bool>()) {
        let before = reading(state, synced, &held);
        let steps = planned(Intent::Disable, &before);
        let after = applied(&before, &steps);
        let answered: Vec<Action> = steps.iter().map(|step| step.action).collect();
        let done = Done { answered: &answered, manual: &[] };
        let closing = judge(&EntraRules, Intent::Disable, &after, done);
        prop_assert_eq!(verdict(std::slice::from_ref(&closing)), Verdict::NothingLive, "{:?}", closing);
    }

    /// Whatever makes an administrator is gone before the account is disabled, and everything before it is deleted.
    #[test]
    fn the_order_is_kept(held in any_held()) {
        let steps = planned(Intent::Remove, &reading(AccountState::Live, false, &held));
        let at = |action| steps.iter().position(|step| step.action == action).unwrap();
        let disabling = &steps[at(Action::SuspendAccount)];
        for (position, step) in steps.iter().enumerate() {
            let makes = step.action != Action::Leave
                && (step.target_kind == Kind::Role || step.facts["role_assignable"] == true
                    && matches!(step.target_kind, Kind::Group | Kind::Ownership));
            prop_assert_eq!(disabling.needs.contains(&position), makes);
        }
        let deletion = &steps[at(Action::DeleteAccount)];
        let calls = (0..steps.len()).filter(|at| !matches!(steps[*at].action, Action::Leave | Action::DeleteAccount));
        prop_assert!(calls.eq(deletion.needs.iter().copied()));
        prop_assert!(steps[at(Action::RevokeSessions)].needs.contains(&at(Action::SuspendAccount)));
    }
}

#[test]
fn nobody_is_deleted_while_a_family_could_not_be_read() {
    let mut before = reading(AccountState::Contained, false, &[]);
    let groups = before
        .families
        .iter_mut()
        .find(|it| it.family == Kind::Group);
    groups.unwrap().result = FamilyResult::Failed;
    let steps = planned(Intent::Remove, &before);
    let deletes = |step: &PlannedStep| step.action == Action::DeleteAccount;
    assert!(!steps.iter().any(deletes));
}

#[test]
fn what_may_not_be_read_stops_the_deletion_and_says_so() {
    let held = [entitlement(
        Kind::Group,
        "g1",
        json!({"source": "cloud", "scheduled": null}),
    )];
    for synced in [false, true] {
        let mut before = reading(AccountState::Contained, synced, &held);
        let mut families = before.families.iter_mut();
        let groups = families.find(|it| it.family == Kind::Group).unwrap();
        groups.result = FamilyResult::Forbidden;
        let steps = planned(Intent::Remove, &before);
        assert!(!steps.iter().any(|it| it.action == Action::DeleteAccount));
        let ended = |it: &PlannedStep| it.action == Action::RemoveFromGroup;
        assert!(steps.iter().any(ended), "what was seen is ended");
        let last = steps.last().unwrap();
        assert_eq!(last.target_kind, Kind::Account);
        match &last.disposition {
            Disposition::Blocked { reason } => assert!(!synced && reason.contains("group")),
            // The local directory is where the account is disabled in the first place.
            disposition => assert!(synced && matches!(disposition, Disposition::Manual { .. })),
        }
    }
}

#[test]
fn nothing_is_planned_for_an_absent_account() {
    let absent = AccountReading::absent(PEOPLE);
    assert_eq!(planned(Intent::Remove, &absent), vec![]);
    let closing = judge(&EntraRules, Intent::Remove, &absent, Done::default());
    assert_eq!(verdict(&[closing]), Verdict::NothingLive);
}

#[test]
fn a_synced_account_is_a_persons_task_and_stays_open_until_it_is_gone() {
    let before = reading(AccountState::Contained, true, &[]);
    let steps = planned(Intent::Remove, &before);
    let last = steps.last().unwrap();
    assert!(matches!(last.disposition, Disposition::Manual { .. }));
    assert!(
        !steps
            .iter()
            .any(|step| step.action == Action::DeleteAccount)
    );
    let manual = [ManualStep {
        kind: Kind::Account,
        key: &last.target_key,
        attested: false,
    }];
    let done = Done {
        answered: &[Action::RevokeSessions],
        manual: &manual,
    };
    let closing = judge(&EntraRules, Intent::Remove, &before, done);
    assert_eq!(verdict(&[closing]), Verdict::Asked);
}

#[test]
fn access_tokens_outlive_the_session_cut_by_their_lifetime() {
    for state in [
        AccountState::Live,
        AccountState::Contained,
        AccountState::Deactivated,
    ] {
        let steps = planned(Intent::Remove, &reading(state, false, &[]));
        let residual: Vec<i64> = steps.iter().filter_map(|step| step.residual_s).collect();
        assert_eq!(residual, [3605], "{state}");
    }
}

#[test]
fn sessions_are_not_proven_without_the_cut() {
    let contained = reading(AccountState::Contained, false, &[]);
    let closing = judge(&EntraRules, Intent::Disable, &contained, Done::default());
    assert_eq!(verdict(&[closing]), Verdict::NeedsPerson);
    assert!(
        contained
            .families
            .iter()
            .any(|family| family.result == FamilyResult::Unsupported)
    );
}
