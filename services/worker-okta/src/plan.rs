//! The plan: from a reading to a graph of steps.
//!
//! Waves of a removal: sessions, tokens and the account's own roles; then memberships, factors, devices
//! and links; then assignments (a group may still give them) and the deactivation; then sessions once
//! more. The deactivation does not wait for assignments: it ends them too, and one that a group keeps
//! giving must not keep the account alive.

mod lifetime;
mod removal;

mod proofs;
#[cfg(test)]
mod samples;

pub use lifetime::Lifetimes;

use serde_json::json;
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Intent, Reversibility, StepClass,
};

use crate::contain::suspension;
use crate::disposition::disposition;
use crate::rules::SESSIONS_END;
use removal::Removal;

/// The target of the session cut that comes while sign-in is blocked and the account still exists.
pub const SESSIONS_BEFORE: &str = "before_deactivation";
/// The target of the session cut after the final state.
pub const SESSIONS_AFTER: &str = "after_deactivation";
/// The target of the session cut of an account that is only disabled.
pub const SESSIONS_SUSPENDED: &str = "after_suspension";

/// Plans what is to become of everything that was read.
///
/// Each entitlement but the account has exactly one step that ends it or stands for it.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    lifetimes: &Lifetimes,
) -> Vec<PlannedStep> {
    if reading.account_state == AccountState::Absent {
        return Vec::new();
    }
    let mut plan = Plan {
        intent,
        binding,
        reading,
        lifetimes,
        steps: Vec::new(),
    };
    plan.open();
    let gate = plan.credentials_and_roles();
    plan.memberships_and_enrolments(&gate);
    plan.stand_ins();
    if intent == Intent::Remove {
        plan.end();
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
    /// Somebody may have lifted the suspension since; and a disabled account that cannot be suspended
    /// needs a person.
    fn open(&mut self) {
        if self.reading.account_state != AccountState::Live {
            return;
        }
        let state = &self.reading.provider_state;
        if let Some(step) = suspension(self.binding, &self.account_key(), state) {
            self.steps.push(step);
        } else if self.intent == Intent::Disable {
            let reason = format!(
                "Okta suspends an active account only, and this one is {state}: ask for its removal, or \
                    bring it to ACTIVE"
            );
            let step = self.step(
                Action::Leave,
                StepClass::Contain,
                EntitlementKind::Account,
                self.account_key(),
            );
            self.steps.push(PlannedStep {
                disposition: Disposition::Blocked { reason },
                ..step
            });
        }
    }

    /// What works without signing in, and power; returns what the next wave waits for.
    fn credentials_and_roles(&mut self) -> Vec<usize> {
        let opening: Vec<usize> = (0..self.steps.len())
            .filter(|at| self.steps[*at].action != Action::Leave)
            .collect();
        let mut gate = opening.clone();
        let deactivated = self.reading.account_state == AccountState::Deactivated;
        match (self.intent, deactivated) {
            // The cut after the final state is this one: the final state is there already.
            (Intent::Remove, true) => {}
            (Intent::Remove, false) => gate = vec![self.cut_sessions(SESSIONS_BEFORE, &opening)],
            (Intent::Disable, false) => {
                gate = vec![self.cut_sessions(SESSIONS_SUSPENDED, &opening)]
            }
            (Intent::Disable, true) => gate = vec![self.cut_sessions(SESSIONS_AFTER, &opening)],
        }
        for kind in [
            EntitlementKind::Token,
            EntitlementKind::Grant,
            EntitlementKind::ApiToken,
        ] {
            self.remove_all(kind, &opening);
        }
        gate.extend(self.remove_all(EntitlementKind::Role, &opening));
        gate
    }

    fn memberships_and_enrolments(&mut self, gate: &[usize]) {
        let mut groups = self.remove_all(EntitlementKind::Group, gate);
        for kind in [
            EntitlementKind::Factor,
            EntitlementKind::Device,
            EntitlementKind::IdentityLink,
        ] {
            self.remove_all(kind, gate);
        }
        if groups.is_empty() {
            groups = gate.to_vec();
        }
        self.remove_all(EntitlementKind::AppAssignment, &groups);
    }

    /// One step for each entitlement that no call of ours ends.
    fn stand_ins(&mut self) {
        let left: Vec<PlannedStep> = self
            .reading
            .entitlements()
            .filter(|entitlement| entitlement.kind != EntitlementKind::Account)
            .filter(|entitlement| self.removal(entitlement).is_none())
            .map(|entitlement| {
                let disposition = disposition(self.intent, self.reading.account_state, entitlement);
                let (grade, rule) = match &disposition {
                    Disposition::Inert { rule } => (Grade::Implied, Some(rule.clone())),
                    Disposition::MustGo
                    | Disposition::Blocked { .. }
                    | Disposition::Manual { .. } => (Grade::Read, None),
                };
                PlannedStep {
                    privileged: entitlement.privileged,
                    grade,
                    rule,
                    disposition,
                    ..self.step(
                        Action::Leave,
                        StepClass::Revoke,
                        entitlement.kind,
                        entitlement.provider_key.clone(),
                    )
                }
            })
            .collect();
        self.steps.extend(left);
    }

    /// The deactivation after everything it is not to overtake, and sessions once more.
    fn end(&mut self) {
        let mut needs = Vec::new();
        if self.reading.account_state != AccountState::Deactivated {
            let everything = (0..self.steps.len())
                .filter(|at| !matches!(self.steps[*at].action, Action::Leave | Action::UnassignApp))
                .collect();
            let step = self.step(
                Action::DeactivateAccount,
                StepClass::Final,
                EntitlementKind::Account,
                self.account_key(),
            );
            needs.push(self.steps.len());
            self.steps.push(PlannedStep {
                reversibility: Reversibility::Reversible,
                needs: everything,
                ..step
            });
        }
        self.cut_sessions(SESSIONS_AFTER, &needs);
    }

    fn cut_sessions(&mut self, target: &str, needs: &[usize]) -> usize {
        let blocked = !needs.is_empty() || self.reading.account_state.sign_in_blocked();
        let step = self.step(
            Action::RevokeSessions,
            StepClass::CutSessions,
            EntitlementKind::Session,
            target.to_owned(),
        );
        self.steps.push(PlannedStep {
            // Whoever may sign in can begin a session again.
            reversibility: Reversibility::Reversible,
            grade: Grade::Implied,
            rule: Some(SESSIONS_END.to_owned()),
            // A cut that comes while somebody can still sign in proves nothing.
            facts: json!({ "sign_in_blocked": blocked }),
            needs: needs.to_vec(),
            ..step
        });
        self.steps.len() - 1
    }

    /// Plans the removal of a family; returns the steps that end its entitlements.
    fn remove_all(&mut self, kind: EntitlementKind, needs: &[usize]) -> Vec<usize> {
        let mut ending = Vec::new();
        for entitlement in self.reading.of(kind) {
            let Some(removal) = self.removal(entitlement) else {
                continue;
            };
            let mut needs = needs.to_vec();
            for (action, reversibility) in removal.actions() {
                let step = self.step(
                    action,
                    removal.class,
                    kind,
                    entitlement.provider_key.clone(),
                );
                let position = self.steps.len();
                self.steps.push(PlannedStep {
                    privileged: entitlement.privileged,
                    reversibility,
                    residual_s: self.residual_s(entitlement),
                    needs: std::mem::replace(&mut needs, vec![position]),
                    ..step
                });
            }
            ending.extend(needs);
        }
        ending
    }

    fn removal(&self, entitlement: &sever_domain::entitlement::Entitlement) -> Option<Removal> {
        let disposition = disposition(self.intent, self.reading.account_state, entitlement);
        (disposition == Disposition::MustGo)
            .then(|| Removal::of(entitlement))
            .flatten()
    }

    /// How long access tokens may outlast their client's revocation. A consent counts only where its
    /// client holds no listed tokens, which would count already.
    fn residual_s(&self, entitlement: &sever_domain::entitlement::Entitlement) -> Option<i64> {
        let counts = match entitlement.kind {
            EntitlementKind::Token => true,
            EntitlementKind::Grant => !self
                .reading
                .of(EntitlementKind::Token)
                .iter()
                .any(|token| token.provider_key == entitlement.provider_key),
            _ => false,
        };
        counts.then(|| self.lifetimes.residual_s(&entitlement.facts["issuers"]))
    }

    fn step(
        &self,
        action: Action,
        class: StepClass,
        target_kind: EntitlementKind,
        target_key: String,
    ) -> PlannedStep {
        PlannedStep {
            binding: self.binding,
            action,
            class,
            target_kind,
            target_key,
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

    fn account_key(&self) -> String {
        self.reading
            .of(EntitlementKind::Account)
            .first()
            .map(|account| account.provider_key.clone())
            .unwrap_or_default()
    }
}
