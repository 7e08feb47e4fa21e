//! What holds of every plan.

#![cfg(test)] // a failed unwrap is a failed test

use proptest::prelude::*;
use serde_json::json;
use sever_domain::entitlement::{FamilyReading, FamilyResult};
use sever_domain::plan::check;

use super::*;
use crate::families::ALL;

fn reading(state: AccountState, held: &[(EntitlementKind, &str, bool)]) -> AccountReading {
    let of = |family: EntitlementKind| -> Vec<Entitlement> {
        let own = (family == EntitlementKind::Account).then_some((family, "u1", false));
        let all = own.iter().chain(held);
        all.filter(|(kind, _, _)| *kind == family)
            .map(|(kind, key, privileged)| Entitlement {
                kind: *kind,
                provider_key: (*key).to_owned(),
                privileged: *privileged,
                facts: json!({ "indirect": key.starts_with("indirect") }),
            })
            .collect()
    };
    AccountReading {
        account_state: state,
        provider_state: state.to_string(),
        families: ALL
            .iter()
            .map(|family| FamilyReading {
                family: *family,
                result: match family {
                    EntitlementKind::Session => FamilyResult::Unsupported,
                    _ => FamilyResult::Complete,
                },
                detail: None,
                entitlements: of(*family),
            })
            .collect(),
    }
}

fn words(intent: Intent, state: AccountState, end: End) -> Vec<String> {
    let held = [
        (EntitlementKind::Group, "g1", false),
        (EntitlementKind::Group, "indirect", false),
        (EntitlementKind::Licence, "seat", false),
        (EntitlementKind::Role, "admin", true),
    ];
    let steps = plan(
        intent,
        BindingId::generate(),
        &reading(state, &held),
        end,
        3602,
    );
    assert_eq!(check(&steps), Ok(()));
    steps
        .iter()
        .map(|step| format!("{} {} {:?}", step.action, step.target_key, step.needs))
        .collect()
}

#[test]
fn a_removal_blocks_takes_and_deletes() {
    assert_eq!(
        words(Intent::Remove, AccountState::Live, End::Delete),
        [
            "suspend_account u1 []",
            "revoke_role admin [0]",
            "revoke_licence seat [0]",
            "remove_from_group g1 [0]",
            "leave indirect [0]",
            "leave sessions [0]",
            "delete_account u1 [0, 1, 2, 3]",
        ]
    );
}

#[test]
fn what_cannot_be_deleted_is_a_persons_task_and_what_is_kept_has_none() {
    let by_person = words(Intent::Remove, AccountState::Contained, End::Person);
    assert_eq!(by_person.last().unwrap(), "leave u1 [0, 1, 2]");
    let kept = words(Intent::Remove, AccountState::Deactivated, End::Inactive);
    assert_eq!(kept.last().unwrap(), "leave sessions []");
}

#[test]
fn disabling_takes_nothing_but_says_everything() {
    let lines = words(Intent::Disable, AccountState::Live, End::Delete);
    assert_eq!(lines.len(), 6);
    let calls: Vec<&String> = lines
        .iter()
        .filter(|line| !line.starts_with("leave"))
        .collect();
    assert_eq!(calls, ["suspend_account u1 []"]);
}

#[test]
fn the_session_line_carries_its_rule_and_its_residual() {
    let steps = plan(
        Intent::Remove,
        BindingId::generate(),
        &reading(AccountState::Live, &[]),
        End::Delete,
        3602,
    );
    let line = steps
        .iter()
        .find(|step| step.target_kind == EntitlementKind::Session)
        .unwrap();
    assert_eq!(
        (line.residual_s, line.rule.as_deref()),
        (Some(3602), Some(SESSIONS_END))
    );
}

proptest! {
    /// Whatever was read, the plan can be stored and every entitlement has exactly one line.
    #[test]
    fn every_plan_is_a_graph_with_one_line_for_each(
        keys in proptest::collection::btree_map("[a-z]{1,6}|indirect[a-z]", (0usize..3, any::<bool>()), 0..12),
        state in proptest::sample::select(AccountState::ALL),
        intent in proptest::sample::select(Intent::ALL),
        end in proptest::sample::select(vec![End::Delete, End::Person, End::Inactive]),
    ) {
        let kinds = [EntitlementKind::Role, EntitlementKind::Licence, EntitlementKind::Group];
        let held: Vec<(EntitlementKind, &str, bool)> = keys.iter().map(|(key, (kind, power))| (kinds[*kind], key.as_str(), *power)).collect();
        let steps = plan(intent, BindingId::generate(), &reading(state, &held), end, 1);
        prop_assert_eq!(check(&steps), Ok(()));
        if state != AccountState::Absent {
            for (kind, key, _) in &held {
                let lines = steps.iter().filter(|step| step.target_kind == *kind && step.target_key == *key);
                prop_assert_eq!(lines.count(), 1);
            }
        }
    }
}
