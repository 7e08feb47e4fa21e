//! The [`Connector`] of people.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::identity::PersonAttributes;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, CallError, Capability, Changes, Connector, Effect, FoundAccount,
    InventoryPage, LogQuestion, Provenance, Undo,
};

use crate::disposition::Policy;
use crate::plan::Lifetime;
use crate::tenant::Tenant;
use crate::{
    account, apply, capabilities, contain, disposition, families, inspect, inventory, plan,
    provenance, rules, undo,
};

/// Calls per second that the smallest tenant's resource units allow (3,500 in 10 s, two a call on average).
pub(crate) const CALLS_PER_S: f64 = 175.0;

/// The users of one Entra tenant, as the worker sees them. Made by [`crate::EntraFactory`].
#[derive(Debug)]
pub struct EntraPeople {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) lifetime: Lifetime,
}

impl EntraPeople {
    fn policy(&self) -> Policy {
        Policy {
            keep_factors: self.tenant.keep_factors,
        }
    }
}

impl Rules for EntraPeople {
    fn implied(&self) -> &[ImpliedRule] {
        rules::PEOPLE
    }

    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition {
        disposition::disposition(self.policy(), intent, account, entitlement)
    }
}

impl Connector for EntraPeople {
    fn capabilities() -> &'static [Capability] {
        capabilities::PEOPLE
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::PEOPLE
    }

    async fn canary(&self) -> Result<(), CallError> {
        account::canary(&self.tenant).await
    }

    /// An application calls, which is nobody's account.
    async fn own_account(&self) -> Result<Option<String>, CallError> {
        Ok(None)
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        account::find_by_id(&self.tenant, provider_id).await
    }

    async fn find_by_login(&self, person: &PersonAttributes) -> Result<Vec<Account>, CallError> {
        account::find_by_login(&self.tenant, person).await
    }

    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep> {
        contain::disabling(binding, &account.provider_id, account.state)
            .into_iter()
            .collect()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        // Many reads side by side make a large future; one allocation keeps it off the job's own.
        Box::pin(inspect::inspect(&self.tenant, provider_id)).await
    }

    async fn look_before_deletion(
        &self,
        provider_id: &str,
    ) -> Result<Option<AccountReading>, CallError> {
        Box::pin(inspect::look(&self.tenant, provider_id)).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        plan::plan(self.policy(), intent, binding, reading, self.lifetime)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        undo::undo(&self.tenant, step, pre_image).await
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        Box::pin(apply::apply(&self.tenant, effect)).await
    }

    fn read_closely(&self) -> &'static [EntitlementKind] {
        inventory::CLOSELY
    }

    async fn inventory_page(
        &self,
        cursor: Option<&serde_json::Value>,
    ) -> Result<InventoryPage, CallError> {
        Box::pin(inventory::page(&self.tenant, cursor)).await
    }

    /// Of users and of applications alike: the log is the tenant's.
    async fn provenance(&self, question: LogQuestion<'_>) -> Result<Provenance, CallError> {
        Box::pin(provenance::of(&self.tenant, question)).await
    }

    async fn changes_mark(&self) -> Result<Option<serde_json::Value>, CallError> {
        inventory::mark(&self.tenant).await
    }

    async fn changes_since(&self, mark: &serde_json::Value) -> Result<Changes, CallError> {
        inventory::since(&self.tenant, mark).await
    }

    fn calls_per_s(&self) -> f64 {
        CALLS_PER_S
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.tenant.blocked_for()
    }
}
