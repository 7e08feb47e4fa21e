//! From a connection's settings to its connector.

use sever_domain::Provider;
use sever_provider::http::{HttpSettings, PlainHttp, ProviderHttp};
use sever_provider::{
    Connected, ConnectionSettings, ConnectorFactory, NoIntegrations, UnusableConnection,
};
use tokio::sync::Mutex;

use crate::app::App;
use crate::connector::ScimConnector;
use crate::credential::Credential;
use crate::dialects::Dialects;

/// Builds the connectors of SCIM applications. The base URL is the one below which `/Users` and `/Groups` are.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScimFactory {
    /// Where a base URL may use plain http; a simulator on another host needs [`PlainHttp::Anywhere`].
    pub plain_http: PlainHttp,
}

impl ConnectorFactory for ScimFactory {
    type People = ScimConnector;
    /// The standard has no object for an application that was let in.
    type Integrations = NoIntegrations;

    fn provider(&self) -> Provider {
        Provider::Scim
    }

    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<ScimConnector, NoIntegrations>, UnusableConnection> {
        let unusable = |field, problem| UnusableConnection {
            connection: settings.name.clone(),
            field,
            problem,
        };
        let credential = Credential::parse(&settings.credential)
            .map_err(|problem| unusable("credential", problem))?;
        let http = ProviderHttp::new(&HttpSettings {
            provider: Provider::Scim,
            base_url: settings.base_url.clone(),
            plain_http: self.plain_http,
            call_deadline: settings.call_deadline,
            in_flight_max: settings.in_flight_max,
            request_id_header: "x-request-id",
            shared: settings.shared.clone(),
        })
        .map_err(|cause| unusable(cause.field(), cause.to_string()))?;
        let residual = settings.access_token_lifetime_max + settings.clock_skew;
        let seconds = residual.as_secs() + u64::from(residual.subsec_nanos() > 0);
        let app = App {
            http,
            authorization: credential.authorization,
            final_state: credential.final_state,
            replaces_members: credential.replaces_members,
            dialects: Dialects::default(),
            one_writer: Mutex::new(()),
        };
        let people = ScimConnector {
            app,
            session_residual_s: i64::try_from(seconds).unwrap_or(i64::MAX),
        };
        Ok(Connected {
            people,
            integrations: None,
        })
    }
}
