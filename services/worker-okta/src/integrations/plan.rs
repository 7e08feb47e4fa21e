//! The plan for an integration.
//!
//! An application: its tokens and roles first, then it is deactivated, then its tokens once more (some may have been
//! issued meanwhile) and everything that was let into it or granted to it; groups before users, because a group keeps
//! giving what it gives. A hook: switched off, then deleted. An API token: revoked.

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Intent, Reversibility, StepClass,
};

use super::disposition::disposition;
use super::families::{
    GROUP, Object, REFRESH_TOKENS, REFRESH_TOKENS_AFTER, SERVER, SERVER_AFTER, is_candidate,
};
use crate::plan::Lifetimes;

/// Plans what is to become of everything that was read. Each entitlement but the account has a step.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    lifetimes: &Lifetimes,
) -> Vec<PlannedStep> {
    let Some(account) = reading.of(EntitlementKind::Account).first() else {
        return Vec::new();
    };
    let mut plan = Plan {
        intent,
        binding,
        reading,
        lifetimes,
        steps: Vec::new(),
    };
    match Object::of(&account.provider_key) {
        Object::App => plan.application(account),
        Object::EventHook | Object::InlineHook => plan.hook(account),
        Object::ApiToken => plan.rest(EntitlementKind::ApiToken, &[]),
    }
    plan.steps
}

struct Plan<'a> {
    intent: Intent,
    binding: BindingId,
    reading: &'a AccountReading,
    lifetimes: &'a Lifetimes,
    steps: Vec<PlannedStep>,
}

impl Plan<'_> {
    fn application(&mut self, account: &Entitlement) {
        use EntitlementKind as Kind;
        for held in self.reading.of(Kind::Token) {
            self.tokens(&held.provider_key, Some(held), &[]);
        }
        let tokens: Vec<usize> = (0..self.steps.len()).collect();
        self.rest(Kind::Role, &[]);
        let off = self.switch_off(account, &tokens);
        let gate: Vec<usize> = off.into_iter().collect();
        let listed = self.reading.of(Kind::Token);
        let own = listed.iter().find(|it| it.provider_key == REFRESH_TOKENS);
        self.tokens(REFRESH_TOKENS_AFTER, own, &gate);
        for held in listed {
            if let Some(server) = held.provider_key.strip_prefix(SERVER) {
                self.tokens(&format!("{SERVER_AFTER}{server}"), Some(held), &gate);
            }
        }
        for kind in [
            Kind::Permission,
            Kind::Secret,
            Kind::Consumer,
            Kind::Hook,
            Kind::ApiToken,
        ] {
            self.rest(kind, &gate);
        }
    }

    fn hook(&mut self, account: &Entitlement) {
        let off = self.switch_off(account, &[]);
        let gate: Vec<usize> = off.into_iter().collect();
        self.rest(EntitlementKind::Hook, &gate);
    }

    /// The deactivation, which can be taken back; none where it is inactive already.
    fn switch_off(&mut self, account: &Entitlement, needs: &[usize]) -> Option<usize> {
        if self.reading.account_state != AccountState::Live {
            return None;
        }
        let step = self.step(Action::DisableIntegration, account);
        self.steps.push(PlannedStep {
            class: StepClass::Contain,
            reversibility: Reversibility::Reversible,
            needs: needs.to_vec(),
            ..step
        });
        Some(self.steps.len() - 1)
    }

    /// One revocation of all refresh tokens that an authorization server issued. Access tokens outlast it for as long as any
    /// issuer's live.
    fn tokens(&mut self, key: &str, listed: Option<&Entitlement>, needs: &[usize]) {
        let issuers = listed.map_or(Value::Null, |tokens| tokens.facts["issuers"].clone());
        let client = listed.map_or(Value::Null, |tokens| tokens.facts["client_id"].clone());
        let target = Entitlement {
            kind: EntitlementKind::Token,
            provider_key: key.to_owned(),
            privileged: false,
            facts: Value::Null,
        };
        let step = self.step(Action::RevokeTokens, &target);
        self.steps.push(PlannedStep {
            class: StepClass::CutSessions,
            residual_s: Some(self.lifetimes.residual_s(&issuers)),
            needs: needs.to_vec(),
            facts: json!({ "client_id": client }),
            ..step
        });
    }

    /// One step for each entitlement of a family.
    fn rest(&mut self, kind: EntitlementKind, gate: &[usize]) {
        let mut groups: Vec<usize> = Vec::new();
        for held in self.reading.of(kind) {
            let disposition = disposition(self.intent, self.reading.account_state, held);
            let goes = disposition == Disposition::MustGo;
            let (grade, rule) = match &disposition {
                Disposition::Inert { rule } => (Grade::Implied, Some(rule.clone())),
                Disposition::MustGo | Disposition::Blocked { .. } => (Grade::Read, None),
                Disposition::Manual { .. } => (Grade::Attested, None),
            };
            let is_group = held.provider_key.starts_with(GROUP);
            let mut needs = if goes { gate.to_vec() } else { Vec::new() };
            if goes && !is_group {
                needs.extend(&groups);
            }
            let (action, reversibility) = if goes {
                removal(kind)
            } else {
                (Action::Leave, Reversibility::OneWay)
            };
            let step = self.step(action, held);
            self.steps.push(PlannedStep {
                privileged: held.privileged && !is_candidate(held),
                reversibility,
                grade,
                rule,
                disposition,
                needs,
                facts: if goes { call_facts(held) } else { json!({}) },
                ..step
            });
            if goes && is_group {
                groups.push(self.steps.len() - 1);
            }
        }
    }

    fn step(&self, action: Action, target: &Entitlement) -> PlannedStep {
        PlannedStep {
            binding: self.binding,
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
            facts: json!({}),
        }
    }
}

