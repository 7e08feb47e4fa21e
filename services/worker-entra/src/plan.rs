//! The plan of a person: from a reading to a graph of steps.
//!
//! Waves of a removal: disabling (of an administrator after the roles, before which it is refused) and privileges; sessions;
//! then memberships, ownerships, applications, grants, licences, methods and devices; the deletion last, because a deleted
//! user's edges can no longer be listed. Azure roles go before the deletion, after which they would be orphans.

mod lifetime;

mod proofs;

pub use lifetime::Lifetime;

use serde_json::json;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyResult};
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind as Kind, Grade, Intent, Reversibility,
    StepClass,
};

use crate::contain::disabling;
use crate::disposition::{Policy, disposition};
use crate::rules::{DELETED_USER, SESSIONS_END};
use crate::steps::{stand_in, step};

/// The target of the session cut that comes once sign-in is blocked.
pub const SESSIONS: &str = "after_disabling";
/// The target that stands for the sessions of a user who was deleted before.
pub const SESSIONS_OF_DELETED: &str = "before_deletion";
/// For how many days a deleted user can be restored.
pub const RESTORABLE_DAYS: u16 = 30;
/// The fact of a step that comes after the roles which made its account an administrator.
pub const AFTER_ROLES: &str = "after_roles";
/// Seconds until a task at the local directory is overdue.
const TASK_DUE_S: i64 = 86_400;

/// Plans what is to become of everything that was read.
///
/// Each entitlement but the account has exactly one step that ends it or stands for it.
#[must_use]
pub fn plan(
    policy: Policy,
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    lifetime: Lifetime,
) -> Vec<PlannedStep> {
    if reading.account_state == AccountState::Absent {
        return Vec::new();
    }
    let mut plan = Plan {
        policy,
        intent,
        binding,
        reading,
        lifetime,
        steps: Vec::new(),
    };
    let privileges = plan.privileges();
    let gate = plan.block(privileges);
    plan.rest(&gate);
    plan.stand_ins();
    if intent == Intent::Remove {
        plan.end();
    }
    plan.steps
}

/// By which action an entitlement that must go is ended, and whether it can be taken back.
#[must_use]
pub fn removal(held: &Entitlement) -> Option<(Action, Reversibility)> {
    use Reversibility::{OneWay, Reversible};
    Some(match held.kind {
        Kind::Role => (Action::RevokeRole, Reversible),
        Kind::EligibleRole => (Action::RevokeEligibleRole, Reversible),
        Kind::ResourceRole => (Action::RevokeResourceRole, Reversible),
        Kind::Group => (Action::RemoveFromGroup, Reversible),
        Kind::Ownership => (Action::RemoveOwnership, Reversible),
        Kind::AppAssignment => (Action::UnassignApp, Reversible),
        Kind::Grant => (Action::RevokeGrants, Reversible),
        Kind::Licence => (Action::RevokeLicence, Reversible),
        Kind::Factor => (Action::RemoveFactor, OneWay),
        Kind::Device => (Action::DeactivateDevice, Reversible),
        _ => return None,
    })
}

struct Plan<'a> {
    policy: Policy,
    intent: Intent,
    binding: BindingId,
    reading: &'a AccountReading,
    lifetime: Lifetime,
    steps: Vec<PlannedStep>,
}

