//! From a connection's settings to its connectors.

use std::sync::Arc;

use sever_domain::Provider;
use sever_provider::http::{HttpSettings, PlainHttp, ProviderHttp};
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory, UnusableConnection};
use tokio::sync::OnceCell;
use url::Url;

use crate::connector::EntraPeople;
use crate::integration::EntraIntegrations;
use crate::options::Options;
use crate::places::Places;
use crate::plan::Lifetime;
use crate::service::Service;
use crate::tenant::Tenant;
use crate::token::{TokenEndpoint, Tokens};

/// Builds the connectors of Entra tenants.
#[derive(Debug, Clone, Copy, Default)]
pub struct EntraFactory {
    /// Where a base URL may use plain http; a simulator on another host needs [`PlainHttp::Anywhere`].
    pub plain_http: PlainHttp,
}

impl ConnectorFactory for EntraFactory {
    type People = EntraPeople;
    type Integrations = EntraIntegrations;

    fn provider(&self) -> Provider {
        Provider::Entra
    }

    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<EntraPeople, EntraIntegrations>, UnusableConnection> {
        let unusable = |field, problem| UnusableConnection {
            connection: settings.name.clone(),
            field,
            problem,
        };
        let options = Options::parse(&settings.credential)
            .map_err(|problem| unusable("credential", problem))?;
        let places = Places::of(&settings.base_url, &options);
        let http = |base_url: &Url, request_id_header| {
            let made = ProviderHttp::new(&HttpSettings {
                provider: Provider::Entra,
                base_url: base_url.clone(),
                plain_http: self.plain_http,
                call_deadline: settings.call_deadline,
                in_flight_max: settings.in_flight_max,
                request_id_header,
                shared: settings.shared.clone(),
            });
            made.map_err(|cause| unusable(cause.field(), cause.to_string()))
        };
        let service = |base_url: &Url, scope: &str, request_id_header| {
            Ok(Service {
                http: http(base_url, request_id_header)?,
                tokens: Tokens::new(scope.to_owned()),
            })
        };
        let azure = options
            .azure
            .then(|| service(&places.azure, &places.azure_scope, "x-ms-request-id"))
            .transpose()?;
        let tenant = Arc::new(Tenant {
            graph: service(&places.graph, &places.graph_scope, "request-id")?,
            azure,
            endpoint: TokenEndpoint {
                http: http(&places.login, "x-ms-request-id")?,
                tenant_id: options.tenant_id,
                client_id: options.client_id,
                proof: options.proof,
            },
            agreement: options.agreement,
            custodian: options.custodian,
            keep_factors: options.keep_factors,
        });
        let lifetime = Lifetime {
            max: settings.access_token_lifetime_max,
            skew: settings.clock_skew,
        };
        Ok(Connected {
            people: EntraPeople {
                tenant: Arc::clone(&tenant),
                lifetime,
            },
            integrations: Some(EntraIntegrations {
                tenant,
                lifetime,
                own: OnceCell::new(),
            }),
        })
    }
}
