//! What the service is configured with, and as what its parts take it.

use std::time::Duration;

use sever_bus::{BusConfig, Topology};
use sever_config::{BrokerConfig, DatabaseConfig, DispatchConfig, ExposeSecret as _, OpsConfig};
use sever_dispatch::DispatchSettings;
use sever_domain::Provider;
use sever_store::DatabaseSettings;

/// The name of the service in logs and at the servers.
pub(crate) const SERVICE: &str = "sever-reconciler";

/// How long one ordinary statement over findings may take; a comparison sets its own limit.
const STATEMENT_MIN: Duration = Duration::from_secs(30);

/// The configuration of the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Health, metrics, logs, shutdown.
    pub ops: OpsConfig,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// RabbitMQ.
    pub broker: BrokerConfig,
    /// The pace of relay and sweeper.
    pub dispatch: DispatchConfig,
}

impl Settings {
    pub(crate) fn database(&self) -> DatabaseSettings {
        DatabaseSettings {
            url: self.database.url.expose_secret().to_owned(),
            pool_max: self.database.pool_max,
            statement_timeout: self.database.statement_timeout.max(STATEMENT_MIN),
            lock_timeout: self.database.lock_timeout,
            connect_timeout: self.database.connect_timeout,
            application_name: SERVICE.to_owned(),
        }
    }

    pub(crate) fn bus(&self) -> BusConfig {
        let providers: Vec<&str> = Provider::ALL
            .iter()
            .map(|provider| provider.as_str())
            .collect();
        let name = format!("{SERVICE}.publish");
        let mut config = BusConfig::new(self.broker.url.clone(), name, Topology::new(&providers));
        config.heartbeat = self.broker.heartbeat;
        config
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
