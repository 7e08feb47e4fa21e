//! The [`Connector`] for people of one Vanta tenant.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::identity::PersonAttributes;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, CallError, Capability, Connector, Effect, FoundAccount, InventoryPage, Undo,
};

use super::{apply, capabilities, disposition, families, find, inspect, plan, rules, undo};
use crate::inventory::{self, Logins};
use crate::tenant::Tenant;

/// People of one Vanta tenant, as the worker sees them. Made by [`crate::VantaFactory`].
#[derive(Debug)]
pub struct VantaPeople {
    pub(crate) tenant: Arc<Tenant>,
    /// How long a session of a deactivated login may work on, in seconds.
    pub(crate) residual_s: i64,
    /// Who signs in, while an inventory reads the people.
    pub(crate) logins: Logins,
}

impl Rules for VantaPeople {
    fn implied(&self) -> &[ImpliedRule] {
        rules::IMPLIED
    }

    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition {
        disposition::disposition(intent, account, entitlement)
    }
}

impl Connector for VantaPeople {
    fn capabilities() -> &'static [Capability] {
        capabilities::PEOPLE
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::ALL
    }

    async fn canary(&self) -> Result<(), CallError> {
        find::canary(&self.tenant).await
    }

    /// Whoever acknowledges offboardings: without them no other person could be offboarded.
    async fn own_account(&self) -> Result<Option<String>, CallError> {
        Ok(Some(self.tenant.acknowledger.clone()))
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        find::find_by_id(&self.tenant, provider_id).await
    }

    async fn find_by_login(&self, person: &PersonAttributes) -> Result<Vec<Account>, CallError> {
        find::find_by_login(&self.tenant, person).await
    }

    /// Nothing: no call of Vanta's blocks a login reversibly.
    fn contain(&self, _binding: BindingId, _account: &Account) -> Vec<PlannedStep> {
        Vec::new()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        inspect::inspect(&self.tenant, provider_id).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        plan::plan(intent, binding, reading, self.residual_s)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        _pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        Ok(undo::undo(step))
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        apply::apply(&self.tenant, effect).await
    }

    fn calls_per_s(&self) -> f64 {
        self.tenant.calls_per_s
    }

    async fn inventory_page(
        &self,
        cursor: Option<&serde_json::Value>,
    ) -> Result<InventoryPage, CallError> {
        Box::pin(inventory::page(&self.tenant, &self.logins, cursor)).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.tenant.blocked_for()
    }
}
