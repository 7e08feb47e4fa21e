//! The [`Connector`] of one Okta org.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::identity::PersonAttributes;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, CallError, Capability, Connector, Effect, FoundAccount, InventoryPage,
    LogQuestion, Provenance, Undo,
};
use tokio::sync::OnceCell;

use crate::org::Org;
use crate::plan::Lifetimes;
use crate::{
    account, apply, capabilities, contain, disposition, families, inspect, inventory, plan,
    provenance, rules, undo,
};

/// One Okta org, as the worker sees it. Made by [`crate::OktaFactory`].
#[derive(Debug)]
pub struct OktaConnector {
    pub(crate) org: Arc<Org>,
    pub(crate) lifetimes: Lifetimes,
    /// A token's owner does not change, so it is asked for once.
    pub(crate) owner: OnceCell<Option<String>>,
}

impl Rules for OktaConnector {
    fn implied(&self) -> &[ImpliedRule] {
        rules::IMPLIED
    }

    fn implied_by_hand(&self) -> &[ImpliedRule] {
        rules::IMPLIED_BY_HAND
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

impl Connector for OktaConnector {
    fn capabilities() -> &'static [Capability] {
        capabilities::PEOPLE
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::ALL
    }

    async fn canary(&self) -> Result<(), CallError> {
        account::canary(&self.org).await
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        if !self.org.credential.has_owner() {
            return Ok(None);
        }
        self.owner
            .get_or_try_init(|| account::token_owner(&self.org))
            .await
            .cloned()
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        account::find_by_id(&self.org, provider_id).await
    }

    async fn find_by_login(&self, person: &PersonAttributes) -> Result<Vec<Account>, CallError> {
        account::find_by_login(&self.org, person).await
    }

    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep> {
        contain::suspension(binding, &account.provider_id, &account.provider_state)
            .into_iter()
            .collect()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        // Eleven reads side by side make a large future; one allocation keeps it off the job's own.
        Box::pin(inspect::inspect(&self.org, provider_id)).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        plan::plan(intent, binding, reading, &self.lifetimes)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        undo::undo(&self.org, step, pre_image).await
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        apply::apply(&self.org, effect).await
    }

    async fn inventory_page(
        &self,
        cursor: Option<&serde_json::Value>,
    ) -> Result<InventoryPage, CallError> {
        Box::pin(inventory::page(&self.org, cursor)).await
    }

    async fn provenance(&self, question: LogQuestion<'_>) -> Result<Provenance, CallError> {
        let (target, since) = (question.provider_id, question.since);
        Box::pin(provenance::of(&self.org, target, since)).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.org.http.blocked_for()
    }
}
