//! The plan of an integration: disabled first, then stripped; it stays as a tombstone.

use serde_json::Value;
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind as Kind, Grade, Intent, Reversibility,
    StepClass,
};

use super::disposition::disposition;
use super::principal::{ManagedBy, is_microsofts, managed_by};
use crate::plan::Lifetime;
use crate::steps::{stand_in, step};

/// Seconds until a task at Azure is overdue.
const TASK_DUE_S: i64 = 86_400;

/// What hangs on Microsoft's own applications is everybody's: the consumers of Graph are all who call it.
const MICROSOFTS_OWN: &str = "this is one of Microsoft's own applications: Graph lets nobody disable it, and what is assigned to it \
    belongs to the applications and people that use Microsoft's services";

/// The families that are stripped, privileged ones first.
const STRIPPED: [Kind; 9] = [
    Kind::Role,
    Kind::EligibleRole,
    Kind::ResourceRole,
    Kind::Permission,
    Kind::Secret,
    Kind::Grant,
    Kind::Group,
    Kind::Ownership,
    Kind::Consumer,
];

/// Plans what is to become of everything that was read.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    lifetime: Lifetime,
) -> Vec<PlannedStep> {
    if reading.account_state == AccountState::Absent {
        return Vec::new();
    }
    let end = end(binding, reading, lifetime);
    let gate: &[usize] = if end.action == Action::DisableIntegration {
        &[0]
    } else {
        &[]
    };
    let mut steps = vec![end];
    let is_microsofts = is_microsofts(reading);
    for kind in STRIPPED {
        for held in reading.of(kind) {
            let becomes = match is_microsofts {
                true => blocked(MICROSOFTS_OWN),
                false => disposition(intent, reading.account_state, held),
            };
            let removal = removal(held).filter(|_| becomes == Disposition::MustGo);
            steps.push(match removal {
                Some((action, reversibility)) => PlannedStep {
                    privileged: held.privileged,
                    reversibility,
                    needs: gate.to_vec(),
                    facts: held.facts.clone(),
                    ..step(binding, action, StepClass::Revoke, kind, &held.provider_key)
                },
                None => stand_in(binding, held, becomes),
            });
        }
    }
    steps
}

/// The disabling, or who else must do it, or what stands for it where it was done before. Tokens that were issued before
/// work on for their lifetime.
fn end(binding: BindingId, reading: &AccountReading, lifetime: Lifetime) -> PlannedStep {
    let account = reading.of(Kind::Account).first();
    let key = account.map_or("", |account| account.provider_key.as_str());
    let plain = |action, class| PlannedStep {
        residual_s: Some(lifetime.residual_s()),
        ..step(binding, action, class, Kind::Account, key)
    };
    if reading.account_state != AccountState::Live {
        return plain(Action::Leave, StepClass::CutSessions);
    }
    let facts = account.map_or(&Value::Null, |account| &account.facts);
    match managed_by(facts) {
        ManagedBy::Tenant => PlannedStep {
            reversibility: Reversibility::Reversible,
            ..plain(Action::DisableIntegration, StepClass::Contain)
        },
        ManagedBy::Microsoft => PlannedStep {
            disposition: blocked(MICROSOFTS_OWN),
            ..plain(Action::Leave, StepClass::Contain)
        },
        ManagedBy::Azure => PlannedStep {
            grade: Grade::Attested,
            disposition: Disposition::Manual { task: azure_task() },
            ..plain(Action::Leave, StepClass::Contain)
        },
    }
}

fn blocked(reason: &str) -> Disposition {
    Disposition::Blocked {
        reason: reason.to_owned(),
    }
}

fn azure_task() -> ManualTask {
    ManualTask {
        asked_of: "azure-admin".to_owned(),
        what: "This is a managed identity, which goes with its Azure resource: remove the identity from the resource, or \
            delete the resource, and its federated credentials there."
            .to_owned(),
        link: Some("https://portal.azure.com/#view/HubsExtension/BrowseResource/resourceType/Microsoft.ManagedIdentity%2FuserAssignedIdentities".to_owned()),
        evidence: "the change's reference in Azure".to_owned(),
        due_s: TASK_DUE_S,
    }
}

