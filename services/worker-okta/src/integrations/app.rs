//! An application: its own read, and what its status means.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::AccountState;
use sever_provider::CallError;
use tokio::time::Instant;
use url::Url;

use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent, unusable};

/// An application as Okta gives it; what is not listed is ignored, what is missing is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// The immutable id.
    pub id: String,
    #[serde(default)]
    name: Option<String>,
    /// The name people see.
    #[serde(default)]
    pub label: Option<String>,
    status: String,
    #[serde(default)]
    sign_on_mode: Option<String>,
    #[serde(default)]
    credentials: Credentials,
    #[serde(default)]
    settings: Settings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Credentials {
    oauth_client: OauthClient,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OauthClient {
    client_id: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    oauth_client: Addresses,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Addresses {
    redirect_uris: Vec<String>,
    client_uri: Option<String>,
    initiate_login_uri: Option<String>,
}

impl App {
    /// What the application can do: an inactive one gets no token and lets nobody in.
    #[must_use]
    pub fn state(&self) -> AccountState {
        match self.status.as_str() {
            "INACTIVE" => AccountState::Deactivated,
            "DELETED" => AccountState::Absent,
            // ACTIVE, and any word that is new.
            _ => AccountState::Live,
        }
    }

    /// Okta's own word for it.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.status
    }

    /// The OAuth client's id; the application's own where it names none.
    #[must_use]
    pub fn client_id(&self) -> &str {
        let named = self.credentials.oauth_client.client_id.as_deref();
        named.unwrap_or(&self.id)
    }

    /// Whether it proves itself by a signature, so that it cannot be left without a key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        let method = &self.credentials.oauth_client.token_endpoint_auth_method;
        method.as_deref() == Some("private_key_jwt")
    }

    /// The hosts that it names as its own.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let named = &self.settings.oauth_client;
        let single = [&named.client_uri, &named.initiate_login_uri];
        let addresses = named
            .redirect_uris
            .iter()
            .chain(single.into_iter().flatten());
        addresses.filter_map(|address| host_of(address)).collect()
    }

    /// The allow-list of facts.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "status": self.status,
            "name": self.name,
            "label": self.label,
            "sign_on_mode": self.sign_on_mode,
            "client_id": self.client_id(),
        })
    }
}

/// The host of an address, in lower case.
#[must_use]
pub fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    Some(url.host_str()?.to_ascii_lowercase())
}

/// Reads the application with this id; `None` where Okta has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another application came back.
pub async fn app_by_id(
    org: &Org,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<App>, CallError> {
    const DOING: &str = "reading the application";
    let ask = Ask {
        doing: DOING,
        endpoint: endpoint::APP,
        path: &["apps", id],
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
    let app: App = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not an application"))?;
    if app.id == id {
        Ok(Some(app))
    } else {
        let what = "the provider answered with another application than the one asked for";
        Err(unusable(DOING, what.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(value: Value) -> App {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_status_has_its_meaning() {
        for (status, state) in [
            ("ACTIVE", AccountState::Live),
            ("INACTIVE", AccountState::Deactivated),
            ("DELETED", AccountState::Absent),
            ("A_NEW_WORD", AccountState::Live),
        ] {
            assert_eq!(
                app(json!({ "id": "0oa1", "status": status })).state(),
                state
            );
        }
    }

    #[test]
    fn an_oidc_application_names_its_client_and_its_hosts() {
        let rich = app(json!({
            "id": "0oa1", "status": "ACTIVE", "unknown": {},
            "credentials": { "oauthClient": { "client_id": "abc", "token_endpoint_auth_method": "private_key_jwt" } },
            "settings": { "oauthClient": {
                "redirect_uris": ["https://CRM.example/callback", "com.app:/callback"], "client_uri": "https://www.example",
            } },
        }));
        assert_eq!((rich.client_id(), rich.needs_key()), ("abc", true));
        assert_eq!(rich.hosts(), ["crm.example", "www.example"]);
        let plain = app(json!({ "id": "0oa2", "status": "ACTIVE", "signOnMode": "SAML_2_0" }));
        assert_eq!((plain.client_id(), plain.needs_key()), ("0oa2", false));
        assert_eq!(plain.hosts(), [] as [String; 0]);
    }
}
