//! What the service is configured with, and as what its parts take it.

use std::time::Duration;

use sever_api::HttpLimits;
use sever_bus::{BusConfig, Topology};
use sever_config::{
    BrokerConfig, DatabaseConfig, DispatchConfig, ExposeSecret as _, HttpConfig, OpsConfig,
};
use sever_dispatch::DispatchSettings;
use sever_domain::Provider;
use sever_store::DatabaseSettings;

/// The name of the service in logs and at the servers.
pub(crate) const SERVICE: &str = "sever-intake";

/// The providers that have a worker, so that bells for them have a queue.
pub(crate) const PROVIDERS: [Provider; 5] = [
    Provider::Okta,
    Provider::Entra,
    Provider::Vanta,
    Provider::Scim,
    Provider::Oidc,
];

/// How long one statement over whole tables may take.
const WHOLE_TABLES: Duration = Duration::from_secs(60);

/// The configuration of the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Health, metrics, logs, shutdown.
    pub ops: OpsConfig,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// RabbitMQ.
    pub broker: BrokerConfig,
    /// The HTTP listener.
    pub http: HttpConfig,
    /// The pace of relay and sweeper.
    pub dispatch: DispatchConfig,
}

impl Settings {
    pub(crate) fn database(&self) -> DatabaseSettings {
        DatabaseSettings {
            url: self.database.url.expose_secret().to_owned(),
            pool_max: self.database.pool_max,
            statement_timeout: self.database.statement_timeout,
            lock_timeout: self.database.lock_timeout,
            connect_timeout: self.database.connect_timeout,
            application_name: SERVICE.to_owned(),
        }
    }

    /// One client whose statements may read whole tables.
    pub(crate) fn invariants_database(&self) -> DatabaseSettings {
        DatabaseSettings {
            pool_max: 1,
            statement_timeout: WHOLE_TABLES,
            application_name: format!("{SERVICE}.invariants"),
            ..self.database()
        }
    }

    /// The connection for one role (`consume`, `publish`): the broker blocks publishing connections as a whole.
    pub(crate) fn bus(&self, role: &str) -> BusConfig {
        let providers = PROVIDERS.map(Provider::as_str);
        let name = format!("{SERVICE}.{role}");
        let mut config = BusConfig::new(self.broker.url.clone(), name, Topology::new(&providers));
        config.heartbeat = self.broker.heartbeat;
        config
    }

    pub(crate) fn limits(&self) -> HttpLimits {
        HttpLimits {
            body_max_bytes: self.http.body_max_bytes,
            request_timeout: self.http.request_timeout,
        }
    }

    pub(crate) fn dispatch(&self) -> DispatchSettings {
        DispatchSettings {
            relay_batch: i64::try_from(self.dispatch.relay_batch).unwrap_or(i64::MAX),
            relay_poll: self.dispatch.relay_poll,
            claim_lease: self.dispatch.claim_lease,
            sweep_interval: self.dispatch.sweep_interval,
            rung_too_long: self.dispatch.rung_too_long,
            janitor_interval: self.dispatch.janitor_interval,
            crash_loop_rest: self.dispatch.crash_loop_rest,
        }
    }
}
