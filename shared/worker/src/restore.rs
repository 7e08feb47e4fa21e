//! The restore: the inverse of what an opt-out took, from the pre-image, verified by a fresh read.

use std::collections::HashSet;

use serde_json::{Value, json};
use sever_domain::identity::BindingState;
use sever_domain::plan::{Disposition, KNOWN_BY, ManualTask, PlannedStep};
use sever_domain::seen::{Seen, seen};
use sever_domain::{
    AccountState, Action, EntitlementKind, Grade, HoldPolicy, HoldReason, Reversibility, StepClass,
    StepEvent, StepState,
};
use sever_provider::{Connector, Undo};
use sever_store::job::{
    self, HoldRequest, InspectionPurpose, NewInspection, Settlement, StepVerdict, Verification,
};

use crate::close::TASK_RECHECK;
use crate::epoch::{End, Epoch, KnownAccount};
use crate::steps::Working;

/// Who approves that a privileged entitlement comes back.
const APPROVER: &str = "security";
/// Why nothing comes back to an account that does not exist.
const ACCOUNT_GONE: &str =
    "its account does not exist any more: a new one would be another account";
/// Seconds until such an approval is overdue.
const APPROVAL_DUE_S: i64 = 86_400;

impl<C: Connector> Epoch<'_, C> {
    /// Gives back what can be given back.
    pub(crate) async fn restore(&mut self) -> Result<Settlement, End> {
        self.take_confirmed_accounts();
        if self.revision < 1 {
            self.open_restore().await?;
        } else if self.steps.any_unknown() {
            self.find_out().await?;
        }
        self.waves().await?;
        self.close_restore().await
    }

    /// Nothing is looked for: only what the opt-out touched comes back.
    fn take_confirmed_accounts(&mut self) {
        let confirmed = self
            .claimed
            .bindings
            .iter()
            .filter(|binding| binding.state == BindingState::Confirmed);
        self.accounts = confirmed
            .map(|binding| KnownAccount {
                binding: binding.id,
                provider_id: binding.provider_id.clone(),
                absent: false,
            })
            .collect();
    }

    async fn open_restore(&mut self) -> Result<(), End> {
        let taken = job::restorable(&self.context.store, self.claimed.lease.job).await?;
        let inspection = self.inspect(InspectionPurpose::Opening).await?;
        let mut way_back = WayBack::default();
        for taken in &taken {
            self.may_call()?;
            let undo = self
                .connector()
                .undo(&taken.step, taken.pre_image.as_ref())
                .await
                .map_err(|error| self.read_failed(&error))?;
            way_back.add(&taken.step, undo, &inspection);
        }
        self.note_inspection(inspection, Vec::new());
        self.store_plan(1, way_back.plan(), None).await
    }

    /// Reads everything once more. What is blocked could not come back, and stays said so.
    async fn close_restore(&mut self) -> Result<Settlement, End> {
        if let Some(wait) = self.too_early() {
            return Ok(wait);
        }
        let inspection = self.inspect(InspectionPurpose::Closing).await?;
        let mut verifications = Vec::new();
        for working in &mut self.steps.list {
            let read = inspection
                .accounts
                .iter()
                .find(|account| account.binding == working.step.planned.binding);
            if let Some(account) = read.filter(|_| working.is_call()) {
                let seen = seen(&working.step.planned, &account.reading);
                verifications.push(judge(working, seen, &inspection));
            }
        }
        self.note_inspection(inspection, verifications);
        let missing: Vec<Value> = self
            .steps
            .list
            .iter()
            .filter(|working| working.is_call() && missing(working))
            .map(|working| {
                let planned = &working.step.planned;
                json!([planned.target_kind, planned.target_key])
            })
            .collect();
        if !missing.is_empty() {
            return Ok(self.not_back(missing));
        }
        if self
            .steps
            .list
            .iter()
            .any(|working| working.state.waits_for_person())
        {
            return Ok(Settlement::Wait {
                why: "task",
                after: TASK_RECHECK,
            });
        }
        Ok(Settlement::Done)
    }

    /// Within the consistency deadline a contrary read is not believed; after it a person must look.
    fn not_back(&self, missing: Vec<Value>) -> Settlement {
        self.wait_for_consistency().unwrap_or_else(|| {
            Settlement::Held(HoldRequest {
                reason: HoldReason::Blocked,
                policy: HoldPolicy::Nothing,
                on_opt_out: false,
                detail: json!({"not_back": missing}),
            })
        })
    }
}

