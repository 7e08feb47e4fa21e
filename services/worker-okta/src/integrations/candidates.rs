//! Hooks and API tokens that look as if they belonged to an application: a hook that sends to one of its hosts, a token
//! that bears its name. Nothing at Okta ties them together, so a person looks.

use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::app::{App, host_of};
use crate::org::{Ask, Endpoint, Org, Refused, endpoint};
use crate::paging::{Listed, list};

/// A label shorter than this is part of too many names.
const LABEL_CHARS_MIN: usize = 3;

#[derive(Debug, Deserialize)]
struct Hook {
    id: String,
    #[serde(default)]
    channel: Channel,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    uri: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ApiToken {
    id: String,
    #[serde(default)]
    name: Option<String>,
}

impl Listed for Hook {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for ApiToken {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Hooks that send to a host of the application's.
///
/// # Errors
/// As any list.
pub async fn hooks(org: &Org, app: &App) -> Result<Vec<Entitlement>, Refused> {
    let hosts = app.hosts();
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let (event, inline) = tokio::join!(
        listed(org, endpoint::EVENT_HOOKS, "eventHooks"),
        listed(org, endpoint::INLINE_HOOKS, "inlineHooks")
    );
    let all = event?.into_iter().chain(inline?);
    let of_app = all.filter_map(|hook| {
        let host = host_of(hook.channel.config.uri.as_deref()?)?;
        hosts.contains(&host).then_some((hook.id, host))
    });
    Ok(of_app
        .map(|(id, host)| candidate(EntitlementKind::Hook, id, &host))
        .collect())
}

async fn listed(
    org: &Org,
    endpoint: Endpoint,
    collection: &'static str,
) -> Result<Vec<Hook>, Refused> {
    let ask = Ask {
        doing: "reading the organization's hooks",
        endpoint,
        path: &[collection],
        query: &[],
    };
    list(org, ask).await
}

/// API tokens that bear the application's name.
///
/// # Errors
/// As any list.
pub async fn api_tokens(org: &Org, app: &App) -> Result<Vec<Entitlement>, Refused> {
    let label = app
        .label
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if label.chars().count() < LABEL_CHARS_MIN {
        return Ok(Vec::new());
    }
    let ask = Ask {
        doing: "reading the organization's API tokens",
        endpoint: endpoint::API_TOKENS,
        path: &["api-tokens"],
        query: &[],
    };
    let tokens: Vec<ApiToken> = list(org, ask).await?;
    let named = tokens.into_iter().filter(|token| {
        let name = token.name.as_deref().unwrap_or_default();
        name.to_lowercase().contains(&label)
    });
    Ok(named
        .map(|token| candidate(EntitlementKind::ApiToken, token.id, &label))
        .collect())
}

fn candidate(kind: EntitlementKind, provider_key: String, by: &str) -> Entitlement {
    Entitlement {
        kind,
        provider_key,
        privileged: kind == EntitlementKind::ApiToken,
        facts: json!({ "candidate": true, "matched_by": by }),
    }
}
