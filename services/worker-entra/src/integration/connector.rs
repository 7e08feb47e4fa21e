//! The [`Connector`] of integrations.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, BlastRadius, CallError, Capability, Connector, Effect, FoundAccount, Undo,
};
use tokio::sync::OnceCell;

use super::{affected, disposition, inspect, plan, principal};
use crate::connector::CALLS_PER_S;
use crate::plan::Lifetime;
use crate::tenant::Tenant;
use crate::{account, apply, capabilities, families, rules, undo};

/// The enterprise applications of one Entra tenant. Made by [`crate::EntraFactory`].
#[derive(Debug)]
pub struct EntraIntegrations {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) lifetime: Lifetime,
    /// The service principal that we call as does not change, so it is asked for once.
    pub(crate) own: OnceCell<Option<String>>,
}

impl Rules for EntraIntegrations {
    fn implied(&self) -> &[ImpliedRule] {
        rules::INTEGRATIONS
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

impl Connector for EntraIntegrations {
    fn capabilities() -> &'static [Capability] {
        capabilities::INTEGRATIONS
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::INTEGRATIONS
    }

    async fn canary(&self) -> Result<(), CallError> {
        account::canary(&self.tenant).await
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        self.own
            .get_or_try_init(|| principal::own(&self.tenant))
            .await
            .cloned()
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        principal::find_by_id(&self.tenant, provider_id).await
    }

    /// Nothing is disabled before it is known whom it serves: the plan begins with it.
    fn contain(&self, _: BindingId, _: &Account) -> Vec<PlannedStep> {
        Vec::new()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        Box::pin(inspect::inspect(&self.tenant, provider_id)).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        plan::plan(intent, binding, reading, self.lifetime)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        undo::undo(&self.tenant, step, pre_image).await
    }

    async fn blast_radius(
        &self,
        _: &str,
        reading: &AccountReading,
    ) -> Result<BlastRadius, CallError> {
        affected::count(&self.tenant, reading).await
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        Box::pin(apply::apply(&self.tenant, effect)).await
    }

    fn calls_per_s(&self) -> f64 {
        CALLS_PER_S
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.tenant.blocked_for()
    }
}
