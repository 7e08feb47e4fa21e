//! The database, for the few commands that go there directly.

use std::time::Duration;

use sever_config::{DatabaseConfig, ExposeSecret as _, FromEnvironment as _, ProcessEnvironment};
use sever_store::{DatabaseSettings, Store, StoreError};

use crate::exit::{Failure, Reason};

/// A person waits for it, and whole tables are read.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);
/// A command run by hand can wait a little for somebody else's lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest wait for the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database of `SEVER_DATABASE_URL` and refuses another schema version.
pub(crate) async fn open() -> Result<Store, Failure> {
    let config = DatabaseConfig::from_environment(&ProcessEnvironment)?;
    open_with(
        config.url.expose_secret(),
        config.lock_timeout,
        config.connect_timeout,
    )
    .await
}

/// The same for another URL.
pub(crate) async fn open_url(url: &str) -> Result<Store, Failure> {
    open_with(url, LOCK_TIMEOUT, CONNECT_TIMEOUT).await
}

async fn open_with(
    url: &str,
    lock_timeout: Duration,
    connect_timeout: Duration,
) -> Result<Store, Failure> {
    let settings = DatabaseSettings {
        url: url.to_owned(),
        pool_max: 2,
        statement_timeout: STATEMENT_TIMEOUT,
        lock_timeout,
        connect_timeout,
        application_name: "sever".to_owned(),
    };
    let store = Store::new(&settings).map_err(|error| failure(&error))?;
    store
        .check_version()
        .await
        .map_err(|error| failure(&error))?;
    Ok(store)
}

/// A failure of the database with its cause and exit code.
pub(crate) fn failure(error: &StoreError) -> Failure {
    let reason = match error {
        StoreError::NoConnection { .. } | StoreError::Silent { .. } => Reason::Unreachable,
        StoreError::BadUrl { .. } => Reason::Usage,
        StoreError::SchemaVersion { .. } => Reason::Refused,
        StoreError::Statement { .. }
        | StoreError::Conflict { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Migration { .. } => Reason::Problem,
    };
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let causes: String = causes.map(|cause| format!(": {cause}")).collect();
    Failure::new(reason, format!("{error}{causes}"))
}
