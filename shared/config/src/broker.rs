//! RabbitMQ.

use std::time::Duration;

use secrecy::SecretString;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable, Wrong};

/// Connection of a service to RabbitMQ.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// One `amqp://` or `amqps://` URL, or several of the nodes of one cluster separated by commas; the path is the
    /// percent-encoded virtual host.
    pub url: SecretString,
    /// Heartbeat asked of the broker, whole seconds.
    pub heartbeat: Duration,
}

const URL: Variable = Variable {
    name: "SEVER_AMQP_URL",
    kind: Kind::Secret { required: true },
    example: "amqp://sever:password@127.0.0.1:5672/%2f",
    help: "RabbitMQ, version 3.10 or newer. The virtual host is the path, percent-encoded: %2f is the one named `/`. Several nodes of a cluster: one URL for each, separated by commas (a comma in a password is %2C); after a lost connection the next one is tried.",
};

const HEARTBEAT: Variable = Variable {
    name: "SEVER_AMQP_HEARTBEAT_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 5,
        max: 120,
        default: 20,
    },
    example: "20",
    help: "AMQP heartbeat. Too high: a dead connection is noticed late (after two of them). Too low: a busy machine looks dead.",
};

impl FromEnvironment for BrokerConfig {
    const VARIABLES: &'static [&'static Variable] = &[&URL, &HEARTBEAT];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            url: reader.secret(&URL, amqp_urls),
            heartbeat: reader.time(&HEARTBEAT),
        }
    }
}

/// Accepts AMQP URIs, separated by commas.
fn amqp_urls(text: &str) -> Result<(), Wrong> {
    text.split(',').map(str::trim).try_for_each(amqp_url)
}

/// Accepts an AMQP URI with a host (RabbitMQ URI specification).
pub(crate) fn amqp_url(text: &str) -> Result<(), Wrong> {
    let wrong = Err(Wrong::NotA("an amqp:// or amqps:// URL with a host"));
    match url::Url::parse(text) {
        Ok(url)
            if matches!(url.scheme(), "amqp" | "amqps")
                && url.host_str().is_some_and(|host| !host.is_empty()) =>
        {
            Ok(())
        }
        Ok(_) | Err(_) => wrong,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn the_url_can_come_from_a_file_and_not_from_two_places() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "amqps://u:hunter2@broker/%2f\n").unwrap();
        let from_file =
            MapEnvironment::default().with("SEVER_AMQP_URL_FILE", file.path().to_string_lossy());
        let config = BrokerConfig::from_environment(&from_file).unwrap();
        assert_eq!(config.url.expose_secret(), "amqps://u:hunter2@broker/%2f");
        assert_eq!(config.heartbeat, Duration::from_secs(20));

        let both = from_file.with("SEVER_AMQP_URL", "amqp://h");
        let errors = BrokerConfig::from_environment(&both).unwrap_err();
        assert!(errors.to_string().contains("keep one"), "{errors}");
    }

    #[test]
    fn an_unreadable_secret_file_names_the_file_variable() {
        let environment = MapEnvironment::from([("SEVER_AMQP_URL_FILE", "/no/such/file")]);
        let errors = BrokerConfig::from_environment(&environment).unwrap_err();
        assert_eq!(errors.problems().len(), 1, "{errors}");
        assert_eq!(errors.problems()[0].name, "SEVER_AMQP_URL_FILE");
    }

    #[test]
    fn several_nodes_are_each_looked_at() {
        assert!(amqp_urls("amqp://u:p@a:5672/%2f, amqp://u:p@b:5672/%2f").is_ok());
        for wrong in ["amqp://a,", "amqp://a,http://b", "amqp://u:p,q@a"] {
            assert!(amqp_urls(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn other_schemes_and_absent_hosts_are_refused() {
        for wrong in ["http://h", "amqp://", "broker:5672", ""] {
            assert!(amqp_url(wrong).is_err(), "{wrong}");
        }
    }
}
