//! The plan for an integration: what our connector pushed is emptied, the rest is asked of a person.

use serde_json::Value;
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Intent, Reversibility, StepClass,
};

use super::disposition::disposition;
use crate::tasks;

/// Plans what is to become of everything that was read.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    residual_s: i64,
) -> Vec<PlannedStep> {
    let mut steps: Vec<PlannedStep> = reading
        .of(EntitlementKind::Resource)
        .iter()
        .map(|set| pushed_set(intent, binding, reading.account_state, set))
        .collect();
    let account = reading.of(EntitlementKind::Account).first();
    steps.extend(account.and_then(|account| end(intent, binding, reading, account, residual_s)));
    steps
}

fn pushed_set(
    intent: Intent,
    binding: BindingId,
    state: AccountState,
    set: &Entitlement,
) -> PlannedStep {
    let disposition = disposition(intent, state, set);
    let (action, grade, rule) = match &disposition {
        Disposition::Inert { rule } => (Action::Leave, Grade::Implied, Some(rule.clone())),
        _ => (Action::DeleteResource, Grade::Read, None),
    };
    PlannedStep {
        grade,
        rule,
        disposition,
        facts: set.facts.clone(),
        ..step(binding, action, set)
    }
}

/// The task of the integration itself; none where it is as the intent wants it.
fn end(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    account: &Entitlement,
    residual_s: i64,
) -> Option<PlannedStep> {
    let is_application = account.facts["kind"] == "application";
    let action = match (intent, reading.account_state) {
        (_, AccountState::Deactivated | AccountState::Absent) => return None,
        (Intent::Disable, AccountState::Contained) => return None,
        // Seen as done already when every connection fails; a removal wants it disconnected.
        (Intent::Disable, AccountState::Live) => Action::DisableIntegration,
        (Intent::Remove, AccountState::Live | AccountState::Contained) => Action::Leave,
    };
    let readable = reading.provider_state != "not readable";
    let name = account.facts["name"].as_str().unwrap_or_default();
    let connections = account.facts["connections"].as_array().map_or(0, Vec::len);
    Some(PlannedStep {
        class: StepClass::Final,
        grade: if readable {
            Grade::Read
        } else {
            Grade::Attested
        },
        // A token of the application lives an hour at most once it can fetch no other.
        residual_s: is_application.then_some(residual_s),
        disposition: if is_application {
            tasks::delete_application(&account.provider_key)
        } else {
            tasks::disconnect(name, connections)
        },
        ..step(binding, action, account)
    })
}

fn step(binding: BindingId, action: Action, target: &Entitlement) -> PlannedStep {
    PlannedStep {
        binding,
        action,
        class: StepClass::Revoke,
        target_kind: target.kind,
        target_key: target.provider_key.clone(),
        privileged: false,
        reversibility: Reversibility::OneWay,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts: Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sever_domain::plan::check;

    use crate::reading::complete;

    fn reading(state: AccountState, word: &str, facts: Value, sets: &[&str]) -> AccountReading {
        let held = |kind, key: &str, facts| Entitlement {
            kind,
            provider_key: key.to_owned(),
            privileged: false,
            facts,
        };
        use EntitlementKind::{Account, Resource};
        let sets = sets
            .iter()
            .map(|key| held(Resource, key, json!({ "rows": 3 })));
        AccountReading {
            account_state: state,
            provider_state: word.to_owned(),
            families: vec![
                complete(Account, vec![held(Account, "it", facts)]),
                complete(Resource, sets.collect()),
            ],
        }
    }

    fn page(intent: Intent, reading: &AccountReading) -> Vec<String> {
        let steps = plan(intent, BindingId(uuid::Uuid::nil()), reading, 3602);
        assert_eq!(check(&steps), Ok(()));
        let line = |step: &PlannedStep| {
            let task = matches!(step.disposition, Disposition::Manual { .. });
            format!(
                "{} {} {} {:?}",
                step.action, step.target_key, task, step.residual_s
            )
        };
        steps.iter().map(line).collect()
    }

    #[test]
    fn a_connected_system_is_a_persons_to_disconnect() {
        use AccountState::{Contained, Deactivated, Live};
        let system = |state| {
            reading(
                state,
                "connected",
                json!({ "name": "AWS", "connections": ["c"] }),
                &[],
            )
        };
        assert_eq!(page(Intent::Remove, &system(Live)), ["leave it true None"]);
        assert_eq!(
            page(Intent::Remove, &system(Contained)),
            ["leave it true None"]
        );
        assert_eq!(
            page(Intent::Disable, &system(Live)),
            ["disable_integration it true None"]
        );
        for (intent, state) in [(Intent::Disable, Contained), (Intent::Remove, Deactivated)] {
            assert_eq!(page(intent, &system(state)), [] as [String; 0]);
        }
    }

    #[test]
    fn our_connector_is_emptied_on_removal_only() {
        let facts = json!({ "kind": "application", "name": "vci_1" });
        let own = reading(
            AccountState::Live,
            "gets tokens",
            facts,
            &["user_account/r"],
        );
        assert_eq!(
            page(Intent::Remove, &own),
            [
                "delete_resource user_account/r false None",
                "leave it true Some(3602)"
            ]
        );
        assert_eq!(
            page(Intent::Disable, &own),
            [
                "leave user_account/r false None",
                "disable_integration it true Some(3602)"
            ]
        );
    }
}
