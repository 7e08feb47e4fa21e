//! Servers that were given by the environment, or private ones.

use std::path::Path;

use url::Url;

use crate::{PostgresOptions, PrivatePostgres, PrivateRabbit, RabbitOptions, ServerError};

/// The database server to use.
#[derive(Debug)]
pub enum DatabaseServer {
    /// The one of `DATABASE_URL`; it is neither started nor stopped by us.
    Given(GivenUrl),
    /// One of our own.
    Private(PrivatePostgres),
}

impl DatabaseServer {
    /// Uses `given` (the value of `DATABASE_URL`, if set), else starts a private server on `dir`.
    ///
    /// # Errors
    /// [`ServerError::BadUrl`] if `given` is no `postgres://` URL, else as [`PrivatePostgres::start`].
    pub async fn choose(
        given: Option<&str>,
        dir: &Path,
        options: PostgresOptions,
    ) -> Result<Self, ServerError> {
        match given {
            Some(url) => {
                GivenUrl::parse(url, "DATABASE_URL", &["postgres", "postgresql"]).map(Self::Given)
            }
            None => PrivatePostgres::start_with(dir, options)
                .await
                .map(Self::Private),
        }
    }

    /// The URL of `database` on this server; for a given server with the given user, password and parameters.
    pub fn url(&self, database: &str) -> String {
        match self {
            Self::Given(given) => {
                let mut url = given.0.clone();
                url.set_path(database);
                url.into()
            }
            Self::Private(server) => server.url(database),
        }
    }

    /// The URL exactly as it was given; `None` for a private server, whose databases the caller names.
    pub fn given(&self) -> Option<&str> {
        match self {
            Self::Given(given) => Some(given.0.as_str()),
            Self::Private(_) => None,
        }
    }
}

/// The broker to use.
#[derive(Debug)]
pub enum BrokerServer {
    /// The one of `AMQP_URL`; it is neither started nor stopped by us.
    Given(GivenUrl),
    /// One of our own.
    Private(PrivateRabbit),
}

impl BrokerServer {
    /// Uses `given` (the value of `AMQP_URL`, if set), else starts a private server on `dir`.
    ///
    /// # Errors
    /// [`ServerError::BadUrl`] if `given` is no `amqp://` or `amqps://` URL, else as [`PrivateRabbit::start`].
    pub async fn choose(
        given: Option<&str>,
        dir: &Path,
        options: RabbitOptions,
    ) -> Result<Self, ServerError> {
        match given {
            Some(url) => GivenUrl::parse(url, "AMQP_URL", &["amqp", "amqps"]).map(Self::Given),
            None => PrivateRabbit::start_with(dir, options)
                .await
                .map(Self::Private),
        }
    }

    /// The AMQP URL.
    pub fn url(&self) -> String {
        match self {
            Self::Given(given) => given.0.to_string(),
            Self::Private(server) => server.url(),
        }
    }
}

/// A URL that may hold a password: its debug form shows only scheme and host.
pub struct GivenUrl(Url);

impl GivenUrl {
    fn parse(
        text: &str,
        what: &'static str,
        schemes: &[&'static str],
    ) -> Result<Self, ServerError> {
        let bad = ServerError::BadUrl {
            what,
            scheme: schemes.first().copied().unwrap_or_default(),
        };
        match Url::parse(text) {
            Ok(url) if schemes.contains(&url.scheme()) => Ok(Self(url)),
            Ok(_) | Err(_) => Err(bad),
        }
    }
}

impl std::fmt::Debug for GivenUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}://{}",
            self.0.scheme(),
            self.0.host_str().unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_given_server_keeps_user_and_parameters_and_takes_the_database_name() {
        let given = Some("postgres://u:p@db:6432/app?sslmode=require");
        let server =
            DatabaseServer::choose(given, Path::new("/nowhere"), PostgresOptions::default())
                .await
                .unwrap();
        assert_eq!(
            server.url("other"),
            "postgres://u:p@db:6432/other?sslmode=require"
        );
        assert_eq!(server.given(), given);
        assert!(
            !format!("{server:?}").contains(":p@"),
            "the debug form must not show the password"
        );
    }

    #[tokio::test]
    async fn a_url_of_another_kind_is_refused_by_name() {
        let refused = BrokerServer::choose(
            Some("http://x"),
            Path::new("/nowhere"),
            RabbitOptions::default(),
        )
        .await;
        assert!(refused.unwrap_err().to_string().contains("AMQP_URL"));
    }
}
