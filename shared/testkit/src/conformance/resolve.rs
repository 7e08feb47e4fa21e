//! Resolve and contain: which account it is, and the reversible block with its minimal pre-image.

use std::sync::Arc;

use sever_domain::SubjectKind;
use sever_domain::identity::{PersonAttributes, matches_on_two};
use sever_provider::{Account, CallError, Connector, FoundAccount};
use tokio::sync::OnceCell;

use super::epoch::Epoch;
use super::settled::Settled;

/// A connector with what is asked of it once.
pub(super) struct Known<C> {
    pub(super) connector: C,
    own_account: OnceCell<Option<String>>,
}

impl<C: Connector> Known<C> {
    pub(super) fn new(connector: C) -> Arc<Self> {
        Arc::new(Self {
            connector,
            own_account: OnceCell::new(),
        })
    }

    async fn own_account(&self) -> Result<Option<String>, CallError> {
        let own = self
            .own_account
            .get_or_try_init(|| self.connector.own_account());
        own.await.cloned()
    }
}

impl<C: Connector> Epoch<'_, C> {
    /// Finds the account, and refuses the one that the credential in use hangs on.
    pub(super) async fn resolve(&mut self) -> Result<(), Settled> {
        let person = self.job.subject.person.as_ref();
        if let (None, Some(person)) = (&self.memory.account, person) {
            self.resolve_by_login(person).await?;
        }
        let own = self
            .known
            .own_account()
            .await
            .map_err(|error| Settled::of(&error))?;
        if own.is_some() && own == self.memory.account {
            return Err(Settled::Held(
                "it is the account of the credential in use".to_owned(),
            ));
        }
        Ok(())
    }

    async fn resolve_by_login(&mut self, person: &PersonAttributes) -> Result<(), Settled> {
        let found = self.known.connector.find_by_login(person).await;
        let mut found = found.map_err(|error| Settled::of(&error))?;
        if found.is_empty() {
            self.believe_absence().await?;
            self.memory.absent = true;
            return Ok(());
        }
        found.retain(|account| matches_on_two(person, &account.attributes));
        if found.len() != 1 {
            return Err(Settled::Held(format!("{} accounts match", found.len())));
        }
        let account = found.remove(0);
        self.memory.account = Some(account.provider_id.clone());
        self.found = Some(account);
        Ok(())
    }

    /// An empty answer proves nothing until a read that cannot be empty proves tenant and credential.
    pub(super) async fn believe_absence(&self) -> Result<(), Settled> {
        self.known
            .connector
            .canary()
            .await
            .map_err(|error| Settled::of(&error))
    }

    /// Blocks a person's signing in, before anything else is read.
    pub(super) async fn contain(&mut self) -> Result<(), Settled> {
        if self.job.kind != SubjectKind::Person || self.memory.revision.is_some() {
            return Ok(());
        }
        let Some(account) = self.account().await? else {
            return Ok(());
        };
        let steps = self.known.connector.contain(self.memory.binding, &account);
        if steps.is_empty() {
            return Ok(());
        }
        self.store_plan(0, steps).await
    }

    /// The account as found, read by id unless the resolve has just done so.
    async fn account(&mut self) -> Result<Option<Account>, Settled> {
        if self.found.is_some() {
            return Ok(self.found.take());
        }
        let Some(id) = self.memory.account.clone().filter(|_| !self.memory.absent) else {
            return Ok(None);
        };
        let found = self.known.connector.find_by_id(&id).await;
        match found.map_err(|error| Settled::of(&error))? {
            FoundAccount::Present(account) => Ok(Some(*account)),
            FoundAccount::Absent => {
                self.believe_absence().await?;
                self.memory.absent = true;
                Ok(None)
            }
        }
    }
}
