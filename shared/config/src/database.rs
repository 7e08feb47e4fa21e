//! The PostgreSQL of the services, and the owner role that only `sever migrate` uses.

use std::time::Duration;

use secrecy::SecretString;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable, Wrong};

/// Connection of a service to PostgreSQL, as the application role.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `postgres://` or `postgresql://` URL with the application role.
    pub url: SecretString,
    /// Most connections of this process, 1 to 200.
    pub pool_max: usize,
    /// Deadline that the server sets on each statement.
    pub statement_timeout: Duration,
    /// Deadline that the server sets on each wait for a lock.
    pub lock_timeout: Duration,
    /// Deadline for opening a connection, and for waiting until the pool has a free one.
    pub connect_timeout: Duration,
}

const URL: Variable = Variable {
    name: "SEVER_DATABASE_URL",
    kind: Kind::Secret { required: true },
    example: "postgres://sever_service:password@127.0.0.1:5432/sever",
    help: "PostgreSQL as a login role that is a member of sever_app, which cannot migrate nor change audit events: CREATE ROLE sever_service LOGIN PASSWORD '…' IN ROLE sever_app;",
};

const POOL_MAX: Variable = Variable {
    name: "SEVER_DATABASE_POOL_MAX",
    kind: Kind::Whole {
        unit: "connections",
        min: 1,
        max: 200,
        default: 16,
    },
    example: "16",
    help: "Most connections of one process. Too high: PostgreSQL runs out of connections for the others. Too low: work waits for a connection.",
};

const STATEMENT_TIMEOUT: Variable = Variable {
    name: "SEVER_DATABASE_STATEMENT_TIMEOUT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 100,
        max: 600_000,
        default: 10_000,
    },
    example: "10000",
    help: "Deadline of one statement. Too high: a stuck statement holds its locks for that long. Too low: slow disks make healthy statements fail.",
};

const LOCK_TIMEOUT: Variable = Variable {
    name: "SEVER_DATABASE_LOCK_TIMEOUT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 50,
        max: 600_000,
        default: 5_000,
    },
    example: "5000",
    help: "Deadline of one wait for a lock; at most the statement deadline. Too high: queues form behind a stuck transaction. Too low: bursts fail and are retried.",
};

const CONNECT_TIMEOUT: Variable = Variable {
    name: "SEVER_DATABASE_CONNECT_TIMEOUT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 100,
        max: 60_000,
        default: 5_000,
    },
    example: "5000",
    help: "Deadline for a new connection and for a free one of the pool. Too high: callers hang while the database is away. Too low: a slow network looks like an outage.",
};

impl FromEnvironment for DatabaseConfig {
    const VARIABLES: &'static [&'static Variable] = &[
        &URL,
        &POOL_MAX,
        &STATEMENT_TIMEOUT,
        &LOCK_TIMEOUT,
        &CONNECT_TIMEOUT,
    ];

    fn read(reader: &mut Reader<'_>) -> Self {
        let config = Self {
            url: reader.secret(&URL, postgres_url),
            pool_max: reader.size(&POOL_MAX),
            statement_timeout: reader.time(&STATEMENT_TIMEOUT),
            lock_timeout: reader.time(&LOCK_TIMEOUT),
            connect_timeout: reader.time(&CONNECT_TIMEOUT),
        };
        let below = config.lock_timeout <= config.statement_timeout;
        reader.demand(
            below,
            &LOCK_TIMEOUT,
            "is above SEVER_DATABASE_STATEMENT_TIMEOUT_MS, so it would never be reached",
        );
        config
    }
}

/// Connection as the role that owns the schema; only for `sever migrate` and `sever dev`.
#[derive(Debug, Clone)]
pub struct OwnerDatabaseConfig {
    /// `postgres://` or `postgresql://` URL with the owner role.
    pub url: SecretString,
}

