//! The plan for a person: the login first, what is asked of people and the pushed rows beside it, the offboarding last.

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyResult};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Intent, Reversibility, StepClass,
};

use super::disposition::disposition;
use super::families::RECORD;
use super::rules::SESSIONS_END;
use crate::tasks;

/// The target of the task about API applications, which no read lists.
pub const APPLICATIONS: &str = "api_applications";

/// The target that stands for the sessions of a login which ended before we came.
pub const SESSIONS_BEFORE: &str = "before_deactivation";

/// Plans what is to become of everything that was read. Each entitlement but the account has exactly one step.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    residual_s: i64,
) -> Vec<PlannedStep> {
    if reading.account_state == AccountState::Absent {
        return Vec::new();
    }
    let mut plan = Plan {
        intent,
        binding,
        reading,
        steps: Vec::new(),
    };
    plan.login(residual_s);
    plan.ended_login(residual_s);
    plan.applications();
    plan.everything_but_the_record();
    plan.offboarding();
    plan.steps
}

struct Plan<'a> {
    intent: Intent,
    binding: BindingId,
    reading: &'a AccountReading,
    steps: Vec<PlannedStep>,
}

impl Plan<'_> {
    fn login(&mut self, residual_s: i64) {
        let account = self.reading.of(EntitlementKind::Account).first();
        let Some(account) = account.filter(|_| self.reading.account_state == AccountState::Live)
        else {
            return;
        };
        let person = account.provider_key.clone();
        let offered = account.facts["no_deactivation"] != json!(true);
        let step = self.step(Action::DeactivateAccount, EntitlementKind::Account, &person);
        self.steps.push(PlannedStep {
            // It comes first and blocks signing in; only an administrator can take it back.
            class: StepClass::Contain,
            residual_s: Some(residual_s),
            facts: json!({ "user_id": account.facts["user_id"] }),
            disposition: match (offered, &account.facts["refused"]) {
                (false, _) => tasks::deactivate_login(&person),
                (true, Value::Bool(true)) => tasks::deactivate_refused_login(&person),
                (true, _) => Disposition::MustGo,
            },
            ..step
        });
    }

    /// A login that ended before we came can have left sessions, which no call ends: they are counted as residual.
    fn ended_login(&mut self, residual_s: i64) {
        let mut accounts = self.reading.of(EntitlementKind::Account).iter();
        let had_login = accounts.any(|account| account.facts["had_login"] == true);
        if !had_login || self.reading.account_state != AccountState::Deactivated {
            return;
        }
        let step = self.step(Action::Leave, EntitlementKind::Session, SESSIONS_BEFORE);
        self.steps.push(PlannedStep {
            class: StepClass::CutSessions,
            grade: Grade::Implied,
            rule: Some(SESSIONS_END.to_owned()),
            residual_s: Some(residual_s),
            ..step
        });
    }

    /// Unless it is known that there can be none, somebody looks for API applications.
    fn applications(&mut self) {
        let kind = EntitlementKind::ApiToken;
        let mut families = self.reading.families.iter();
        let unknown = families
            .any(|family| family.family == kind && family.result == FamilyResult::Unsupported);
        if unknown {
            let person = self.person();
            let step = self.step(Action::Leave, kind, APPLICATIONS);
            self.steps.push(PlannedStep {
                privileged: true,
                grade: Grade::Attested,
                disposition: tasks::revoke_applications(&person),
                ..step
            });
        }
    }

    fn everything_but_the_record(&mut self) {
        let held: Vec<&Entitlement> = self
            .reading
            .entitlements()
            .filter(|held| held.kind != EntitlementKind::Account && !is_record(held))
            .collect();
        for held in held {
            let disposition = disposition(self.intent, self.reading.account_state, held);
            let (action, facts) = match (&disposition, held.kind) {
                (Disposition::MustGo, EntitlementKind::Resource) => {
                    (Action::DeleteResource, held.facts.clone())
                }
                _ => (Action::Leave, json!({})),
            };
            let (grade, rule) = match &disposition {
                Disposition::Inert { rule } => (Grade::Implied, Some(rule.clone())),
                _ => (Grade::Read, None),
            };
            let step = self.step(action, held.kind, &held.provider_key);
            self.steps.push(PlannedStep {
                grade,
                rule,
                disposition,
                facts,
                ..step
            });
        }
    }

    /// After everything that Vanta wants to see done before. Not after the login: an identity provider may take long to
    /// end it, and the offboarding does not depend on it.
    fn offboarding(&mut self) {
        let mut records = self.reading.of(EntitlementKind::MonitoredAccount).iter();
        let Some(record) = records.find(|held| is_record(held)) else {
            return;
        };
        let kind = EntitlementKind::MonitoredAccount;
        if self.intent == Intent::Disable {
            let step = self.step(Action::Leave, kind, RECORD);
            let rule = super::disposition::REPORTS_GIVE_NO_ACCESS.to_owned();
            self.steps.push(PlannedStep {
                grade: Grade::Implied,
                rule: Some(rule.clone()),
                disposition: Disposition::Inert { rule },
                ..step
            });
            return;
        }
        let before = |step: &PlannedStep| {
            step.target_kind == kind || step.target_kind == EntitlementKind::Resource
        };
        let needs = (0..self.steps.len())
            .filter(|at| before(&self.steps[*at]))
            .collect();
        let step = self.step(Action::OffboardPerson, kind, RECORD);
        let disposition = match &record.facts["refused"] {
            Value::Bool(true) => tasks::complete_refused_offboarding(&self.person()),
            _ => Disposition::MustGo,
        };
        self.steps.push(PlannedStep {
            class: StepClass::Final,
            needs,
            disposition,
            ..step
        });
    }

    fn person(&self) -> String {
        let account = self.reading.of(EntitlementKind::Account).first();
        account
            .map(|account| account.provider_key.clone())
            .unwrap_or_default()
    }

    fn step(&self, action: Action, target_kind: EntitlementKind, target_key: &str) -> PlannedStep {
        PlannedStep {
            binding: self.binding,
            action,
            class: StepClass::Revoke,
            target_kind,
            target_key: target_key.to_owned(),
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
}

fn is_record(held: &Entitlement) -> bool {
    held.kind == EntitlementKind::MonitoredAccount && held.provider_key == RECORD
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::closing::{Done, ManualStep, Rules, Verdict, judge, verdict};
    use sever_domain::entitlement::FamilyReading;
    use sever_domain::plan::check;

    use crate::people::families::{ALL, EMPLOYMENT};
    use crate::people::rules;
    use crate::reading::{complete, unsupported};

    struct VantaRules;
    impl Rules for VantaRules {
        fn implied(&self) -> &[sever_domain::closing::ImpliedRule] {
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

    fn held(kind: EntitlementKind, key: &str, facts: Value) -> Entitlement {
        Entitlement {
            kind,
            provider_key: key.to_owned(),
            privileged: false,
            facts,
        }
    }

    /// Somebody with a login where `state` is live, and the record's `parts`.
    fn reading(state: AccountState, parts: &[&str], rows: &[&str]) -> AccountReading {
        use EntitlementKind as Kind;
        let waits = parts.len().saturating_sub(1);
        let family = |kind: EntitlementKind| -> FamilyReading {
            match kind {
                Kind::Account => complete(kind, vec![held(kind, "p1", json!({ "user_id": "u1" }))]),
                Kind::Session | Kind::Ownership => unsupported(kind, "no read"),
                Kind::ApiToken if state == AccountState::Live => unsupported(kind, "no read"),
                Kind::Group => complete(kind, vec![held(kind, "g1", json!({}))]),
                Kind::MonitoredAccount => {
                    let parts = parts.iter();
                    let parts = parts.map(|key| held(kind, key, json!({ "waits_for": waits })));
                    complete(kind, parts.collect())
                }
                Kind::Resource => {
                    let rows = rows
                        .iter()
                        .map(|key| held(kind, key, json!({ "type": "user_account" })));
                    complete(kind, rows.collect())
                }
                _ => complete(kind, Vec::new()),
            }
        };
        AccountReading {
            account_state: state,
            provider_state: "word".into(),
            families: ALL.iter().map(|kind| family(*kind)).collect(),
        }
    }

    fn planned(intent: Intent, reading: &AccountReading) -> Vec<PlannedStep> {
        let steps = plan(intent, BindingId(uuid::Uuid::nil()), reading, 3602);
        assert_eq!(check(&steps), Ok(()));
        steps
    }

    fn page(steps: &[PlannedStep]) -> Vec<String> {
        let word = |step: &PlannedStep| match &step.disposition {
            Disposition::MustGo => "go",
            Disposition::Inert { .. } => "inert",
            Disposition::Blocked { .. } => "blocked",
            Disposition::Manual { .. } => "task",
        };
        let line = |step: &PlannedStep| {
            format!(
                "{} {} {} {:?}",
                step.action,
                step.target_key,
                word(step),
                step.needs
            )
        };
        steps.iter().map(line).collect()
    }

    #[test]
    fn the_offboarding_waits_for_tasks_and_rows_and_not_for_the_login() {
        let reading = reading(
            AccountState::Live,
            &[RECORD, EMPLOYMENT, "task:Badge"],
            &["r1"],
        );
        assert_eq!(
            page(&planned(Intent::Remove, &reading)),
            [
                "deactivate_account p1 go []",
                "leave api_applications task []",
                "leave g1 inert []",
                "leave employment task []",
                "leave task:Badge task []",
                "delete_resource r1 go []",
                "offboard_person record go [3, 4, 5]",
            ]
        );
    }

    #[test]
    fn somebody_who_is_disabled_keeps_the_record() {
        let reading = reading(AccountState::Live, &[RECORD, EMPLOYMENT], &["r1"]);
        assert_eq!(
            page(&planned(Intent::Disable, &reading)),
            [
                "deactivate_account p1 go []",
                "leave api_applications task []",
                "leave g1 inert []",
                "leave employment inert []",
                "leave r1 inert []",
                "leave record inert []",
            ]
        );
    }

    #[test]
    fn nothing_is_planned_for_somebody_absent_or_gone_before() {
        let absent = AccountReading::absent(ALL);
        assert_eq!(planned(Intent::Remove, &absent), vec![]);
        let done = Done::default();
        let closing = judge(&VantaRules, Intent::Remove, &absent, done);
        assert_eq!(verdict(&[closing]), Verdict::NothingLive);
        let gone = reading(AccountState::Deactivated, &[], &[]);
        assert_eq!(page(&planned(Intent::Remove, &gone)), ["leave g1 inert []"]);
    }

    #[test]
    fn sessions_of_a_login_that_ended_before_are_counted_as_residual() {
        let mut before = reading(AccountState::Deactivated, &[], &[]);
        before.families[0].entitlements[0].facts["had_login"] = json!(true);
        let residual: Vec<i64> = planned(Intent::Remove, &before)
            .iter()
            .filter_map(|step| step.residual_s)
            .collect();
        assert_eq!(residual, [3602]);
    }

    #[test]
    fn a_tenant_without_the_call_asks_a_person_for_the_login() {
        let mut reading = reading(AccountState::Live, &[], &[]);
        reading.families[0].entitlements[0].facts["no_deactivation"] = json!(true);
        let steps = planned(Intent::Remove, &reading);
        assert_eq!(page(&steps)[0], "deactivate_account p1 task []");
    }

    #[test]
    fn what_vanta_goes_on_refusing_is_asked_of_a_person() {
        let mut reading = reading(AccountState::Live, &[RECORD], &[]);
        for family in &mut reading.families {
            for held in &mut family.entitlements {
                held.facts["refused"] = json!(true);
            }
        }
        let steps = planned(Intent::Remove, &reading);
        assert_eq!(page(&steps)[0], "deactivate_account p1 task []");
        assert_eq!(
            page(&steps).last().unwrap(),
            "offboard_person record task []"
        );
        let manual: Vec<ManualStep<'_>> = steps
            .iter()
            .filter(|step| matches!(step.disposition, Disposition::Manual { .. }))
            .map(|step| ManualStep {
                kind: step.target_kind,
                key: &step.target_key,
                attested: false,
            })
            .collect();
        let done = Done {
            answered: &[],
            manual: &manual,
        };
        let closing = judge(&VantaRules, Intent::Remove, &reading, done);
        assert_eq!(verdict(&[closing]), Verdict::Asked);
    }

    #[test]
    fn the_closing_judgement_follows_the_record() {
        let close = |reading: &AccountReading, manual: &[ManualStep<'_>]| {
            let done = Done {
                answered: &[],
                manual,
            };
            verdict(&[judge(&VantaRules, Intent::Remove, reading, done)])
        };
        let asked = |key| ManualStep {
            kind: EntitlementKind::MonitoredAccount,
            key,
            attested: false,
        };
        let gone = AccountState::Deactivated;
        let waiting = reading(gone, &[RECORD, EMPLOYMENT], &[]);
        assert_eq!(close(&waiting, &[asked(EMPLOYMENT)]), Verdict::Asked);
        let ready = reading(gone, &[RECORD], &[]);
        assert_eq!(
            close(&ready, &[]),
            Verdict::Live,
            "it can be offboarded now"
        );
        let done = reading(gone, &[], &[]);
        assert_eq!(close(&done, &[]), Verdict::NothingLive);
        let signs_in = reading(AccountState::Live, &[], &[]);
        assert_eq!(close(&signs_in, &[]), Verdict::Live);
    }
}
