//! From a connection's settings to its connector.

use std::sync::Arc;

use sever_domain::Provider;
use sever_provider::http::{HttpSettings, PlainHttp, ProviderHttp};
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory, UnusableConnection};
use tokio::sync::OnceCell;

use crate::auth::Credential;
use crate::connector::OktaConnector;
use crate::integrations::OktaIntegrations;
use crate::org::Org;
use crate::plan::Lifetimes;

/// Builds the connectors of Okta orgs.
#[derive(Debug, Clone, Copy, Default)]
pub struct OktaFactory {
    /// Where a base URL may use plain http; a simulator on another host needs [`PlainHttp::Anywhere`].
    pub plain_http: PlainHttp,
}

impl ConnectorFactory for OktaFactory {
    type People = OktaConnector;
    type Integrations = OktaIntegrations;

    fn provider(&self) -> Provider {
        Provider::Okta
    }

    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<OktaConnector, OktaIntegrations>, UnusableConnection> {
        let unusable = |field, problem| UnusableConnection {
            connection: settings.name.clone(),
            field,
            problem,
        };
        let credential = Credential::parse(&settings.credential)
            .map_err(|problem| unusable("credential", problem))?;
        let http = ProviderHttp::new(&HttpSettings {
            provider: Provider::Okta,
            base_url: settings.base_url.clone(),
            plain_http: self.plain_http,
            call_deadline: settings.call_deadline,
            in_flight_max: settings.in_flight_max,
            request_id_header: "x-okta-request-id",
            shared: settings.shared.clone(),
        })
        .map_err(|cause| unusable(cause.field(), cause.to_string()))?;
        // Both share the client, its rate budget and its token: together they are one caller.
        let org = Arc::new(Org { http, credential });
        let lifetimes = Lifetimes {
            max: settings.access_token_lifetime_max,
            by_issuer: settings.access_token_lifetime_by_issuer,
            skew: settings.clock_skew,
        };
        Ok(Connected {
            people: OktaConnector {
                org: Arc::clone(&org),
                lifetimes: lifetimes.clone(),
                owner: OnceCell::new(),
            },
            integrations: Some(OktaIntegrations { org, lifetimes }),
        })
    }
}