impl Plan<'_> {
    /// Roles, what can be activated, Azure roles, and whatever else is privileged.
    fn privileges(&mut self) -> Vec<usize> {
        let mut privileges = Vec::new();
        for kind in [Kind::Role, Kind::EligibleRole, Kind::ResourceRole] {
            privileges.extend(self.remove(kind, &[], |_| true));
        }
        for kind in [Kind::Group, Kind::Ownership] {
            privileges.extend(self.remove(kind, &[], |held| held.privileged));
        }
        privileges
    }

    /// The block and the session cut; returns what the rest waits for.
    fn block(&mut self, privileges: Vec<usize>) -> Vec<usize> {
        let mut gate = privileges;
        if let Some(disabling) = disabling(
            self.binding,
            &self.account_key(),
            self.reading.account_state,
        ) {
            // Graph protects administrators from callers without a stronger role: what makes them one goes first.
            let needs: Vec<usize> = gate
                .iter()
                .copied()
                .filter(|at| makes_administrator(&self.steps[*at]))
                .collect();
            gate.push(self.push(PlannedStep {
                facts: json!({ AFTER_ROLES: !needs.is_empty() }),
                needs,
                ..disabling
            }));
        }
        if self.reading.account_state == AccountState::Deactivated {
            self.stand_for_sessions();
            return gate;
        }
        let blocking = self
            .steps
            .iter()
            .position(|step| step.action == Action::SuspendAccount);
        let cut = step(
            self.binding,
            Action::RevokeSessions,
            StepClass::CutSessions,
            Kind::Session,
            SESSIONS,
        );
        let cut = self.push(PlannedStep {
            // Whoever may sign in can begin a session again.
            reversibility: Reversibility::Reversible,
            grade: Grade::Implied,
            rule: Some(SESSIONS_END.to_owned()),
            residual_s: Some(self.lifetime.residual_s()),
            needs: blocking.into_iter().collect(),
            ..cut
        });
        gate.push(cut);
        gate
    }

    /// No call ends the sessions of a deleted user, and tokens that were issued before may still work.
    fn stand_for_sessions(&mut self) {
        let plain = step(
            self.binding,
            Action::Leave,
            StepClass::CutSessions,
            Kind::Session,
            SESSIONS_OF_DELETED,
        );
        self.push(PlannedStep {
            grade: Grade::Implied,
            rule: Some(DELETED_USER.to_owned()),
            residual_s: Some(self.lifetime.residual_s()),
            ..plain
        });
    }

    fn rest(&mut self, gate: &[usize]) {
        for kind in [Kind::Group, Kind::Ownership] {
            self.remove(kind, gate, |held| !held.privileged);
        }
        for kind in [
            Kind::AppAssignment,
            Kind::Grant,
            Kind::Licence,
            Kind::Factor,
            Kind::Device,
        ] {
            self.remove(kind, gate, |_| true);
        }
    }

    /// Plans the removal of those of a family that `wanted` names; returns the steps.
    fn remove(
        &mut self,
        kind: Kind,
        needs: &[usize],
        wanted: impl Fn(&Entitlement) -> bool,
    ) -> Vec<usize> {
        let mut ending = Vec::new();
        for held in self.reading.of(kind).iter().filter(|held| wanted(held)) {
            let Some((action, reversibility)) = self.removal(held) else {
                continue;
            };
            let plain = step(
                self.binding,
                action,
                StepClass::Revoke,
                kind,
                &held.provider_key,
            );
            ending.push(self.push(PlannedStep {
                privileged: held.privileged,
                reversibility,
                needs: needs.to_vec(),
                facts: held.facts.clone(),
                ..plain
            }));
        }
        ending
    }

    /// One step for each entitlement that no call of ours ends.
    fn stand_ins(&mut self) {
        let left: Vec<PlannedStep> = self
            .reading
            .entitlements()
            .filter(|held| held.kind != Kind::Account && self.removal(held).is_none())
            .map(|held| stand_in(self.binding, held, self.disposition(held)))
            .collect();
        self.steps.extend(left);
    }

    /// The deletion, after everything else; what a local directory owns is deleted there. A family that could not be read
    /// would be hidden by the deletion and come back with a restoration: where its read failed this time the next plan
    /// deletes, and where it may not be read a person sees to that first.
    fn end(&mut self) {
        if self.reading.account_state == AccountState::Deactivated
            || self.unread(FamilyResult::Failed).next().is_some()
        {
            return;
        }
        let key = self.account_key();
        if self.is_synced() {
            let plain = step(
                self.binding,
                Action::Leave,
                StepClass::Final,
                Kind::Account,
                &key,
            );
            self.push(PlannedStep {
                grade: Grade::Attested,
                disposition: Disposition::Manual {
                    task: local_directory_task(),
                },
                ..plain
            });
            return;
        }
        if self.unread(FamilyResult::Forbidden).next().is_some() {
            self.keep(&key);
            return;
        }
        let needs: Vec<usize> = (0..self.steps.len())
            .filter(|at| self.steps[*at].action != Action::Leave)
            .collect();
        let after_roles = needs.iter().any(|at| makes_administrator(&self.steps[*at]));
        let plain = step(
            self.binding,
            Action::DeleteAccount,
            StepClass::Final,
            Kind::Account,
            &key,
        );
        self.push(PlannedStep {
            reversibility: Reversibility::RestorableUntil,
            needs,
            facts: json!({ "restorable_days": RESTORABLE_DAYS, AFTER_ROLES: after_roles }),
            ..plain
        });
    }

    /// The line that says why the account is not deleted.
    fn keep(&mut self, key: &str) {
        let hidden: Vec<&str> = self
            .unread(FamilyResult::Forbidden)
            .map(Kind::as_str)
            .collect();
        let reason = format!(
            "the credential may not read what a deletion would hide and a restoration bring back: {}; grant the permission",
            hidden.join(", ")
        );
        let plain = step(
            self.binding,
            Action::Leave,
            StepClass::Final,
            Kind::Account,
            key,
        );
        self.push(PlannedStep {
            disposition: Disposition::Blocked { reason },
            ..plain
        });
    }

    fn unread(&self, result: FamilyResult) -> impl Iterator<Item = Kind> {
        let families = self.reading.families.iter();
        let unread = families.filter(move |family| family.result == result);
        unread.map(|family| family.family)
    }

    fn removal(&self, held: &Entitlement) -> Option<(Action, Reversibility)> {
        (self.disposition(held) == Disposition::MustGo)
            .then(|| removal(held))
            .flatten()
    }

    fn disposition(&self, held: &Entitlement) -> Disposition {
        disposition(self.policy, self.intent, self.reading.account_state, held)
    }

    fn push(&mut self, step: PlannedStep) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn is_synced(&self) -> bool {
        let account = self.reading.of(Kind::Account).first();
        account.is_some_and(|account| account.facts["synced"] == true)
    }

    fn account_key(&self) -> String {
        let account = self.reading.of(Kind::Account).first();
        account.map_or_else(String::new, |account| account.provider_key.clone())
    }
}

/// Whether the entitlement that a step ends makes its holder an administrator in Graph's eyes.
fn makes_administrator(step: &PlannedStep) -> bool {
    let assignable = step.facts["role_assignable"] == true;
    match step.target_kind {
        Kind::Role => true,
        Kind::Group | Kind::Ownership => assignable,
        _ => false,
    }
}

fn local_directory_task() -> ManualTask {
    ManualTask {
        asked_of: "directory-admin".to_owned(),
        what: "A local directory is the master of this account, which Entra ID shows as synced: disable the account there, \
            end its memberships, and delete it as your rules say. The next sync brings it here."
            .to_owned(),
        link: None,
        evidence: "the change's reference in the local directory".to_owned(),
        due_s: TASK_DUE_S,
    }
}