/// By which action an entitlement that must go is ended.
const fn removal(kind: EntitlementKind) -> (Action, Reversibility) {
    use EntitlementKind as Kind;
    use Reversibility::{OneWay, Reversible};
    match kind {
        Kind::Role => (Action::RevokeRole, Reversible),
        Kind::Permission => (Action::RevokePermission, Reversible),
        Kind::Consumer => (Action::RemoveConsumer, Reversible),
        Kind::Secret => (Action::RemoveSecret, OneWay),
        Kind::Hook => (Action::RemoveHook, OneWay),
        Kind::ApiToken => (Action::RevokeApiToken, OneWay),
        _ => (Action::Leave, OneWay),
    }
}

/// What a call needs besides the target.
fn call_facts(held: &Entitlement) -> Value {
    match held.kind {
        EntitlementKind::Role => json!({ "client_id": held.facts["client_id"] }),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use sever_domain::closing::{Done, Rules, Verdict, judge, verdict};
    use sever_domain::entitlement::FamilyReading;
    use sever_domain::plan::check;

    use crate::families::{complete, unsupported};
    use crate::integrations::families::ALL;
    use crate::integrations::rules;

    struct OktaRules;
    impl Rules for OktaRules {
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

    fn rich() -> Vec<Entitlement> {
        use EntitlementKind as Kind;
        vec![
            held(
                Kind::Token,
                REFRESH_TOKENS,
                json!({ "issuers": ["https://a.test"] }),
            ),
            held(Kind::Role, "irb1", json!({ "client_id": "0oa1" })),
            held(Kind::Permission, "scope:oag1", json!({})),
            held(Kind::Secret, "secret:ocs1", json!({})),
            held(Kind::Secret, "secret:ocs2", json!({ "stays": true })),
            held(Kind::Consumer, "group:00g1", json!({})),
            held(Kind::Consumer, "user:00u1", json!({})),
            held(Kind::Hook, "who1", json!({ "candidate": true })),
        ]
    }

    fn reading(id: &str, state: AccountState, entitlements: &[Entitlement]) -> AccountReading {
        let family = |kind: &EntitlementKind| -> FamilyReading {
            match kind {
                EntitlementKind::Account => complete(*kind, vec![held(*kind, id, json!({}))]),
                EntitlementKind::Grant => unsupported(*kind, "by person"),
                _ => {
                    let own = entitlements.iter().filter(|held| held.kind == *kind);
                    complete(*kind, own.cloned().collect())
                }
            }
        };
        AccountReading {
            account_state: state,
            provider_state: state.to_string(),
            families: ALL.iter().map(family).collect(),
        }
    }

    fn page(intent: Intent, reading: &AccountReading) -> Vec<String> {
        let lifetimes = Lifetimes {
            max: Duration::from_secs(3600),
            by_issuer: [].into(),
            skew: Duration::from_secs(2),
        };
        let steps = plan(intent, BindingId(uuid::Uuid::nil()), reading, &lifetimes);
        assert_eq!(check(&steps), Ok(()));
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
    fn an_application_loses_its_tokens_and_roles_then_itself_then_the_rest() {
        assert_eq!(
            page(
                Intent::Remove,
                &reading("0oa1", AccountState::Live, &rich())
            ),
            [
                "revoke_tokens refresh_tokens go []",
                "revoke_role irb1 go []",
                "disable_integration 0oa1 go [0]",
                "revoke_tokens refresh_tokens_after_deactivation go [2]",
                "revoke_permission scope:oag1 go [2]",
                "remove_secret secret:ocs1 go [2]",
                "leave secret:ocs2 inert []",
                "remove_consumer group:00g1 go [2]",
                "remove_consumer user:00u1 go [2, 7]",
                "leave who1 task []",
            ]
        );
    }

    #[test]
    fn a_disabled_application_keeps_what_it_cannot_use() {
        assert_eq!(
            page(
                Intent::Disable,
                &reading("0oa1", AccountState::Live, &rich())
            ),
            [
                "revoke_tokens refresh_tokens go []",
                "leave irb1 inert []",
                "disable_integration 0oa1 go [0]",
                "revoke_tokens refresh_tokens_after_deactivation go [2]",
                "leave scope:oag1 inert []",
                "leave secret:ocs1 inert []",
                "leave secret:ocs2 inert []",
                "leave group:00g1 inert []",
                "leave user:00u1 inert []",
                "leave who1 task []",
            ]
        );
    }

    #[test]
    fn hooks_and_api_tokens_that_are_bound_go_by_themselves() {
        use EntitlementKind::{ApiToken, Hook};
        let hook = |state| reading("who1", state, &[held(Hook, "who1", json!({}))]);
        assert_eq!(
            page(Intent::Remove, &hook(AccountState::Live)),
            ["disable_integration who1 go []", "remove_hook who1 go [0]"]
        );
        assert_eq!(
            page(Intent::Remove, &hook(AccountState::Deactivated)),
            ["remove_hook who1 go []"]
        );
        assert_eq!(
            page(Intent::Disable, &hook(AccountState::Live)),
            ["disable_integration who1 go []", "leave who1 inert []"]
        );
        let token = reading(
            "00T1",
            AccountState::Live,
            &[held(ApiToken, "00T1", json!({}))],
        );
        for intent in [Intent::Remove, Intent::Disable] {
            assert_eq!(page(intent, &token), ["revoke_api_token 00T1 go []"]);
        }
    }

    #[test]
    fn an_inactive_application_without_anything_else_is_proven_and_so_is_one_that_is_gone() {
        let close = |reading: &AccountReading| {
            let closing = judge(&OktaRules, Intent::Remove, reading, Done::default());
            verdict(&[closing])
        };
        let last = [held(
            EntitlementKind::Secret,
            "secret:ocs2",
            json!({ "stays": true }),
        )];
        let inactive = reading("0oa1", AccountState::Deactivated, &last);
        assert_eq!(close(&inactive), Verdict::NothingLive);
        assert_eq!(close(&AccountReading::absent(ALL)), Verdict::NothingLive);
        assert_eq!(
            close(&reading("0oa1", AccountState::Live, &[])),
            Verdict::Live
        );
        let absent = AccountReading::absent(ALL);
        assert_eq!(page(Intent::Remove, &absent), [] as [String; 0]);
    }
}
