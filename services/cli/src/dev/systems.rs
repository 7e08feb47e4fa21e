//! The five simulated systems: their connections, and by which credential Sever is let into each.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sever_api::connection_view::{ConnectionBody, Span};
use sever_domain::Provider;
use uuid::Uuid;

/// The simulated instance of each provider.
pub(crate) const INSTANCE: &str = "main";
/// Who acknowledges offboardings at Vanta: an administrator of nobody's list, by Vanta's id.
pub(crate) const VANTA_ADMINISTRATOR: &str = "0000000000000000000000ad";
/// Our client at Entra.
const ENTRA_CLIENT: &str = "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10";
/// Our client at the OpenID provider.
const OIDC_CLIENT: &str = "sever";

/// One of the five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct System {
    /// Whose wire protocol it speaks.
    pub(crate) provider: Provider,
    /// The name of the connection to it.
    pub(crate) connection: &'static str,
    /// What people call it.
    pub(crate) title: &'static str,
}

/// All five, in the order in which they are shown.
pub(crate) const SYSTEMS: [System; 5] = [
    System {
        provider: Provider::Okta,
        connection: "okta-main",
        title: "Okta org",
    },
    System {
        provider: Provider::Entra,
        connection: "entra-main",
        title: "Entra tenant with Azure",
    },
    System {
        provider: Provider::Scim,
        connection: "scim-wiki",
        title: "SCIM application",
    },
    System {
        provider: Provider::Oidc,
        connection: "keycloak-main",
        title: "Keycloak realm",
    },
    System {
        provider: Provider::Vanta,
        connection: "vanta-main",
        title: "Vanta tenant",
    },
];

/// How Sever is let in.
#[derive(Debug)]
pub(crate) struct Admission {
    /// What the connection's reference leads to.
    pub(crate) credential: String,
    /// Members of the instance's settings that accept it.
    pub(crate) settings: Value,
    /// What is planted for it besides.
    pub(crate) seed: Option<Value>,
}

impl System {
    /// The system of a provider.
    pub(crate) fn of(provider: Provider) -> Self {
        SYSTEMS
            .into_iter()
            .find(|system| system.provider == provider)
            .expect("every provider has its system")
    }

    /// A fresh credential, and how the simulator is told of it. `agreeing_pause_ms` is Entra's pause between readings that must agree.
    pub(crate) fn admission(self, agreeing_pause_ms: u64) -> Admission {
        let secret = Uuid::new_v4().simple().to_string();
        let (credential, settings, seed) = match self.provider {
            Provider::Okta => (
                json!(secret),
                json!({"ssws_tokens": [{"token": secret, "name": "sever"}]}),
                None,
            ),
            Provider::Entra => (
                json!({"tenant_id": INSTANCE, "client_id": ENTRA_CLIENT, "client_secret": secret, "agreeing_pause_ms": agreeing_pause_ms}),
                json!({"apps": [{
                    "client_id": ENTRA_CLIENT, "name": "sever", "secret": secret,
                    "directory_roles": ["Privileged Authentication Administrator"],
                }]}),
                None,
            ),
            Provider::Vanta => (
                json!({"client_id": "vci_sever", "client_secret": secret, "acknowledger": VANTA_ADMINISTRATOR, "requests_per_minute": 600}),
                json!({"applications": [{"client_id": "vci_sever", "client_secret": secret, "name": "sever"}]}),
                Some(json!({"people": [{
                    "id": VANTA_ADMINISTRATOR, "email": "administrator@example.com", "user": {"admin": true},
                }]})),
            ),
            Provider::Scim => (
                json!(secret),
                json!({"tokens": [{"token": secret, "name": "sever"}]}),
                None,
            ),
            Provider::Oidc => (
                json!({"client_id": OIDC_CLIENT, "client_secret": secret, "profile": "keycloak", "realm": INSTANCE}),
                json!({}),
                Some(json!({"clients": [{
                    "client_id": OIDC_CLIENT, "secret": secret, "admin_roles": ["manage-users", "manage-clients"],
                }]})),
            ),
        };
        Admission {
            credential: match credential {
                Value::String(text) => text,
                document => document.to_string(),
            },
            settings,
            seed,
        }
    }

    /// The connection to the instance at `base_url`, of which access tokens live this long; the credential is filled in later.
    pub(crate) fn connection(self, base_url: &str, lifetime_s: i64, skew_s: i64) -> ConnectionBody {
        let span = |seconds| Span::seconds(seconds).expect("at most an hour is a span");
        ConnectionBody {
            name: self.connection.to_owned(),
            provider: self.provider,
            base_url: base_url.to_owned(),
            credential: String::new(),
            access_token_lifetime: span(lifetime_s),
            access_token_lifetime_by_issuer: BTreeMap::new(),
            clock_skew: span(skew_s),
            in_flight_max: 16,
            // Vanta gives one token at a time, so one job at a time holds it.
            jobs_max: if self.provider == Provider::Vanta {
                1
            } else {
                64
            },
            fence_delay: Span::default(),
            fence_approval: false,
            closed: false,
            reconcile: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_one_system_and_no_credential_is_in_two() {
        assert_eq!(SYSTEMS.len(), Provider::ALL.len());
        let credentials: Vec<String> = Provider::ALL
            .iter()
            .map(|provider| System::of(*provider).admission(0).credential)
            .collect();
        let mut different = credentials.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), credentials.len());
    }
}
