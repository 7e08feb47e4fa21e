//! What operators touch on every service: health and metrics, logs, shutdown.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable};

/// Health, metrics, logs and shutdown of a service.
#[derive(Debug, Clone)]
pub struct OpsConfig {
    /// Where `/healthz`, `/readyz` and `/metrics` are served; see [`OpsConfig::listen_or`].
    pub listen: Option<SocketAddr>,
    /// Filter of the log, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Where a debug build dies on the spot, for crash tests; empty everywhere else.
    pub crash_at: String,
    /// Time between the signal to stop and the hard stop.
    pub shutdown_grace: Duration,
}

impl OpsConfig {
    /// The configured listen address, else `port` on the IPv4 loopback; see [`crate::ports`].
    #[must_use]
    pub fn listen_or(&self, port: u16) -> SocketAddr {
        self.listen
            .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }
}

const LISTEN: Variable = Variable {
    name: "SEVER_OPS_LISTEN",
    kind: Kind::Address {
        default: "127.0.0.1 with port 7071 (intake), 7081 (console), 7091 (worker-okta)",
    },
    example: "127.0.0.1:7071",
    help: "Where /healthz, /readyz and /metrics are served, without authentication: keep it off public networks. Port 0 takes any free one.",
};

const LOG: Variable = Variable {
    name: "SEVER_LOG",
    kind: Kind::Text { default: "info" },
    example: "info,sever_bus=debug",
    help: "Log filter: a level, or target=level pairs separated by commas. Too fine: the log costs more than the work. Too coarse: nothing to look at.",
};

const CRASH_AT: Variable = Variable {
    name: "SEVER_CRASH_AT",
    kind: Kind::Text { default: "" },
    example: "settle.after_commit:2",
    help: "For crash tests of debug builds only: the point, and its passing, at which the process dies. A release build refuses to start with it.",
};

const SHUTDOWN_GRACE: Variable = Variable {
    name: "SEVER_SHUTDOWN_GRACE_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 0,
        max: 600_000,
        default: 25_000,
    },
    example: "25000",
    help: "Time to finish or give back what is held after SIGTERM. Too high: the platform kills the process first. Too low: calls under way are cut and read again later.",
};

impl FromEnvironment for OpsConfig {
    const VARIABLES: &'static [&'static Variable] = &[&LISTEN, &LOG, &SHUTDOWN_GRACE, &CRASH_AT];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            listen: reader.address(&LISTEN),
            log: reader.text(&LOG),
            crash_at: reader.text(&CRASH_AT),
            shutdown_grace: reader.time(&SHUTDOWN_GRACE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MapEnvironment, ports};

    #[test]
    fn the_default_address_is_the_loopback_port_of_the_service() {
        let config = OpsConfig::from_environment(&MapEnvironment::default()).unwrap();
        assert_eq!(
            config.listen_or(ports::INTAKE_OPS).to_string(),
            "127.0.0.1:7071"
        );
        assert_eq!(
            (config.log.as_str(), config.shutdown_grace),
            ("info", Duration::from_secs(25))
        );
    }

    #[test]
    fn a_host_name_is_no_listen_address() {
        let errors = OpsConfig::from_environment(&MapEnvironment::from([(
            "SEVER_OPS_LISTEN",
            "localhost:7071",
        )]))
        .unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("SEVER_OPS_LISTEN is not an IP address with a port"),
            "{errors}"
        );
    }
}
