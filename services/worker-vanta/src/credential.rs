//! The credential of a connection: the API application that manages Vanta, who acknowledges, and our own connector.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Calls per minute of the Manage API that clients have seen; Vanta's own number is not published.
const REQUESTS_PER_MINUTE: u32 = 50;

/// A refusal that has not passed by then is a person's: integrations report about once an hour.
const PATIENCE_S: u64 = 2 * 3600;
/// The longest patience: a job that waits on and on would end as a dead letter.
const PATIENCE_S_MAX: u64 = 24 * 3600;

/// An API application's id and secret. Prints without the secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationKeys {
    /// `vci_...`.
    pub client_id: String,
    /// `vcs_...`.
    pub client_secret: SecretString,
}

/// What our own connector pushes: one set of rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushedSet {
    /// For instance `user_account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource id from the Developer Console.
    pub resource_id: String,
}

/// Our own private connector (Build Integrations).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnConnector {
    /// `vci_...`.
    pub client_id: String,
    /// `vcs_...`.
    pub client_secret: SecretString,
    /// What it pushes.
    pub sets: Vec<PushedSet>,
}

/// Everything that the connection's `env:` or `file:` reference leads to.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The application of type Manage Vanta.
    pub manage: ApplicationKeys,
    /// The person, by Vanta's id, in whose name offboardings are acknowledged: an administrator, never a leaver.
    pub acknowledger: String,
    /// Our own connector, where there is one.
    pub connector: Option<OwnConnector>,
    /// Calls per minute of the Manage API; at least 5.
    pub requests_per_minute: u32,
    /// How long what Vanta refuses is tried again before a person is asked.
    pub patience: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialJson {
    client_id: String,
    client_secret: SecretString,
    acknowledger: String,
    #[serde(default)]
    connector: Option<OwnConnector>,
    #[serde(default)]
    requests_per_minute: Option<u32>,
    #[serde(default)]
    patience_s: Option<u64>,
}

impl Credential {
    /// Reads the JSON form: `{"client_id", "client_secret", "acknowledger", "connector"?, "requests_per_minute"?, "patience_s"?}`.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(secret: &SecretString) -> Result<Self, String> {
        let json: CredentialJson = serde_json::from_str(secret.expose_secret()).map_err(|_| {
            "is not JSON with the fields client_id, client_secret and acknowledger (and connector, requests_per_minute, patience_s)"
                .to_owned()
        })?;
        let connector = json.connector.as_ref();
        let names = [Some(&json.client_id), Some(&json.acknowledger)]
            .into_iter()
            .chain([connector.map(|own| &own.client_id)]);
        if names.flatten().any(|name| name.trim().is_empty()) {
            return Err("has an empty client_id or acknowledger".to_owned());
        }
        let requests_per_minute = json.requests_per_minute.unwrap_or(REQUESTS_PER_MINUTE);
        if requests_per_minute < 5 {
            return Err("has requests_per_minute under 5".to_owned());
        }
        let patience_s = json.patience_s.unwrap_or(PATIENCE_S);
        if patience_s > PATIENCE_S_MAX {
            return Err("has patience_s above 86400".to_owned());
        }
        Ok(Self {
            patience: Duration::from_secs(patience_s),
            manage: ApplicationKeys {
                client_id: json.client_id,
                client_secret: json.client_secret,
            },
            acknowledger: json.acknowledger,
            connector: json.connector,
            requests_per_minute,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read_whole_and_not_printed() {
        let text = r#"{"client_id":"vci_1","client_secret":"vcs_hush","acknowledger":"p1",
            "connector":{"client_id":"vci_2","client_secret":"vcs_quiet","sets":[{"type":"user_account","resource_id":"r"}]}}"#;
        let credential = Credential::parse(&text.into()).unwrap();
        assert_eq!(credential.requests_per_minute, REQUESTS_PER_MINUTE);
        assert_eq!(
            credential.connector.as_ref().unwrap().sets[0].kind,
            "user_account"
        );
        let printed = format!("{credential:?}");
        assert!(
            !printed.contains("hush") && !printed.contains("quiet"),
            "{printed}"
        );
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        for text in [
            "vcs_hush",
            r#"{"client_id":"vci_1","client_secret":"vcs_hush"}"#,
            r#"{"client_id":"","client_secret":"vcs_hush","acknowledger":"p1"}"#,
            r#"{"client_id":"c","client_secret":"vcs_hush","acknowledger":"p1","requests_per_minute":1}"#,
            r#"{"client_id":"c","client_secret":"vcs_hush","acknowledger":"p1","patience_s":86401}"#,
        ] {
            let problem = Credential::parse(&text.into()).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
    }
}
