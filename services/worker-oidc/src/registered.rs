//! Tokens that were registered with us: by reference, so that they can be revoked and proven dead.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use sever_config::{CredentialReference, ProcessEnvironment};
use sever_domain::entitlement::Entitlement;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::client_auth::{ClientAuth, Proof};
use crate::credential::RegisteredToken;
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, already, unusable};
use crate::tokens;

/// What the key of a registered token begins with; the rest is its name.
pub const PREFIX: &str = "registered:";

/// All registered tokens of a connection.
#[derive(Debug)]
pub struct Registered {
    tokens: Vec<RegisteredToken>,
    /// The names of those that introspection has shown alive to us.
    seen_alive: Mutex<HashSet<String>>,
}

/// What is known of an account's registered tokens.
#[derive(Debug)]
pub enum Known {
    /// Introspection tells: these are alive.
    Alive(Vec<Entitlement>),
    /// Nothing tells.
    NotTold(&'static str),
}

impl Registered {
    /// The tokens of a credential document.
    #[must_use]
    pub fn new(tokens: Vec<RegisteredToken>) -> Self {
        Self {
            tokens,
            seen_alive: Mutex::default(),
        }
    }

    /// The keys of an account's tokens, dead ones too.
    pub fn keys_of(&self, account: &str) -> impl Iterator<Item = String> {
        self.of(account)
            .map(|token| format!("{PREFIX}{}", token.name))
    }

    fn of(&self, account: &str) -> impl Iterator<Item = &RegisteredToken> {
        self.tokens
            .iter()
            .filter(move |token| token.account == account)
    }

    /// Which of an account's tokens are alive. «Not active» is believed only where introspection is seen to tell of
    /// living tokens: a caller who may not ask gets the same answer (RFC 7662 section 2.2). Of our own client's tokens our
    /// own living one shows that; of another client's only that token itself, seen alive before.
    ///
    /// # Errors
    /// As any read; class `NeedsPerson` where a reference leads nowhere.
    pub async fn alive(&self, issuer: &Issuer, account: &str) -> Result<Known, Refused> {
        let mut alive = Vec::new();
        let mut own_is_dead = false;
        let mut hidden = false;
        for token in self.of(account) {
            let value = value_of(&token.token)?;
            let Some(told) = tokens::introspect(issuer, &value).await? else {
                return Ok(Known::NotTold("the provider offers no introspection"));
            };
            if told.is_of_another(account) {
                return Err(of_another(&token.name).into());
            }
            if told.active {
                self.note_alive(&token.name);
                alive.push(Entitlement {
                    kind: EntitlementKind::Token,
                    provider_key: format!("{PREFIX}{}", token.name),
                    privileged: false,
                    facts: json!({ "hint": token.kind.hint(), "lifetime_s": told.lifetime_s() }),
                });
            } else if token.is_of(&issuer.client.id) {
                own_is_dead = true;
            } else {
                hidden |= !self.was_alive(&token.name);
            }
        }
        if hidden {
            return Ok(Known::NotTold(
                "introspection has never shown us this client's token alive, so it proves nothing of it",
            ));
        }
        if !own_is_dead || tells_of_the_living(issuer).await? {
            Ok(Known::Alive(alive))
        } else {
            Ok(Known::NotTold(
                "introspection does not show our own living token, so it proves nothing",
            ))
        }
    }

    fn note_alive(&self, name: &str) {
        let mut seen = self
            .seen_alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(name) {
            seen.insert(name.to_owned());
        }
    }

    fn was_alive(&self, name: &str) -> bool {
        let seen = self
            .seen_alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seen.contains(name)
    }

