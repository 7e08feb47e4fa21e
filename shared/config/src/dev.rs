//! Servers that `sever dev` and `sever demo` use instead of starting private ones.

use secrecy::SecretString;

use crate::broker::amqp_url;
use crate::database::postgres_url;
use crate::{FromEnvironment, Kind, Reader, Variable};

/// Existing servers for a developer's machine; `None` means that a private one is started.
#[derive(Debug, Clone)]
pub struct DevConfig {
    /// PostgreSQL with a role that may create roles and databases.
    pub database_url: Option<SecretString>,
    /// RabbitMQ with a user that may declare queues.
    pub amqp_url: Option<SecretString>,
}

const DATABASE: Variable = Variable {
    name: "DATABASE_URL",
    kind: Kind::Secret { required: false },
    example: "postgres://postgres:password@127.0.0.1:5432/postgres",
    help: "PostgreSQL for `sever dev` and `sever demo` instead of a private server; the role creates roles and databases there.",
};

const AMQP: Variable = Variable {
    name: "AMQP_URL",
    kind: Kind::Secret { required: false },
    example: "amqp://guest:guest@127.0.0.1:5672/%2f",
    help: "RabbitMQ for `sever dev` and `sever demo` instead of a private server.",
};

impl FromEnvironment for DevConfig {
    const VARIABLES: &'static [&'static Variable] = &[&DATABASE, &AMQP];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            database_url: reader.optional_secret(&DATABASE, postgres_url),
            amqp_url: reader.optional_secret(&AMQP, amqp_url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn nothing_set_means_private_servers_and_a_wrong_url_is_an_error() {
        let none = DevConfig::from_environment(&MapEnvironment::default()).unwrap();
        assert!(none.database_url.is_none() && none.amqp_url.is_none());
        let errors = DevConfig::from_environment(&MapEnvironment::from([
            ("DATABASE_URL", "sqlite://x"),
            ("AMQP_URL", "amqp://h"),
        ]))
        .unwrap_err();
        assert_eq!(errors.problems().len(), 1, "{errors}");
        assert_eq!(errors.problems()[0].name, "DATABASE_URL");
    }
}
