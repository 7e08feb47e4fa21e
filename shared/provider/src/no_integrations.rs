//! The connector of a provider at which nothing can be an integration.

use std::time::Duration;

use sever_domain::closing::{ImpliedRule, Rules};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{AccountState, BindingId, EntitlementKind, Intent};

use crate::call::{Answer, CallError};
use crate::capability::Capability;
use crate::connector::{Account, Connector, Effect, FoundAccount};
use crate::undo::Undo;

/// A connector of which there is none.
#[derive(Debug, Clone, Copy)]
pub enum NoIntegrations {}

impl Rules for NoIntegrations {
    fn implied(&self) -> &[ImpliedRule] {
        match *self {}
    }

    fn disposition(&self, _: Intent, _: AccountState, _: &Entitlement) -> Disposition {
        match *self {}
    }
}

impl Connector for NoIntegrations {
    fn capabilities() -> &'static [Capability] {
        &[]
    }

    fn families(&self) -> &'static [EntitlementKind] {
        match *self {}
    }

    async fn canary(&self) -> Result<(), CallError> {
        match *self {}
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        match *self {}
    }

    async fn find_by_id(&self, _: &str) -> Result<FoundAccount, CallError> {
        match *self {}
    }

    fn contain(&self, _: BindingId, _: &Account) -> Vec<PlannedStep> {
        match *self {}
    }

    async fn inspect(&self, _: &str) -> Result<AccountReading, CallError> {
        match *self {}
    }

    fn plan(&self, _: Intent, _: BindingId, _: &AccountReading) -> Vec<PlannedStep> {
        match *self {}
    }

    async fn undo(&self, _: &PlannedStep, _: Option<&Entitlement>) -> Result<Undo, CallError> {
        match *self {}
    }

    async fn apply(&self, _: &Effect) -> Result<Answer, CallError> {
        match *self {}
    }

    fn blocked_for(&self) -> Option<Duration> {
        match *self {}
    }
}
