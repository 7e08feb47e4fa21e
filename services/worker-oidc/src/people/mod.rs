//! The [`Connector`] for people at one OpenID provider.

mod account;
mod apply;
mod disposition;
mod families;
mod inspect;
mod plan;
mod power;
mod rules;
mod standard;
mod undo;

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

use crate::issuer::Issuer;
use crate::lifetimes::Lifetimes;
use crate::registered::Registered;
use crate::{capabilities, inventory};

pub use account::{User, canary, own_client};

/// The families that the standards know.
pub const STANDARD: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Session,
    EntitlementKind::Token,
];
/// The families that Keycloak's administration shows.
pub const KEYCLOAK: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Session,
    EntitlementKind::Token,
    EntitlementKind::Grant,
    EntitlementKind::Role,
    EntitlementKind::Group,
    EntitlementKind::Factor,
    EntitlementKind::IdentityLink,
];

/// The people of one provider, as the worker sees them. Made by [`crate::OidcFactory`].
#[derive(Debug)]
pub struct OidcPeople {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) registered: Registered,
}

impl OidcPeople {
    fn is_keycloak(&self) -> bool {
        self.issuer.realm.is_some()
    }
}

impl Rules for OidcPeople {
    fn implied(&self) -> &[ImpliedRule] {
        match self.is_keycloak() {
            true => rules::KEYCLOAK,
            false => rules::STANDARD,
        }
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

impl Connector for OidcPeople {
    fn capabilities() -> &'static [Capability] {
        capabilities::PEOPLE
    }

    fn families(&self) -> &'static [EntitlementKind] {
        if self.is_keycloak() {
            KEYCLOAK
        } else {
            STANDARD
        }
    }

    async fn canary(&self) -> Result<(), CallError> {
        match self.is_keycloak() {
            true => account::canary(&self.issuer).await,
            false => standard::canary(&self.issuer).await,
        }
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        match self.is_keycloak() {
            true => account::own(&self.issuer).await,
            false => Ok(None),
        }
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        match self.is_keycloak() {
            true => account::find_by_id(&self.issuer, provider_id).await,
            false => Ok(standard::account(provider_id)),
        }
    }

    async fn find_by_login(&self, person: &PersonAttributes) -> Result<Vec<Account>, CallError> {
        match self.is_keycloak() {
            true => account::find_by_login(&self.issuer, person).await,
            false => Err(standard::no_lookup()),
        }
    }

    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep> {
        let disables = self.is_keycloak() && account.state == AccountState::Live;
        disables
            .then(|| plan::disabling(binding, &account.provider_id))
            .into_iter()
            .collect()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        match self.is_keycloak() {
            // Seven reads side by side make a large future; one allocation keeps it off the job's own.
            true => Box::pin(inspect::inspect(self, provider_id)).await,
            false => standard::inspect(self, provider_id).await,
        }
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        match self.is_keycloak() {
            true => plan::plan(self, intent, binding, reading),
            false => standard::plan(self, binding, reading),
        }
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        undo::undo(&self.issuer, step, pre_image).await
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        Box::pin(apply::apply(self, effect)).await
    }

    async fn inventory_page(
        &self,
        cursor: Option<&serde_json::Value>,
    ) -> Result<InventoryPage, CallError> {
        Box::pin(inventory::page(&self.issuer, cursor)).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.issuer.http.blocked_for()
    }
}