/// Answered, sent or refused, and a read does not show it.
const fn missing(working: &Working) -> bool {
    matches!(
        working.state,
        StepState::Applied | StepState::Applying | StepState::Unknown | StepState::Blocked
    )
}

fn judge(working: &mut Working, seen: Seen, inspection: &NewInspection) -> Verification {
    let verdict = match seen {
        Seen::Done => StepVerdict::There,
        Seen::NotDone => StepVerdict::Gone,
        Seen::Unread => StepVerdict::Unread,
    };
    if seen == Seen::Done && working.state != StepState::Verified {
        working.apply(StepEvent::Proven);
        working.grade = Some(Grade::Read);
        working.verified_at = Some(inspection.started_at);
    }
    Verification {
        step: working.step.id,
        grade: Grade::Read,
        rule: None,
        verdict,
    }
}

/// The steps of a restore as they add up.
#[derive(Debug, Default)]
struct WayBack {
    accounts: Vec<PlannedStep>,
    others: Vec<PlannedStep>,
    impossible: Vec<PlannedStep>,
    known: HashSet<(uuid::Uuid, Action, EntitlementKind, String)>,
}

impl WayBack {
    /// `now` is what was read before anything is given back: to an account that is not there, nothing can be.
    fn add(&mut self, taken: &PlannedStep, undo: Undo, now: &NewInspection) {
        let read = now
            .accounts
            .iter()
            .find(|account| account.binding == taken.binding);
        let is_gone =
            read.is_some_and(|account| account.reading.account_state == AccountState::Absent);
        let step = match undo {
            Undo::Nothing => return,
            Undo::Step(_) if is_gone => stays_away(taken, ACCOUNT_GONE.to_owned()),
            Undo::Step(step) => *step,
            Undo::Impossible { reason } => stays_away(taken, reason),
        };
        let key = (
            step.binding.0,
            step.action,
            step.target_kind,
            step.target_key.clone(),
        );
        if !self.known.insert(key) {
            return;
        }
        if step.action == Action::Leave {
            self.impossible.push(step);
        } else if read.is_some_and(|account| seen(&step, &account.reading) == Seen::Done) {
            // It is back already: somebody else gave it.
        } else if step.target_kind == EntitlementKind::Account {
            self.accounts.push(step);
        } else {
            self.others.push(step);
        }
    }

    /// Accounts first; what is privileged waits for an approval of its own.
    fn plan(self) -> Vec<PlannedStep> {
        let mut steps = self.accounts;
        let accounts = steps.len();
        for mut step in self.others {
            let own_account =
                (0..accounts).filter(|position| steps[*position].binding == step.binding);
            step.needs = own_account.collect();
            if step.privileged {
                step.needs.push(steps.len());
                steps.push(approval(&step));
            }
            steps.push(step);
        }
        steps.extend(self.impossible);
        steps
    }
}

fn stays_away(taken: &PlannedStep, reason: String) -> PlannedStep {
    PlannedStep {
        disposition: Disposition::Blocked { reason },
        ..stand_in(taken)
    }
}

