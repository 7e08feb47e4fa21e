//! From a connection's settings to its connectors.

use std::sync::Arc;
use std::time::Duration;

use sever_domain::Provider;
use sever_provider::http::{HttpSettings, PlainHttp, ProviderHttp};
use sever_provider::{Connected, ConnectionSettings, ConnectorFactory, UnusableConnection};

use crate::credential::Credential;
use crate::integrations::VantaIntegrations;
use crate::inventory::Logins;
use crate::people::VantaPeople;
use crate::tenant::Tenant;

/// Builds the connectors of Vanta tenants.
///
/// Vanta keeps one live token for each API application, and a second token request ends the first at once. Inside one
/// process the connectors of a connection share one token and fetch it one at a time; between processes a lease decides
/// who calls at all: a process without the connection's lane ([`sever_provider::http::SharedConnection::has_lane`]) asks for no
/// token and makes no call, and what came to it waits. Any other program that uses the same API application still displaces
/// the token: calls are refused then and tried again at the pace at which tokens may be fetched, and nothing is written
/// twice.
#[derive(Debug, Clone, Copy, Default)]
pub struct VantaFactory {
    /// Where a base URL may use plain http; a simulator on another host needs [`PlainHttp::Anywhere`].
    pub plain_http: PlainHttp,
}

impl ConnectorFactory for VantaFactory {
    type People = VantaPeople;
    type Integrations = VantaIntegrations;

    fn provider(&self) -> Provider {
        Provider::Vanta
    }

    fn connect(
        &self,
        settings: ConnectionSettings,
    ) -> Result<Connected<VantaPeople, VantaIntegrations>, UnusableConnection> {
        let unusable = |field, problem| UnusableConnection {
            connection: settings.name.clone(),
            field,
            problem,
        };
        let credential = Credential::parse(&settings.credential)
            .map_err(|problem| unusable("credential", problem))?;
        if settings.in_flight_max == 0 {
            let problem = "must be greater than zero".to_owned();
            return Err(unusable("in_flight_max", problem));
        }
        let http = ProviderHttp::new(&HttpSettings {
            provider: Provider::Vanta,
            base_url: settings.base_url.clone(),
            plain_http: self.plain_http,
            call_deadline: settings.call_deadline,
            // One lane: the limits make calls side by side pointless.
            in_flight_max: 1,
            request_id_header: "x-request-id",
            shared: settings.shared.clone(),
        })
        .map_err(|cause| unusable(cause.field(), cause.to_string()))?;
        let tenant = Arc::new(Tenant::new(http, settings.shared.clone(), credential));
        let outlasts = settings
            .access_token_lifetime_max
            .saturating_add(settings.clock_skew);
        Ok(Connected {
            people: VantaPeople {
                tenant: Arc::clone(&tenant),
                residual_s: whole_seconds(outlasts),
                logins: Logins::default(),
            },
            integrations: Some(VantaIntegrations {
                tenant,
                residual_s: whole_seconds(outlasts),
            }),
        })
    }
}

/// Whole seconds, rounded up.
fn whole_seconds(duration: Duration) -> i64 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
