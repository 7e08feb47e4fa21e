//! The [`Connector`] for integrations of one Vanta tenant.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, BlastRadius, CallError, Capability, Connector, Effect, FoundAccount, Undo,
};

use super::{apply, capabilities, disposition, families, find, inspect, plan, rules};
use crate::people;
use crate::tenant::Tenant;

/// Integrations of one Vanta tenant, as the worker sees them. Made by [`crate::VantaFactory`].
#[derive(Debug)]
pub struct VantaIntegrations {
    pub(crate) tenant: Arc<Tenant>,
    /// How long a token of an API application may work on, in seconds.
    pub(crate) residual_s: i64,
}

impl Rules for VantaIntegrations {
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

impl Connector for VantaIntegrations {
    fn capabilities() -> &'static [Capability] {
        capabilities::INTEGRATIONS
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::ALL
    }

    async fn canary(&self) -> Result<(), CallError> {
        people::canary(&self.tenant).await
    }

    /// The application that Sever itself manages Vanta with.
    async fn own_account(&self) -> Result<Option<String>, CallError> {
        Ok(Some(self.tenant.own_client_id().to_owned()))
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        find::find_by_id(&self.tenant, provider_id).await
    }

    /// Nothing: no call of Vanta's disables an integration.
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
        Ok(match step.action {
            Action::DisableIntegration | Action::Leave => Undo::Impossible {
                reason: "an administrator connects the integration, or makes the API application, anew in Vanta"
                    .to_owned(),
            },
            Action::DeleteResource => Undo::Impossible {
                reason: "the connector's next push brings the rows back".to_owned(),
            },
            _ => Undo::Nothing,
        })
    }

    /// Vanta watches: nobody signs in anywhere through an integration of it.
    async fn blast_radius(
        &self,
        _provider_id: &str,
        _reading: &AccountReading,
    ) -> Result<BlastRadius, CallError> {
        Ok(BlastRadius {
            people: 0,
            groups: 0,
            applications: 0,
            complete: true,
            last_sign_in_path: false,
        })
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        apply::apply(&self.tenant, effect).await
    }

    fn calls_per_s(&self) -> f64 {
        self.tenant.calls_per_s
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.tenant.blocked_for()
    }
}
