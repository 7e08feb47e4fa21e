//! The look before a deletion: what was given after the plan would be hidden by it, unproven, and come back with a restoration.

use serde_json::json;
use sever_domain::entitlement::{AccountReading, FamilyResult};
use sever_domain::latecomer::{Late, late};
use sever_domain::{Action, HoldPolicy, HoldReason};
use sever_provider::Connector;
use sever_store::job::{HoldRequest, InspectionPurpose, Settlement};

use crate::epoch::{End, Epoch};
use crate::trouble;

impl<C: Connector> Epoch<'_, C> {
    /// Whether the plan was overtaken by what the accounts that are about to be deleted were given meanwhile; a further plan
    /// is stored then, and its first wave sent.
    pub(crate) async fn overtaken(&mut self, positions: &[usize]) -> Result<bool, End> {
        let mut late = Late::Nothing;
        for position in positions {
            late = match self.late(*position).await? {
                Late::New => Late::New,
                Late::Again if late == Late::Nothing => Late::Again,
                _ => late,
            };
        }
        match late {
            Late::Nothing => return Ok(false),
            // An old reading, as long as one can be old.
            Late::Again => {
                if let Some(wait) = self.wait_for_consistency() {
                    return Err(End::Settle(wait));
                }
            }
            Late::New => {}
        }
        let given_to: Vec<_> = positions
            .iter()
            .map(|position| &self.steps.list[*position].step.planned)
            .filter(|planned| planned.action == Action::DeleteAccount)
            .map(|planned| json!([planned.target_kind, planned.target_key]))
            .collect();
        if let Some(held) = self.too_many_plans(&given_to) {
            return Err(End::Settle(held));
        }
        tracing::info!(job = %self.claimed.lease.job, opt_out = %self.claimed.opt_out, plan = self.revision, "the account was given something after the plan: it is planned again before the deletion");
        let inspection = self.inspect(InspectionPurpose::Opening).await?;
        self.learn_from(&inspection);
        self.plan_on(inspection).await?;
        Ok(true)
    }

    /// What a look before this step shows; nothing where the step deletes no account.
    async fn late(&mut self, position: usize) -> Result<Late, End> {
        let planned = &self.steps.list[position].step.planned;
        if planned.action != Action::DeleteAccount {
            return Ok(Late::Nothing);
        }
        let binding = planned.binding;
        let of_binding = self.accounts.iter().find(|known| known.binding == binding);
        let Some(id) = of_binding.map(|known| known.provider_id.clone()) else {
            return Ok(Late::Nothing);
        };
        self.may_call()?;
        let look = self.connector().look_before_deletion(&id).await;
        let Some(reading) = look.map_err(|error| self.read_failed(&error))? else {
            return Ok(Late::Nothing);
        };
        self.whole(&reading)?;
        let all = self.steps.list.iter();
        let steps = all
            .filter(|working| working.step.planned.binding == binding)
            .map(|working| (&working.step.planned, working.state));
        Ok(late(self.connector(), self.claimed.intent, &reading, steps))
    }

    /// A deletion would hide what could not be read now: a failure passes, a missing permission is a person's.
    fn whole(&self, reading: &AccountReading) -> Result<(), End> {
        let failed = unread(reading, FamilyResult::Failed);
        if !failed.is_empty() {
            let what = format!(
                "the look before the deletion could not read: {}",
                failed.join(", ")
            );
            let fingerprint = format!("{}:look:retry:unread", self.claimed.provider);
            let (settings, now) = (&self.context.settings, self.clock.now());
            let settled = trouble::retry(what, fingerprint, &self.claimed, settings, now);
            return Err(End::Settle(settled));
        }
        match unread(reading, FamilyResult::Forbidden) {
            forbidden if forbidden.is_empty() => Ok(()),
            forbidden => Err(End::Settle(hidden_by_deletion(&forbidden))),
        }
    }
}

fn unread(reading: &AccountReading, result: FamilyResult) -> Vec<&'static str> {
    let families = reading.families.iter();
    let unread = families.filter(|family| family.result == result);
    unread.map(|family| family.family.as_str()).collect()
}

/// The credential lost a permission after the plan was made.
fn hidden_by_deletion(families: &[&str]) -> Settlement {
    Settlement::Held(HoldRequest {
        reason: HoldReason::Blocked,
        policy: HoldPolicy::Contain,
        on_opt_out: false,
        detail: json!({"may_not_be_read_before_the_deletion": families}),
    })
}
