//! The credential of a connection, which carries what else a tenant needs to be told.
//!
//! ```json
//! {
//!   "tenant_id": "contoso.onmicrosoft.com or its GUID",
//!   "client_id": "the application that Sever calls as",
//!   "client_secret": "…", or "key": "PEM of an RSA key" with "thumbprint": "base64url SHA-256 of its certificate",
//!   "graph_url": "…", "login_url": "…", "azure_url": "…",
//!   "azure": true, "custodian": "object id", "keep_factors": false,
//!   "agreeing_reads": 3, "agreeing_pause_ms": 2000
//! }
//! ```

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sever_provider::{ClientKey, UnusableKey};
use url::Url;

/// How many readings must agree, at least and at most.
const READS: std::ops::RangeInclusive<u32> = 1..=10;
/// The longest pause between them.
const PAUSE_MS_MAX: u64 = 30_000;

/// Who calls.
#[derive(Debug)]
pub enum Proof {
    /// A client secret.
    Secret(SecretString),
    /// A certificate's key.
    Key(ClientKey),
}

/// How many consecutive readings must agree before they are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// How many; 1 believes the first.
    pub reads: u32,
    /// The pause between two.
    pub pause: Duration,
}

/// What a connection was told.
#[derive(Debug)]
pub struct Options {
    /// The tenant, in the token endpoint's address.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: String,
    /// Its proof.
    pub proof: Proof,
    /// Where Graph is, version excluded; derived from the base URL without it.
    pub graph_url: Option<Url>,
    /// Where tokens are issued.
    pub login_url: Option<Url>,
    /// Where Azure Resource Manager is.
    pub azure_url: Option<Url>,
    /// Whether the organisation has Azure subscriptions in this tenant.
    pub azure: bool,
    /// The user who becomes owner of a group whose last owner goes.
    pub custodian: Option<String>,
    /// Whether authentication methods stay with a blocked account.
    pub keep_factors: bool,
    /// How reads are believed.
    pub agreement: Agreement,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    tenant_id: String,
    client_id: String,
    client_secret: Option<SecretString>,
    key: Option<SecretString>,
    thumbprint: Option<String>,
    graph_url: Option<Url>,
    login_url: Option<Url>,
    azure_url: Option<Url>,
    #[serde(default = "yes")]
    azure: bool,
    custodian: Option<String>,
    #[serde(default)]
    keep_factors: bool,
    #[serde(default = "default_reads")]
    agreeing_reads: u32,
    #[serde(default = "default_pause_ms")]
    agreeing_pause_ms: u64,
}

impl Options {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(credential: &SecretString) -> Result<Self, String> {
        let json: Json = serde_json::from_str(credential.expose_secret()).map_err(|error| {
            // The parser's text can quote a value; its position cannot.
            format!(
                "is not the JSON that is wanted, at line {} column {}: tenant_id, client_id, and client_secret or \
                    key with thumbprint",
                error.line(),
                error.column()
            )
        })?;
        if json.tenant_id.is_empty() || json.client_id.is_empty() {
            return Err("has an empty tenant_id or client_id".to_owned());
        }
        if !READS.contains(&json.agreeing_reads) || json.agreeing_pause_ms > PAUSE_MS_MAX {
            return Err(format!(
                "has agreeing_reads outside 1 to 10, or agreeing_pause_ms above {PAUSE_MS_MAX}"
            ));
        }
        let proof = match (json.client_secret, json.key, json.thumbprint) {
            (Some(secret), None, None) if !secret.expose_secret().is_empty() => {
                Proof::Secret(secret)
            }
            (None, Some(key), Some(thumbprint)) => {
                let client_id = json.client_id.clone();
                let key = ClientKey::of_certificate(client_id, thumbprint, key.expose_secret());
                Proof::Key(key.map_err(|UnusableKey| {
                    "has a key that is no RSA private key in PEM form".to_owned()
                })?)
            }
            _ => {
                return Err(
                    "needs either client_secret, or key and thumbprint, and nothing of the other"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            tenant_id: json.tenant_id,
            client_id: json.client_id,
            proof,
            graph_url: json.graph_url,
            login_url: json.login_url,
            azure_url: json.azure_url,
            azure: json.azure,
            custodian: json.custodian,
            keep_factors: json.keep_factors,
            agreement: Agreement {
                reads: json.agreeing_reads,
                pause: Duration::from_millis(json.agreeing_pause_ms),
            },
        })
    }
}

const fn yes() -> bool {
    true
}

const fn default_reads() -> u32 {
    3
}

const fn default_pause_ms() -> u64 {
    2_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(change: Value) -> Result<Options, String> {
        let mut value = json!({"tenant_id": "t", "client_id": "c", "client_secret": "hidden"});
        for (name, member) in change.as_object().unwrap() {
            value[name] = member.clone();
        }
        Options::parse(&value.to_string().into())
    }

    #[test]
    fn a_secret_is_enough_and_is_not_printed() {
        let options = parse(json!({})).unwrap();
        assert_eq!((options.agreement.reads, options.azure), (3, true));
        assert!(!format!("{options:?}").contains("hidden"));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        for change in [
            json!({"client_secret": ""}),
            json!({"key": "hidden", "thumbprint": "x"}),
            json!({"client_secret": null, "key": "hidden", "thumbprint": "x"}),
            json!({"agreeing_reads": 0}),
            json!({"agreeing_pause_ms": 100_000}),
            json!({"tenant_id": ""}),
            json!({"tenant": "hidden"}),
            json!({"graph_url": "hidden"}),
        ] {
            let problem = parse(change.clone()).unwrap_err();
            assert!(!problem.contains("hidden"), "{change}: {problem}");
        }
        assert!(Options::parse(&"hidden".into()).is_err());
    }
}
