//! The [`Connector`] for integrations of one Okta org.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyResult};
use sever_domain::identity::AccountAttributes;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};
use sever_provider::{
    Account, Answer, BlastRadius, CallError, Capability, Connector, Effect, FoundAccount, Undo,
};

use super::app::app_by_id;
use super::families::Object;
use super::{apply, capabilities, disposition, families, inspect, object, plan, rules, undo};
use crate::account;
use crate::org::{Org, inconsistent};
use crate::plan::Lifetimes;

/// Integrations of one Okta org, as the worker sees them. Made by [`crate::OktaFactory`].
#[derive(Debug)]
pub struct OktaIntegrations {
    pub(crate) org: Arc<Org>,
    pub(crate) lifetimes: Lifetimes,
}

impl Rules for OktaIntegrations {
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

impl Connector for OktaIntegrations {
    fn capabilities() -> &'static [Capability] {
        capabilities::INTEGRATIONS
    }

    fn families(&self) -> &'static [EntitlementKind] {
        families::ALL
    }

    async fn canary(&self) -> Result<(), CallError> {
        account::canary(&self.org).await
    }

    /// The service app that Sever itself calls Okta with.
    async fn own_account(&self) -> Result<Option<String>, CallError> {
        Ok(self.org.credential.client_id().map(str::to_owned))
    }

    async fn find_by_id(&self, provider_id: &str) -> Result<FoundAccount, CallError> {
        let account = |state, word: &str, facts| {
            FoundAccount::Present(Box::new(Account {
                provider_id: provider_id.to_owned(),
                state,
                provider_state: word.to_owned(),
                attributes: AccountAttributes::default(),
                facts,
            }))
        };
        Ok(match Object::of(provider_id) {
            Object::App => match app_by_id(&self.org, provider_id, None).await? {
                Some(app) if app.state() != AccountState::Absent => {
                    account(app.state(), app.status(), app.facts())
                }
                _ => FoundAccount::Absent,
            },
            other => match object::read(&self.org, other, provider_id, None).await? {
                Some(found) => account(found.state, &found.word, found.facts),
                None => FoundAccount::Absent,
            },
        })
    }

    /// Nothing: deactivating an application strips what groups gave, and only a full reading before it can bring that
    /// back. The plan deactivates it in its first waves.
    fn contain(&self, _binding: BindingId, _account: &Account) -> Vec<PlannedStep> {
        Vec::new()
    }

    async fn inspect(&self, provider_id: &str) -> Result<AccountReading, CallError> {
        inspect::inspect(&self.org, provider_id).await
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
        Ok(undo::undo(step, pre_image))
    }

    /// Who has the application, by the reading. One that failed is no count of nobody: it is made again.
    async fn blast_radius(
        &self,
        _provider_id: &str,
        reading: &AccountReading,
    ) -> Result<BlastRadius, CallError> {
        let account = reading.of(EntitlementKind::Account).first();
        let count = |name: &str| account.and_then(|it| it.facts[name].as_u64()).unwrap_or(0);
        let mut families = reading.families.iter();
        let consumers = families.find(|family| family.family == EntitlementKind::Consumer);
        let consumers = consumers.map(|family| family.result);
        if consumers == Some(FamilyResult::Failed) {
            return Err(inconsistent(
                "counting whom the application serves",
                "who was let into it could not be read whole",
            ));
        }
        Ok(BlastRadius {
            people: count("people"),
            groups: count("groups"),
            applications: 0,
            complete: consumers.is_none_or(|result| result == FamilyResult::Complete),
            last_sign_in_path: false,
        })
    }

    async fn apply(&self, effect: &Effect) -> Result<Answer, CallError> {
        apply::apply(&self.org, effect).await
    }

    fn blocked_for(&self) -> Option<Duration> {
        self.org.http.blocked_for()
    }
}