/// By which action an entitlement is ended, and whether it can be taken back.
fn removal(held: &Entitlement) -> Option<(Action, Reversibility)> {
    use Reversibility::{OneWay, Reversible};
    Some(match held.kind {
        Kind::Permission => (Action::RevokePermission, Reversible),
        Kind::Consumer => (Action::RemoveConsumer, Reversible),
        Kind::Secret => (Action::RemoveSecret, OneWay),
        _ => return crate::plan::removal(held),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::{INTEGRATIONS, complete};
    use crate::rules;
    use serde_json::json;
    use sever_domain::closing::{Done, ImpliedRule, Rules, Verdict, judge, verdict};
    use sever_domain::plan::check;
    use std::time::Duration;

    struct OfIntegrations;
    impl Rules for OfIntegrations {
        fn implied(&self) -> &[ImpliedRule] {
            rules::INTEGRATIONS
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

    fn reading(state: AccountState, account: Value, held: &[(Kind, &str)]) -> AccountReading {
        let entitlement = |kind: Kind, key: &str, facts: Value| Entitlement {
            kind,
            provider_key: key.into(),
            privileged: false,
            facts,
        };
        let families = INTEGRATIONS.iter().map(|family| match family {
            Kind::Account => complete(*family, vec![entitlement(*family, "sp", account.clone())]),
            _ => {
                let mine = held.iter().filter(|(kind, _)| kind == family);
                complete(
                    *family,
                    mine.map(|(kind, key)| entitlement(*kind, key, json!({})))
                        .collect(),
                )
            }
        });
        AccountReading {
            account_state: state,
            provider_state: "x".into(),
            families: families.collect(),
        }
    }

    fn planned(intent: Intent, reading: &AccountReading) -> Vec<PlannedStep> {
        let lifetime = Lifetime {
            max: Duration::from_secs(3600),
            skew: Duration::from_secs(5),
        };
        plan(intent, BindingId(uuid::Uuid::nil()), reading, lifetime)
    }

    #[test]
    fn it_is_disabled_before_it_is_stripped_and_then_nothing_is_left() {
        let held = STRIPPED.map(|kind| (kind, "groups:k"));
        let before = reading(AccountState::Live, json!({}), &held);
        let steps = planned(Intent::Remove, &before);
        assert_eq!(check(&steps), Ok(()));
        assert_eq!(steps[0].action, Action::DisableIntegration);
        assert!(
            steps
                .iter()
                .skip(1)
                .all(|step| step.needs == [0] && step.action != Action::Leave)
        );
        assert_eq!(
            steps
                .iter()
                .filter_map(|step| step.residual_s)
                .collect::<Vec<_>>(),
            [3605]
        );
        let after = reading(AccountState::Deactivated, json!({}), &[]);
        let closing = judge(&OfIntegrations, Intent::Remove, &after, Done::default());
        assert_eq!(verdict(&[closing]), Verdict::NothingLive);
    }

    #[test]
    fn a_disabling_leaves_the_rest_inert() {
        let before = reading(AccountState::Live, json!({}), &[(Kind::Secret, "s")]);
        let steps = planned(Intent::Disable, &before);
        assert!(
            steps
                .iter()
                .skip(1)
                .all(|step| step.action == Action::Leave)
        );
        let after = reading(AccountState::Deactivated, json!({}), &[(Kind::Secret, "s")]);
        let closing = judge(&OfIntegrations, Intent::Disable, &after, Done::default());
        assert_eq!(verdict(&[closing]), Verdict::NothingLive);
    }

    #[test]
    fn what_others_manage_is_a_task_or_blocked() {
        let identity = reading(
            AccountState::Live,
            json!({"type": "ManagedIdentity"}),
            &[(Kind::Role, "r")],
        );
        let steps = planned(Intent::Remove, &identity);
        assert!(matches!(steps[0].disposition, Disposition::Manual { .. }));
        assert!(steps[1].needs.is_empty(), "roles do not wait for a person");
        let microsofts = json!({"owner_organization": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"});
        let held = STRIPPED.map(|kind| (kind, "groups:k"));
        for state in [AccountState::Live, AccountState::Deactivated] {
            let steps = planned(Intent::Remove, &reading(state, microsofts.clone(), &held));
            assert_eq!(steps.len(), 1 + held.len());
            assert!(
                steps.iter().all(|step| step.action == Action::Leave),
                "{state}"
            );
            assert!(matches!(steps[1].disposition, Disposition::Blocked { .. }));
        }
    }
}
