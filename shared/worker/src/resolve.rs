//! Resolve: which accounts here are the subject's, and which of them can be believed.

use serde_json::json;
use sever_domain::identity::{BindingBasis, BindingState, PersonAttributes, matches_on_two};
use sever_domain::{BindingId, HoldPolicy, HoldReason, SubjectKind};
use sever_provider::{Account, Connector, FoundAccount};
use sever_store::job::{self, BindingJudgement, HoldRequest, Settlement, StoredBinding};
use sha2::{Digest, Sha256};

use crate::epoch::{End, Epoch, KnownAccount};

impl<C: Connector> Epoch<'_, C> {
    /// Finds the accounts. Makes no write.
    pub(crate) async fn resolve(&mut self) -> Result<(), End> {
        let believed = |binding: &&StoredBinding| {
            matches!(
                binding.state,
                BindingState::Confirmed | BindingState::Candidate
            )
        };
        let bindings: Vec<StoredBinding> = self
            .claimed
            .bindings
            .iter()
            .filter(believed)
            .cloned()
            .collect();
        for binding in bindings {
            self.resolve_by_id(binding).await?;
        }
        if self.accounts.iter().all(|account| account.absent) {
            match self.claimed.subject_kind {
                SubjectKind::Person => self.resolve_by_login().await?,
                SubjectKind::Integration if self.accounts.is_empty() => {
                    let missing =
                        json!({"missing": "the integration has no id at this connection"});
                    return Err(hold(HoldReason::Unbound, missing));
                }
                SubjectKind::Integration => {}
            }
        }
        self.refuse_own_account().await
    }

    /// A confirmed binding is read again when it is inspected; a candidate is confirmed by a read now.
    async fn resolve_by_id(&mut self, binding: StoredBinding) -> Result<(), End> {
        let mut account = KnownAccount {
            binding: binding.id,
            provider_id: binding.provider_id.clone(),
            absent: false,
        };
        if binding.state == BindingState::Confirmed {
            self.accounts.push(account);
            return Ok(());
        }
        self.may_call()?;
        match self
            .connector()
            .find_by_id(&binding.provider_id)
            .await
            .map_err(|error| self.read_failed(&error))?
        {
            FoundAccount::Present(found) => {
                self.learnt.bindings.push(judgement(
                    binding.id,
                    binding.provider_id,
                    BindingState::Confirmed,
                    binding.basis,
                ));
                self.found.insert(binding.id, *found);
            }
            FoundAccount::Absent => {
                self.believe_absence().await?;
                account.absent = true;
            }
        }
        self.accounts.push(account);
        Ok(())
    }

    /// No recorded id leads to an account: look by login, and believe what two attributes confirm. A dead
    /// id alone proves nothing, because the account may have been made anew.
    async fn resolve_by_login(&mut self) -> Result<(), End> {
        let person = job::person_attributes(&self.context.store, self.claimed.subject)
            .await?
            .unwrap_or_default();
        if person.emails.iter().all(|email| email.trim().is_empty()) {
            if !self.accounts.is_empty() {
                return Ok(());
            }
            let missing = json!({"missing": "no provider id and no login is recorded"});
            return Err(hold(HoldReason::Unbound, missing));
        }
        self.may_call()?;
        let found = self
            .connector()
            .find_by_login(&person)
            .await
            .map_err(|error| self.read_failed(&error))?;
        if found.is_empty() {
            return if self.accounts.is_empty() {
                self.absent_by_login(&person).await
            } else {
                Ok(())
            };
        }
        let (confirmed, doubtful): (Vec<Account>, Vec<Account>) = found
            .into_iter()
            .partition(|account| matches_on_two(&person, &account.attributes));
        for account in &doubtful {
            self.learnt.bindings.push(judgement(
                binding_id(&self.claimed.bindings, &account.provider_id),
                account.provider_id.clone(),
                BindingState::Ambiguous,
                BindingBasis::LoginAndAttributes,
            ));
        }
        if confirmed.is_empty() {
            let candidates: Vec<&str> = doubtful
                .iter()
                .map(|account| account.provider_id.as_str())
                .collect();
            return Err(hold(
                HoldReason::AmbiguousIdentity,
                json!({"candidates": candidates}),
            ));
        }
        for account in confirmed {
            let binding = binding_id(&self.claimed.bindings, &account.provider_id);
            self.learnt.bindings.push(judgement(
                binding,
                account.provider_id.clone(),
                BindingState::Confirmed,
                BindingBasis::LoginAndAttributes,
            ));
            self.accounts.push(KnownAccount {
                binding,
                provider_id: account.provider_id.clone(),
                absent: false,
            });
            self.found.insert(binding, account);
        }
        Ok(())
    }

    /// The last known account is gone: one that was made anew under a recorded login is looked for. What is
    /// found is recorded, and the next epoch works on it.
    pub(crate) async fn look_for_another(&mut self) -> Result<(), End> {
        let known = self.accounts.len();
        let person = self.claimed.subject_kind == SubjectKind::Person;
        if person && self.accounts.iter().all(|account| account.absent) {
            self.resolve_by_login().await?;
        }
        if self.accounts.len() == known {
            return Ok(());
        }
        Err(End::Settle(Settlement::Wait {
            why: "revision",
            after: std::time::Duration::ZERO,
        }))
    }

    /// The recorded logins lead nowhere: the evidence hangs on a binding that names no account.
    async fn absent_by_login(&mut self, person: &PersonAttributes) -> Result<(), End> {
        self.believe_absence().await?;
        let provider_id = absent_key(person);
        let binding = binding_id(&self.claimed.bindings, &provider_id);
        self.learnt.bindings.push(judgement(
            binding,
            provider_id.clone(),
            BindingState::Refuted,
            BindingBasis::LoginAndAttributes,
        ));
        self.accounts.push(KnownAccount {
            binding,
            provider_id,
            absent: true,
        });
        Ok(())
    }

    /// An empty answer proves nothing until a read that cannot be empty proves tenant and credential.
    pub(crate) async fn believe_absence(&self) -> Result<(), End> {
        self.may_call()?;
        self.connector()
            .canary()
            .await
            .map_err(|error| self.read_failed(&error))
    }

    async fn refuse_own_account(&self) -> Result<(), End> {
        if self.claimed.released.contains(&HoldReason::OwnCredential) {
            return Ok(());
        }
        let own = self
            .known
            .own_account()
            .await
            .map_err(|error| self.read_failed(&error))?;
        match own.filter(|own| {
            self.accounts
                .iter()
                .any(|account| account.provider_id == *own)
        }) {
            Some(own) => Err(hold(
                HoldReason::OwnCredential,
                json!({"account": own, "connection": self.claimed.connection}),
            )),
            None => Ok(()),
        }
    }
}

/// The id under which an account is known already, or a new one.
fn binding_id(known: &[StoredBinding], provider_id: &str) -> BindingId {
    known
        .iter()
        .find(|binding| binding.provider_id == provider_id)
        .map_or_else(BindingId::generate, |binding| binding.id)
}

/// What marks a binding that stands for «looked for and not found».
const ABSENT_PREFIX: &str = "absent:";

/// A key without personal data: the digest of the logins that were looked for.
fn absent_key(person: &PersonAttributes) -> String {
    let mut logins: Vec<String> = person
        .emails
        .iter()
        .map(|email| email.trim().to_lowercase())
        .collect();
    logins.sort();
    let digest = Sha256::digest(logins.join("\n").as_bytes());
    let hex: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{ABSENT_PREFIX}{hex}")
}

fn judgement(
    id: BindingId,
    provider_id: String,
    state: BindingState,
    basis: BindingBasis,
) -> BindingJudgement {
    BindingJudgement {
        id,
        provider_id,
        state,
        basis,
    }
}

fn hold(reason: HoldReason, detail: serde_json::Value) -> End {
    End::Settle(Settlement::Held(HoldRequest {
        reason,
        policy: HoldPolicy::Nothing,
        on_opt_out: false,
        detail,
    }))
}
