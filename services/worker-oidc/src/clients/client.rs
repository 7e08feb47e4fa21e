//! A client as Keycloak gives it.

use serde_json::{Value, json};
use sever_domain::AccountState;
use sever_domain::identity::AccountAttributes;
use sever_provider::{Account, CallError};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::admin::{Ask, CLIENTS};
use crate::issuer::{Issuer, inconsistent, unusable};

/// A client; the representation is kept whole, because a PUT must send it back whole. It holds the secret: never
/// printed, never stored.
pub struct Client {
    /// The internal id.
    pub id: String,
    /// Everything that came.
    pub representation: Value,
}

impl Client {
    /// The client that a representation is.
    ///
    /// # Errors
    /// The representation, where it has no id.
    pub fn of(representation: Value) -> Result<Self, Value> {
        match representation["id"].as_str().map(str::to_owned) {
            Some(id) => Ok(Self { id, representation }),
            None => Err(representation),
        }
    }

    /// Whether it may be used; one that does not say may.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.representation["enabled"].as_bool().unwrap_or(true)
    }

    /// What it can do.
    #[must_use]
    pub fn state(&self) -> AccountState {
        if self.enabled() {
            AccountState::Live
        } else {
            AccountState::Deactivated
        }
    }

    /// The provider's own word.
    #[must_use]
    pub fn provider_state(&self) -> &'static str {
        if self.enabled() {
            "enabled"
        } else {
            "disabled"
        }
    }

    /// What was issued to it before this second is refused.
    #[must_use]
    pub fn not_before_s(&self) -> i64 {
        self.representation["notBefore"].as_i64().unwrap_or(0)
    }

    /// Whether it acts for itself.
    #[must_use]
    pub fn has_service_account(&self) -> bool {
        self.representation["serviceAccountsEnabled"] == json!(true)
    }

    /// A key that changes with the secret and tells nothing of it: sixteen bits of a digest, so that one secret in
    /// 65,536 has the same.
    #[must_use]
    pub fn secret_key(&self) -> Option<String> {
        if self.representation["publicClient"] == json!(true) {
            return None;
        }
        let secret = self.representation["secret"].as_str()?;
        let digest = Sha256::digest(format!("{}\n{secret}", self.id).as_bytes());
        Some(format!("secret:{:02x}{:02x}", digest[0], digest[1]))
    }

    /// What is kept of it.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({ "client_id": self.representation["clientId"], "enabled": self.enabled() })
    }

    /// The account that it stands for.
    #[must_use]
    pub fn into_account(self) -> Account {
        let client_id = self.representation["clientId"].as_str();
        Account {
            state: self.state(),
            provider_state: self.provider_state().to_owned(),
            attributes: AccountAttributes {
                login: client_id.map(str::to_owned),
                ..AccountAttributes::default()
            },
            facts: self.facts(),
            provider_id: self.id,
        }
    }
}

/// Reads the client with this internal id; `None` where there is none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another client came back.
pub async fn client_by_id(
    issuer: &Issuer,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<Client>, CallError> {
    const DOING: &str = "reading the client";
    let ask = Ask {
        doing: DOING,
        family: CLIENTS,
        path: &["clients", id],
        query: &[],
    };
    let found = issuer.find::<Value>(ask, until).await;
    let Some(representation) = found.map_err(|refused| refused.error)? else {
        return Ok(None);
    };
    let client = Client::of(representation)
        .map_err(|_| inconsistent(DOING, "the answer is not a client"))?;
    if client.id == id {
        Ok(Some(client))
    } else {
        let what = "the provider answered with another client than the one asked for";
        Err(unusable(DOING, what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(representation: Value) -> Option<String> {
        Client::of(representation).ok().unwrap().secret_key()
    }

    #[test]
    fn a_secrets_key_changes_with_it_and_does_not_hold_it() {
        let first = key(json!({"id": "c", "secret": "s3cret-one"})).unwrap();
        let second = key(json!({"id": "c", "secret": "s3cret-two"})).unwrap();
        assert_ne!(first, second);
        assert_eq!(first.len(), "secret:0000".len());
        assert_eq!(
            key(json!({"id": "c", "publicClient": true, "secret": "x"})),
            None
        );
        assert_eq!(key(json!({"id": "c"})), None);
    }
}