fn approval(step: &PlannedStep) -> PlannedStep {
    let mut facts = step.facts.clone();
    if let Value::Object(facts) = &mut facts {
        facts.remove(KNOWN_BY);
    }
    let task = ManualTask {
        asked_of: APPROVER.to_owned(),
        what: format!(
            "Approve that the account gets its {} back: {} {}",
            step.target_kind, step.target_key, facts
        ),
        link: None,
        evidence: "the reference of the approval".to_owned(),
        due_s: APPROVAL_DUE_S,
    };
    PlannedStep {
        disposition: Disposition::Manual { task },
        ..stand_in(step)
    }
}

fn stand_in(step: &PlannedStep) -> PlannedStep {
    PlannedStep {
        action: Action::Leave,
        class: StepClass::Revoke,
        reversibility: Reversibility::Reversible,
        grade: Grade::Attested,
        rule: None,
        residual_s: None,
        needs: Vec::new(),
        ..step.clone()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use sever_domain::BindingId;
    use sever_domain::entitlement::AccountReading;
    use sever_store::job::ReadAccount;

    pub(crate) fn step(
        action: Action,
        target_kind: EntitlementKind,
        target_key: &str,
    ) -> PlannedStep {
        PlannedStep {
            binding: BindingId::generate(),
            action,
            class: StepClass::Revoke,
            target_kind,
            target_key: target_key.to_owned(),
            privileged: false,
            reversibility: Reversibility::Reversible,
            grade: Grade::Read,
            rule: None,
            disposition: Disposition::MustGo,
            residual_s: None,
            needs: vec![],
            facts: json!({}),
        }
    }

    #[test]
    fn nothing_is_promised_to_an_account_that_does_not_exist() {
        let suspended = step(Action::SuspendAccount, EntitlementKind::Account, "u");
        let taken = PlannedStep {
            binding: suspended.binding,
            ..step(Action::RemoveFromGroup, EntitlementKind::Group, "g")
        };
        let given = |action, of: &PlannedStep| {
            Undo::Step(Box::new(PlannedStep {
                action,
                ..of.clone()
            }))
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let read = |state| NewInspection {
            purpose: InspectionPurpose::Opening,
            started_at: now,
            ended_at: now,
            accounts: vec![ReadAccount {
                binding: taken.binding,
                reading: AccountReading {
                    account_state: state,
                    ..AccountReading::absent(&[])
                },
            }],
            proofs: Vec::new(),
        };
        let planned = |state| {
            let mut way_back = WayBack::default();
            let now = read(state);
            way_back.add(
                &suspended,
                given(Action::ReinstateAccount, &suspended),
                &now,
            );
            way_back.add(&taken, given(Action::AddToGroup, &taken), &now);
            let plan = way_back.plan();
            let blocked =
                |step: &&PlannedStep| matches!(step.disposition, Disposition::Blocked { .. });
            (plan.len(), plan.iter().filter(blocked).count())
        };
        assert_eq!(planned(AccountState::Absent), (2, 2));
        assert_eq!(planned(AccountState::Deactivated), (2, 0));
    }

    #[test]
    fn accounts_come_first_and_privilege_waits_for_its_own_approval() {
        let account = step(Action::ReinstateAccount, EntitlementKind::Account, "u");
        let role = PlannedStep {
            binding: account.binding,
            privileged: true,
            ..step(Action::GrantRole, EntitlementKind::Role, "r")
        };
        let group = PlannedStep {
            binding: account.binding,
            ..step(Action::AddToGroup, EntitlementKind::Group, "g")
        };
        let way_back = WayBack {
            accounts: vec![account],
            others: vec![role, group],
            ..WayBack::default()
        };
        let plan = way_back.plan();
        sever_domain::plan::check(&plan).unwrap();
        let actions: Vec<Action> = plan.iter().map(|step| step.action).collect();
        assert_eq!(
            actions,
            [
                Action::ReinstateAccount,
                Action::Leave,
                Action::GrantRole,
                Action::AddToGroup
            ]
        );
        assert!(matches!(plan[1].disposition, Disposition::Manual { .. }));
        assert_eq!(plan[2].needs, [0, 1]);
        assert_eq!(plan[3].needs, [0]);
    }
}
