//! The database, for the few commands that go there directly.

use std::time::Duration;

use sever_config::{DatabaseConfig, ExposeSecret as _, FromEnvironment as _, ProcessEnvironment};
use sever_store::{DatabaseSettings, Store, StoreError};

use crate::exit::{Failure, Reason};

/// A person waits for it, and whole tables are read.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// Opens the database of `SEVER_DATABASE_URL` and refuses another schema version.
pub(crate) async fn open() -> Result<Store, Failure> {
    let config = DatabaseConfig::from_environment(&ProcessEnvironment)?;
    let settings = DatabaseSettings {
        url: config.url.expose_secret().to_owned(),
        pool_max: 2,
        statement_timeout: STATEMENT_TIMEOUT,
        lock_timeout: config.lock_timeout,
        connect_timeout: config.connect_timeout,
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
        StoreError::NoConnection { .. } => Reason::Unreachable,
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
