//! The [`Connector`] for integrations at one Keycloak: clients.

mod apply;
mod client;
mod inspect;
mod plan;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, BlastRadius, CallError, Capability, Connector, Effect, FoundAccount, Undo,
};

use crate::capabilities;
use crate::issuer::Issuer;
use crate::lifetimes::Lifetimes;
use crate::people::{canary, own_client};
use crate::step::{inverse, never};

pub use client::Client;
pub use rules::DISABLED_RENEWS_NOTHING;

/// The families of a client.
pub const FAMILIES: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Secret,
    EntitlementKind::Session,
    EntitlementKind::Token,
    EntitlementKind::Role,
];

/// The clients of one Keycloak realm, as the worker sees them. Made by [`crate::OidcFactory`].
#[derive(Debug)]
pub struct OidcClients {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) lifetimes: Lifetimes,
}

impl Rules for OidcClients {
    fn implied(&self) -> &[ImpliedRule] {
        rules::IMPLIED
    }

    fn disposition(
        &self,
        intent: Intent,
        account: AccountState,
        entitlement: &Entitlement,
    ) -> Disposition {
        rules::disposition(intent, account, entitlement)
    }
}

impl Connector for OidcClients {
    fn capabilities() -> &'static [Capability] {
        capabilities::CLIENTS
    }

    fn families(&self) -> &'static [EntitlementKind] {
        FAMILIES
    }

    async fn canary(&self) -> Result<(), CallError> {
        canary(&self.issuer).await
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        own_client(&self.issuer).await
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        Ok(
            match client::client_by_id(&self.issuer, provider_id, None).await? {
                Some(client) => FoundAccount::Present(Box::new(client.into_account())),
                None => FoundAccount::Absent,
            },
        )
    }

    fn contain(&self, binding: BindingId, account: &Account) -> Vec<PlannedStep> {
        let live = account.state == AccountState::Live;
        live.then(|| plan::disabling(binding, &account.provider_id))
            .into_iter()
            .collect()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        Box::pin(inspect::inspect(&self.issuer, provider_id)).await
    }

    fn plan(
        &self,
        intent: Intent,
        binding: BindingId,
        reading: &AccountReading,
    ) -> Vec<PlannedStep> {
        let residual_s = self.lifetimes.residual_s(&self.issuer.issuer, None);
        plan::plan(intent, binding, reading, residual_s)
    }

    async fn undo(
        &self,
        step: &PlannedStep,
        pre_image: Option<&Entitlement>,
    ) -> Result<Undo, CallError> {
        Ok(match (step.action, pre_image) {
            (Action::DisableIntegration, _) => {
                inverse(step, Action::EnableIntegration, serde_json::json!({}))
            }
            (Action::RevokeRole, Some(read)) => {
                inverse(step, Action::GrantRole, read.facts.clone())
            }
            (Action::RevokeRole, None) => never("what the role was is not in the pre-image"),
            (Action::RemoveSecret, _) => never(
                "the client has another secret: read it in Keycloak and give it to the integration",
            ),
            (Action::RevokeTokens, _) => never("the integration asks for new tokens by itself"),
            _ => Undo::Nothing,
        })
    }

    /// People with a session through the client. Who has none just now is not counted.
    async fn blast_radius(
        &self,
        _provider_id: &str,
        reading: &AccountReading,
    ) -> Result<BlastRadius, CallError> {
        let sessions = reading.of(EntitlementKind::Session).first();
        let people = sessions.and_then(|sessions| sessions.facts["people"].as_u64());
        Ok(BlastRadius {
            people: people.unwrap_or(0),
            groups: 0,
            applications: 0,
            complete: false,
            last_sign_in_path: false,
        })
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        Box::pin(apply::apply(&self.issuer, effect)).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.issuer.http.blocked_for()
    }
}
