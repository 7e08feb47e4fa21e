//! What is to become of each entitlement of a person.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

use super::families::{EMPLOYMENT, RECORD, TASK_PREFIX, waits_for_others};
use crate::tasks;

/// The rule under which memberships of groups stay.
pub const GROUP_SELECTS_TASKS: &str = "vanta.group_selects_tasks";
/// The rule under which the record and pushed rows stay when somebody is only disabled.
pub const REPORTS_GIVE_NO_ACCESS: &str = "vanta.reports_give_no_access";

/// What is to become of an entitlement that was read while the account was in this state.
///
/// A group selects which tasks its people get, and opens nothing. The record and the rows that our connector pushed are
/// reports: they end with `remove`, and stay with `disable`.
#[must_use]
pub fn disposition(
    intent: Intent,
    _account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    use EntitlementKind as Kind;
    match entitlement.kind {
        Kind::Group => inert(GROUP_SELECTS_TASKS),
        Kind::MonitoredAccount | Kind::Resource if intent == Intent::Disable => {
            inert(REPORTS_GIVE_NO_ACCESS)
        }
        Kind::MonitoredAccount => of_record(entitlement),
        _ => Disposition::MustGo,
    }
}

fn of_record(entitlement: &Entitlement) -> Disposition {
    let text = |name: &str| entitlement.facts[name].as_str().unwrap_or_default();
    let person = text("person");
    match entitlement.provider_key.as_str() {
        EMPLOYMENT => tasks::end_employment(person, text("source")),
        key if key.starts_with(TASK_PREFIX) => tasks::complete_task(person, text("name")),
        // It waits for what people do; the offboarding itself is ours.
        RECORD if waits_for_others(entitlement) => {
            tasks::complete_task(person, "every one that is open")
        }
        _ => Disposition::MustGo,
    }
}

fn inert(rule: &str) -> Disposition {
    Disposition::Inert {
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn becomes(intent: Intent, kind: EntitlementKind, key: &str, facts: Value) -> String {
        let entitlement = Entitlement {
            kind,
            provider_key: key.to_owned(),
            privileged: false,
            facts,
        };
        match disposition(intent, AccountState::Deactivated, &entitlement) {
            Disposition::MustGo => "go".to_owned(),
            Disposition::Inert { rule } => rule,
            Disposition::Blocked { .. } => "blocked".to_owned(),
            Disposition::Manual { task } => task.what,
        }
    }

    #[test]
    fn the_record_goes_unless_it_waits_for_people() {
        use EntitlementKind::MonitoredAccount as Record;
        let remove = |key, facts| becomes(Intent::Remove, Record, key, facts);
        assert_eq!(remove(RECORD, json!({ "waits_for": 0 })), "go");
        assert!(remove(RECORD, json!({ "waits_for": 2 })).contains("every one"));
        let employment = remove(EMPLOYMENT, json!({ "person": "p7", "source": "SCIM" }));
        assert!(employment.contains("p7") && employment.contains("comes by SCIM"));
        let task = remove(
            "task:Return the badge",
            json!({ "name": "Return the badge" }),
        );
        assert!(task.contains("\"Return the badge\""));
        let disabled = becomes(Intent::Disable, Record, RECORD, json!({}));
        assert_eq!(disabled, REPORTS_GIVE_NO_ACCESS);
    }

    #[test]
    fn groups_stay_and_pushed_rows_go() {
        use EntitlementKind::{Group, Resource};
        for intent in [Intent::Remove, Intent::Disable] {
            assert_eq!(becomes(intent, Group, "g", json!({})), GROUP_SELECTS_TASKS);
        }
        assert_eq!(becomes(Intent::Remove, Resource, "r", json!({})), "go");
        let disabled = becomes(Intent::Disable, Resource, "r", json!({}));
        assert_eq!(disabled, REPORTS_GIVE_NO_ACCESS);
    }
}
