//! The [`Connector`] of one SCIM application.

use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::identity::PersonAttributes;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, CallError, Capability, Connector, Effect, FoundAccount, InventoryPage, Undo,
};

use crate::app::App;
use crate::plan::End;
use crate::{
    account, apply, capabilities, disposition, families, inspect, inventory, lookup, plan, rules,
    step, undo,
};

/// One SCIM application, as the worker sees it. Made by [`crate::ScimFactory`].
#[derive(Debug)]
pub struct ScimConnector {
    pub(crate) app: App,
    /// How long a session of the application may outlast its account, skew included.
    pub(crate) session_residual_s: i64,
}

impl Rules for ScimConnector {
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

impl Connector for ScimConnector {
    fn capabilities() -> &'static [Capability] {
        capabilities::PEOPLE
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::ALL
    }

    async fn canary(&self) -> Result<(), CallError> {
        account::canary(&self.app).await
    }

    /// A token of an application belongs to no account that SCIM names.
    async fn own_account(&self) -> Result<Option<String>, CallError> {
        Ok(None)
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        account::find_by_id(&self.app, provider_id).await
    }

    async fn find_by_login(&self, person: &PersonAttributes) -> Result<Vec<Account>, CallError> {
        lookup::find_by_login(&self.app, person).await
    }

    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep> {
        let live = account.state == AccountState::Live;
        live.then(|| step::deactivation(binding, &account.provider_id))
            .into_iter()
            .collect()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        Box::pin(inspect::inspect(&self.app, provider_id)).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        let end = End::at(&self.app);
        plan::plan(intent, binding, reading, end, self.session_residual_s)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        undo::undo(&self.app, step, pre_image).await
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        Box::pin(apply::apply(&self.app, effect)).await
    }

    async fn inventory_page(
        &self,
        cursor: Option<&serde_json::Value>,
    ) -> Result<InventoryPage, CallError> {
        Box::pin(inventory::page(&self.app, cursor)).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.app.http.blocked_for()
    }
}
