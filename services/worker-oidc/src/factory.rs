//! From a connection's settings to its connectors.

use std::sync::Arc;

use sever_domain::Provider;
use sever_provider::http::{HttpSettings, PlainHttp, ProviderHttp};
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory, UnusableConnection};
use tokio::sync::{Mutex, OnceCell};

use crate::clients::OidcClients;
use crate::credential::Credential;
use crate::issuer::Issuer;
use crate::lifetimes::Lifetimes;
use crate::people::OidcPeople;
use crate::registered::Registered;
use crate::tokens::Subjects;

/// Builds the connectors of OpenID providers. Everything that is called is below the base URL; with Keycloak that is the
/// server's root (and `/auth` where it has that prefix).
#[derive(Debug, Clone, Copy, Default)]
pub struct OidcFactory {
    /// Where a base URL may use plain http; a simulator on another host needs [`PlainHttp::Anywhere`].
    pub plain_http: PlainHttp,
}

impl ConnectorFactory for OidcFactory {
    type People = OidcPeople;
    type Integrations = OidcClients;

    fn provider(&self) -> Provider {
        Provider::Oidc
    }

    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<OidcPeople, OidcClients>, UnusableConnection> {
        let unusable = |field, problem| UnusableConnection {
            connection: settings.name.clone(),
            field,
            problem,
        };
        let credential = Credential::parse(&settings.credential)
            .map_err(|problem| unusable("credential", problem))?;
        let http = ProviderHttp::new(&HttpSettings {
            provider: Provider::Oidc,
            base_url: settings.base_url.clone(),
            plain_http: self.plain_http,
            call_deadline: settings.call_deadline,
            in_flight_max: settings.in_flight_max,
            request_id_header: "x-request-id",
            shared: settings.shared.clone(),
        })
        .map_err(|cause| unusable(cause.field(), cause.to_string()))?;
        let base = settings.base_url.as_str().trim_end_matches('/');
        let issuer = match (credential.issuer, &credential.realm) {
            (Some(issuer), _) => issuer,
            (None, Some(realm)) => format!("{base}/realms/{realm}"),
            (None, None) => base.to_owned(),
        };
        let issuer = Arc::new(Issuer {
            http,
            issuer,
            realm: credential.realm,
            client: credential.client,
            scope: credential.scope,
            subject: credential.subject,
            subjects: Subjects::default(),
            metadata: OnceCell::new(),
            minted: Mutex::new(None),
            refusals: sever_provider::TokenRefusals::default(),
            one_writer: Mutex::new(()),
        });
        let lifetimes = Lifetimes {
            max: settings.access_token_lifetime_max,
            by_issuer: settings.access_token_lifetime_by_issuer,
            skew: settings.clock_skew,
        };
        // The standards know no object for a client that somebody else registered.
        let integrations = issuer.realm.is_some().then(|| OidcClients {
            issuer: Arc::clone(&issuer),
            lifetimes: lifetimes.clone(),
        });
        let people = OidcPeople {
            issuer,
            lifetimes,
            registered: Registered::new(credential.tokens),
        };
        Ok(Connected {
            people,
            integrations,
        })
    }
}
