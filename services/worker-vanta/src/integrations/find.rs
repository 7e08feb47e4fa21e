//! Finding an integration: a connected system by its id, an API application by what its credentials still do.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::AccountState;
use sever_domain::identity::AccountAttributes;
use sever_provider::{Account, CallError, FoundAccount};

use super::families::is_application;
use crate::errors::{Meaning, Refused, inconsistent, unusable};
use crate::people::canary;
use crate::tenant::{Api, Ask, Tenant};

/// A connected system as Vanta gives it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Its id.
    pub integration_id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    connections: Vec<Connection>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    connection_id: String,
    #[serde(default)]
    is_disabled: bool,
    #[serde(default)]
    connection_error_message: Option<String>,
}

impl Integration {
    /// Live while a connection works; contained while every one that is not disabled fails, as when the other side
    /// revoked what Vanta used; deactivated without any that is not disabled.
    pub fn state(&self) -> AccountState {
        let mut enabled = self
            .connections
            .iter()
            .filter(|it| !it.is_disabled)
            .peekable();
        if enabled.peek().is_none() {
            AccountState::Deactivated
        } else if enabled.all(|it| it.connection_error_message.is_some()) {
            AccountState::Contained
        } else {
            AccountState::Live
        }
    }

    fn facts(&self) -> Value {
        let connections = self.connections.iter();
        let ids: Vec<&str> = connections.map(|it| it.connection_id.as_str()).collect();
        json!({
            "kind": "integration",
            "name": self.display_name.as_deref().unwrap_or(&self.integration_id),
            "connections": ids,
        })
    }
}

/// What a lookup found.
#[derive(Debug)]
pub struct Found {
    /// What it can do.
    pub state: AccountState,
    /// In what words.
    pub word: &'static str,
    /// The allow-list of facts.
    pub facts: Value,
}

/// Looks up an integration; `None` where Vanta has none of this id.
///
/// # Errors
/// As any read; class `NeedsPerson` where another integration came back.
pub async fn look_up(tenant: &Tenant, id: &str) -> Result<Option<Found>, CallError> {
    if is_application(id) {
        return application(tenant, id).await.map(Some);
    }
    const DOING: &str = "reading the integration";
    let ask = Ask {
        doing: DOING,
        family: "integration",
        path: &["integrations", id],
        query: &[],
    };
    let reply = match tenant.get(Api::Manage, ask, None).await {
        Ok(reply) => reply,
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => return Ok(None),
        Err(refused) => return Err(refused.error),
    };
    let found: Integration = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not an integration"))?;
    if found.integration_id != id {
        let what = "the provider answered with another integration than the one asked for";
        return Err(unusable(DOING, what.to_owned()));
    }
    let state = found.state();
    Ok(Some(Found {
        state,
        word: match state {
            AccountState::Live => "connected",
            AccountState::Contained => "failing",
            AccountState::Deactivated | AccountState::Absent => "disconnected",
        },
        facts: found.facts(),
    }))
}

/// An API application: no read shows it. Our own connector's is dead when its credentials are refused.
async fn application(tenant: &Tenant, client_id: &str) -> Result<Found, CallError> {
    let facts = json!({ "kind": "application", "name": client_id });
    let own = tenant.connector.as_ref();
    let is_own = own.is_some_and(|own| own.application.client_id == client_id);
    let (state, word) = if !is_own {
        (AccountState::Live, "not readable")
    } else if tenant.connector_works().await? {
        (AccountState::Live, "gets tokens")
    } else {
        // Where our other credentials are refused too, the refusal says nothing of this one.
        canary(tenant).await?;
        (AccountState::Deactivated, "credentials refused")
    };
    Ok(Found { state, word, facts })
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`look_up`].
pub async fn find_by_id(tenant: &Tenant, id: &str) -> Result<FoundAccount, CallError> {
    let found = look_up(tenant, id).await?;
    Ok(found.map_or(FoundAccount::Absent, |found| {
        FoundAccount::Present(Box::new(Account {
            provider_id: id.to_owned(),
            state: found.state,
            provider_state: found.word.to_owned(),
            attributes: AccountAttributes::default(),
            facts: found.facts,
        }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_the_connections() {
        use AccountState::{Contained, Deactivated, Live};
        let connection = |disabled: bool, error: Option<&str>| json!({ "connectionId": "c", "isDisabled": disabled, "connectionErrorMessage": error });
        for (connections, expected) in [
            (vec![connection(false, None)], Live),
            (
                vec![connection(false, None), connection(false, Some("revoked"))],
                Live,
            ),
            (vec![connection(false, Some("revoked"))], Contained),
            (
                vec![connection(true, None), connection(false, Some("revoked"))],
                Contained,
            ),
            (vec![connection(true, None)], Deactivated),
            (vec![], Deactivated),
        ] {
            let value = json!({ "integrationId": "aws", "connections": connections });
            let found: Integration = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(found.state(), expected, "{value}");
        }
    }
}