    /// Revokes one token, as the client it was given to.
    ///
    /// # Errors
    /// By what the answer means; class `NeedsPerson` where a reference leads nowhere.
    pub async fn revoke(
        &self,
        issuer: &Issuer,
        account: &str,
        key: &str,
        until: Instant,
    ) -> Result<Answer, CallError> {
        let name = key.strip_prefix(PREFIX).unwrap_or(key);
        let Some(token) = self.of(account).find(|token| token.name == name) else {
            let what = "the token is not registered any more: register it again, or end it at the provider";
            return Err(unusable("revoking a token", what.to_owned()));
        };
        let value = value_of(&token.token)?;
        if let Ok(Some(told)) = tokens::introspect(issuer, &value).await
            && told.is_of_another(account)
        {
            return Err(of_another(&token.name));
        }
        let hint = token.kind.hint();
        let other = self.other_client(issuer, token)?;
        let client = other.as_ref().unwrap_or(&issuer.client);
        match tokens::revoke(issuer, client, &value, hint, until).await {
            // The client's own end takes its tokens along; what is left of them the closing read shows.
            Err(error) if other.is_some() && error.class == OutcomeClass::Credentials => {
                self.after_refused_client(issuer, &value, error).await
            }
            Err(error) if error.code.as_deref() == Some("unsupported_token_type") => {
                self.until_it_ends(issuer, &value, error).await
            }
            answered => answered,
        }
    }

    /// The client that a token was given to, where that is not ours.
    fn other_client(
        &self,
        issuer: &Issuer,
        token: &RegisteredToken,
    ) -> Result<Option<ClientAuth>, CallError> {
        let Some(id) = token.client_id.clone() else {
            return Ok(None);
        };
        if token.client_secret.is_none() && id == issuer.client.id {
            return Ok(None);
        }
        let proof = match &token.client_secret {
            Some(secret) => Proof::Secret(value_of(secret)?),
            None => Proof::Public,
        };
        Ok(Some(ClientAuth { id, proof }))
    }

    /// The provider does not revoke tokens of this type (RFC 7009 section 2.2.1): one that says when it ends is waited for.
    async fn until_it_ends(
        &self,
        issuer: &Issuer,
        value: &SecretString,
        error: CallError,
    ) -> Result<Answer, CallError> {
        let told = tokens::introspect(issuer, value).await;
        let Ok(Some(told)) = told else {
            return Err(error);
        };
        match told.ends_in_s(sever_provider::wall_clock::now()) {
            _ if !told.active => Ok(already()),
            None => Err(error),
            Some(left_s) => Err(CallError {
                class: OutcomeClass::Wait,
                what: format!(
                    "the provider does not revoke such tokens: this one ends by itself in {left_s} s"
                ),
                retry_after: Some(Duration::from_secs(left_s.saturating_add(1))),
                ..error
            }),
        }
    }

    /// The client that the token was given to is refused: where the token is dead, that is why.
    async fn after_refused_client(
        &self,
        issuer: &Issuer,
        value: &SecretString,
        error: CallError,
    ) -> Result<Answer, CallError> {
        let told = tokens::introspect(issuer, value).await;
        match told {
            Ok(Some(told)) if !told.active => Ok(already()),
            _ => Err(CallError {
                class: OutcomeClass::NeedsPerson,
                what: "the client that the token was given to was refused: check its registered secret".to_owned(),
                ..error
            }),
        }
    }
}

/// A wrong line in the credential document must not end what somebody else works with.
fn of_another(name: &str) -> CallError {
    let what = format!(
        "the registered token {name} is another account's: correct its account in the connection's credential document"
    );
    unusable("revoking a token", what)
}

/// Whether introspection shows our own, surely living token as active.
async fn tells_of_the_living(issuer: &Issuer) -> Result<bool, Refused> {
    let own = match issuer.own_token().await {
        Ok(own) => own,
        // Our client need not be one that can act for itself.
        Err(refused) if refused.meaning == Meaning::Unsupported => return Ok(false),
        Err(refused) if refused.error.code.as_deref() == Some("unauthorized_client") => {
            return Ok(false);
        }
        Err(refused) => return Err(refused),
    };
    let told = tokens::introspect(issuer, &own).await?;
    Ok(told.is_some_and(|told| told.active))
}

fn value_of(reference: &CredentialReference) -> Result<SecretString, CallError> {
    reference.resolve(&ProcessEnvironment).map_err(|error| {
        // The error names the reference, never what is behind it.
        unusable("reading a registered token", error.to_string())
    })
}
