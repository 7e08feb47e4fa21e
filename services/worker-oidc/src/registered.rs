//! Tokens that were registered with us: by reference, so that they can be revoked and proven dead.

use secrecy::SecretString;
use serde_json::json;
use sever_config::{CredentialReference, ProcessEnvironment};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;
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
    pub const fn new(tokens: Vec<RegisteredToken>) -> Self {
        Self { tokens }
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
    /// living tokens: a caller who may not ask gets the same answer.
    ///
    /// # Errors
    /// As any read; class `NeedsPerson` where a reference leads nowhere.
    pub async fn alive(&self, issuer: &Issuer, account: &str) -> Result<Known, Refused> {
        let mut alive = Vec::new();
        let mut any_asked = false;
        for token in self.of(account) {
            let value = value_of(&token.token)?;
            let Some(told) = tokens::introspect(issuer, &value).await? else {
                return Ok(Known::NotTold("the provider offers no introspection"));
            };
            any_asked = true;
            if told.active {
                alive.push(Entitlement {
                    kind: EntitlementKind::Token,
                    provider_key: format!("{PREFIX}{}", token.name),
                    privileged: false,
                    facts: json!({ "hint": token.kind.hint(), "lifetime_s": told.lifetime_s() }),
                });
            }
        }
        if !any_asked || !alive.is_empty() || tells_of_the_living(issuer).await? {
            Ok(Known::Alive(alive))
        } else {
            Ok(Known::NotTold(
                "introspection does not show our own living token, so it proves nothing",
            ))
        }
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
        let hint = token.kind.hint();
        match &token.client_id {
            None => tokens::revoke(issuer, &issuer.client, &value, hint, until).await,
            Some(client_id) => {
                let proof = match &token.client_secret {
                    Some(secret) => Proof::Secret(value_of(secret)?),
                    None => Proof::Public,
                };
                let client = ClientAuth {
                    id: client_id.clone(),
                    proof,
                };
                let revoked = tokens::revoke(issuer, &client, &value, hint, until).await;
                // The client's own end takes its tokens along; what is left of them the closing read shows.
                match revoked {
                    Err(error) if error.code.as_deref() == Some("invalid_client") => {
                        self.after_refused_client(issuer, &value, error).await
                    }
                    answered => answered,
                }
            }
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
                class: sever_domain::OutcomeClass::NeedsPerson,
                what: "the client that the token was given to was refused: check its registered secret".to_owned(),
                ..error
            }),
        }
    }
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
