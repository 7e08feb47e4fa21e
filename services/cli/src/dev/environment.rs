//! The environment that services get.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use sever_config::{Environment, ProcessEnvironment};

/// Time for a drain after SIGTERM, unless the caller says otherwise.
const SHUTDOWN_GRACE_MS: &str = "10000";

/// Variables for one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceEnvironment(BTreeMap<String, String>);

impl ServiceEnvironment {
    /// Nothing but the time for a drain.
    pub(crate) fn bare() -> Self {
        Self::default().with("SEVER_SHUTDOWN_GRACE_MS", SHUTDOWN_GRACE_MS)
    }

    /// Everything that this program got, so that a developer can set any variable of a service, or `env:` credentials.
    pub(crate) fn inherited() -> Self {
        let own = ProcessEnvironment;
        let variables = own
            .names()
            .into_iter()
            .filter_map(|name| own.get(&name).map(|value| (name, value)));
        let inherited: BTreeMap<String, String> = variables.collect();
        Self(Self::bare().0.into_iter().chain(inherited).collect())
    }

    /// The same with this variable; where the value is in a file, the plain form would be a second source, and goes.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Some(plain) = name.strip_suffix("_FILE") {
            self.0.remove(plain);
        }
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The same with the addresses that a service listens on.
    #[must_use]
    pub(crate) fn listening(self, http: Option<SocketAddr>, ops: SocketAddr) -> Self {
        let with_ops = self.with("SEVER_OPS_LISTEN", ops.to_string());
        match http {
            Some(http) => with_ops.with("SEVER_HTTP_LISTEN", http.to_string()),
            None => with_ops,
        }
    }

    /// The same with the files of the database's and the broker's URL.
    #[must_use]
    pub(crate) fn reaching(self, database: &Path, broker: &Path) -> Self {
        self.with("SEVER_DATABASE_URL_FILE", database.display().to_string())
            .with("SEVER_AMQP_URL_FILE", broker.display().to_string())
    }

    /// The pairs, by name.
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_place_of_the_plain_variable() {
        let environment = ServiceEnvironment::bare()
            .with("SEVER_AMQP_URL", "amqp://elsewhere")
            .reaching(Path::new("/d"), Path::new("/b"));
        let pairs = environment.into_pairs();
        let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "SEVER_AMQP_URL_FILE",
                "SEVER_DATABASE_URL_FILE",
                "SEVER_SHUTDOWN_GRACE_MS"
            ]
        );
    }
}