const OWNER_URL: Variable = Variable {
    name: "SEVER_DATABASE_OWNER_URL",
    kind: Kind::Secret { required: true },
    example: "postgres://sever_owner:password@127.0.0.1:5432/sever",
    help: "PostgreSQL as the role that owns the schema, for `sever migrate` only; never give it to a service. It makes the role sever_app, so it needs CREATEROLE: CREATE ROLE sever_owner LOGIN CREATEROLE PASSWORD '…';",
};

impl FromEnvironment for OwnerDatabaseConfig {
    const VARIABLES: &'static [&'static Variable] = &[&OWNER_URL];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            url: reader.secret(&OWNER_URL, postgres_url),
        }
    }
}

/// Accepts what libpq calls a connection URI, several hosts included; the rest of its syntax is the driver's to judge.
pub(crate) fn postgres_url(text: &str) -> Result<(), Wrong> {
    let wrong = Wrong::NotA("a postgres:// URL");
    let rest = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
        .ok_or(wrong.clone())?;
    let several_hosts = rest
        .split('/')
        .next()
        .is_some_and(|authority| authority.contains(','));
    let usable =
        !rest.contains(char::is_whitespace) && (several_hosts || url::Url::parse(text).is_ok());
    if usable { Ok(()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::MapEnvironment;

    const RIGHT: [(&str, &str); 1] = [(
        "SEVER_DATABASE_URL",
        "postgres://app:hunter2@127.0.0.1:5432/sever",
    )];

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = DatabaseConfig::from_environment(&MapEnvironment::from(RIGHT)).unwrap();
        assert_eq!(config.pool_max, 16);
        assert_eq!(config.statement_timeout, Duration::from_secs(10));
        assert_eq!(config.lock_timeout, Duration::from_secs(5));
        assert_eq!(config.connect_timeout, Duration::from_secs(5));
        assert!(config.url.expose_secret().contains("hunter2"));
        assert!(
            !format!("{config:?}").contains("hunter2"),
            "debug output must not hold the password"
        );
    }

    #[test]
    fn a_missing_and_a_wrong_variable_are_both_named_and_no_value_of_a_secret_is_printed() {
        let environment = MapEnvironment::from([
            ("SEVER_DATABASE_URL", "mysql://app:hunter2@h/sever"),
            ("SEVER_DATABASE_POOL_MAX", "0"),
        ]);
        let errors = DatabaseConfig::from_environment(&environment).unwrap_err();
        let text = errors.to_string();
        assert_eq!(errors.problems().len(), 2, "{text}");
        assert!(
            text.contains(
                "SEVER_DATABASE_URL is not a postgres:// URL; a right value is for example"
            ),
            "{text}"
        );
        assert!(
            text.contains("SEVER_DATABASE_POOL_MAX is 0, outside 1 to 200"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
        let missing =
            OwnerDatabaseConfig::from_environment(&MapEnvironment::default()).unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("SEVER_DATABASE_OWNER_URL is not set"),
            "{missing}"
        );
    }

    #[test]
    fn a_lock_deadline_above_the_statement_deadline_is_a_contradiction() {
        let environment =
            MapEnvironment::from(RIGHT).with("SEVER_DATABASE_LOCK_TIMEOUT_MS", "20000");
        let errors = DatabaseConfig::from_environment(&environment).unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("SEVER_DATABASE_LOCK_TIMEOUT_MS is above"),
            "{errors}"
        );
    }

    #[test]
    fn urls_of_sockets_and_of_several_hosts_are_right() {
        for right in [
            "postgresql:///sever?host=/run/postgresql",
            "postgres://a@%2Frun%2Fpg/sever",
            "postgres://a@h1:5432,h2:5433/sever",
        ] {
            assert_eq!(postgres_url(right), Ok(()), "{right}");
        }
        for wrong in [
            "host=h user=u",
            "postgres://h/a b",
            "postgres://[::1/sever",
            "http://h",
        ] {
            assert!(postgres_url(wrong).is_err(), "{wrong}");
        }
    }
}
