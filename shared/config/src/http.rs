//! The public HTTP side of a service.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable};

/// HTTP listener with its bounds.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where requests are served; see [`HttpConfig::listen_or`].
    pub listen: Option<SocketAddr>,
    /// Largest request body, bytes; more is answered 413.
    pub body_max_bytes: usize,
    /// Deadline of one request, from its headers to its answer.
    pub request_timeout: Duration,
}

impl HttpConfig {
    /// The configured listen address, else `port` on the IPv4 loopback; see [`crate::ports`].
    #[must_use]
    pub fn listen_or(&self, port: u16) -> SocketAddr {
        self.listen
            .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into())
    }
}

const LISTEN: Variable = Variable {
    name: "SEVER_HTTP_LISTEN",
    kind: Kind::Address {
        default: "127.0.0.1 with port 7070 (intake), 7080 (console)",
    },
    example: "127.0.0.1:7070",
    help: "Where the API is served, in clear text: put TLS in front of anything but the loopback address. Port 0 takes any free one.",
};

const BODY_MAX: Variable = Variable {
    name: "SEVER_HTTP_BODY_MAX_BYTES",
    kind: Kind::Whole {
        unit: "bytes",
        min: 1_024,
        max: 16_777_216,
        default: 262_144,
    },
    example: "262144",
    help: "Largest request body. Too high: a flood of large bodies fills memory. Too low: honest requests are answered 413.",
};

const REQUEST_TIMEOUT: Variable = Variable {
    name: "SEVER_HTTP_REQUEST_TIMEOUT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 100,
        max: 300_000,
        default: 15_000,
    },
    example: "15000",
    help: "Deadline of one request. Too high: slow clients hold connections. Too low: a request that waits for a lock fails and is sent again.",
};

impl FromEnvironment for HttpConfig {
    const VARIABLES: &'static [&'static Variable] = &[&LISTEN, &BODY_MAX, &REQUEST_TIMEOUT];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            listen: reader.address(&LISTEN),
            body_max_bytes: reader.size(&BODY_MAX),
            request_timeout: reader.time(&REQUEST_TIMEOUT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MapEnvironment, ports};

    #[test]
    fn a_set_address_wins_over_the_default_port() {
        let config = HttpConfig::from_environment(&MapEnvironment::from([(
            "SEVER_HTTP_LISTEN",
            "0.0.0.0:8080",
        )]))
        .unwrap();
        assert_eq!(
            config.listen_or(ports::INTAKE_HTTP).to_string(),
            "0.0.0.0:8080"
        );
        assert_eq!(config.body_max_bytes, 256 * 1024);
    }
}
