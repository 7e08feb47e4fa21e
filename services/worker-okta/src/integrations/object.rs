//! A hook or an API token that is bound by its own id.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::AccountState;
use sever_provider::CallError;
use tokio::time::Instant;

use super::families::Object;
use crate::errors::Meaning;
use crate::org::{Ask, Endpoint, Org, Refused, endpoint, inconsistent, unusable};

#[derive(Debug, Deserialize)]
struct Read {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// What it can do.
    pub state: AccountState,
    /// Okta's own word for it.
    pub word: String,
    /// The allow-list of facts.
    pub facts: Value,
}

/// The collection of an object that is no application, and its endpoint.
#[must_use]
pub fn collection(object: Object) -> (&'static str, Endpoint) {
    match object {
        Object::App => ("apps", endpoint::APP),
        Object::EventHook => ("eventHooks", endpoint::EVENT_HOOKS),
        Object::InlineHook => ("inlineHooks", endpoint::INLINE_HOOKS),
        Object::ApiToken => ("api-tokens", endpoint::API_TOKENS),
    }
}

/// Reads it; `None` where Okta has none of this id.
///
/// # Errors
/// As any read; class `NeedsPerson` where another one came back.
pub async fn read(
    org: &Org,
    object: Object,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<Found>, CallError> {
    const DOING: &str = "reading a hook or API token";
    let (collection, endpoint) = collection(object);
    let ask = Ask {
        doing: DOING,
        endpoint,
        path: &[collection, id],
        query: &[],
    };
    let reply = match org.get(ask, until).await {
        Ok(reply) => reply,
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => return Ok(None),
        Err(refused) => return Err(refused.error),
    };
    let found: Read = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not what was asked for"))?;
    if found.id != id {
        let what = "the provider answered with another object than the one asked for";
        return Err(unusable(DOING, what.to_owned()));
    }
    // A token has no status: it works as long as it is there.
    let word = found.status.unwrap_or_else(|| "ACTIVE".to_owned());
    let state = match word.as_str() {
        "INACTIVE" => AccountState::Deactivated,
        _ => AccountState::Live,
    };
    let facts = json!({ "name": found.name, "status": word });
    Ok(Some(Found { state, word, facts }))
}
