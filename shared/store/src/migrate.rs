//! Migrations: embedded files, run only by `sever migrate` (and by `sever dev`, which calls it).

use tokio_postgres::NoTls;

use crate::error::StoreError;
use crate::pool::Client;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The schema version that this program needs: the number of the newest migration file.
pub const SCHEMA_VERSION: i32 = 12;

/// One lock for all migrators of a database; refinery takes none of its own.
const MIGRATION_LOCK: i64 = 0x5e7e_7000;

const TAKE_LOCK: &str = "SELECT pg_advisory_lock($1)";
const RELEASE_LOCK: &str = "SELECT pg_advisory_unlock($1)";
const HISTORY_EXISTS: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
const READ_VERSION: &str = "SELECT coalesce(max(version), 0)::int4 FROM refinery_schema_history";

/// What a migration run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// The files that were applied, in order, as `V<number>__<name>`.
    pub applied: Vec<String>,
    /// The version afterwards.
    pub version: i32,
}

/// Brings the database to [`SCHEMA_VERSION`], as the owner role. Runs under one session lock, so two
/// migrators do not meet. Running it twice changes nothing.
///
/// # Errors
/// [`StoreError::BadUrl`], [`StoreError::NoConnection`], [`StoreError::Migration`]; each file is its
/// own transaction.
pub async fn migrate(owner_url: &str) -> Result<MigrationReport, StoreError> {
    let (mut client, connection) =
        tokio_postgres::connect(owner_url, NoTls)
            .await
            .map_err(|error| StoreError::NoConnection {
                doing: "migrating",
                source: Box::new(error),
            })?;
    let driver = tokio::spawn(connection);
    client
        .query(TAKE_LOCK, &[&MIGRATION_LOCK])
        .await
        .map_err(StoreError::statement("waiting for the migration lock"))?;
    let outcome = embedded::migrations::runner().run_async(&mut client).await;
    client
        .query(RELEASE_LOCK, &[&MIGRATION_LOCK])
        .await
        .map_err(StoreError::statement("releasing the migration lock"))?;
    drop(client);
    if let Ok(Err(error)) = driver.await {
        tracing::debug!(%error, "the migration's connection closed with an error");
    }
    let report = outcome.map_err(|source| StoreError::Migration {
        source: Box::new(source),
    })?;
    let applied = report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(MigrationReport {
        applied,
        version: SCHEMA_VERSION,
    })
}

pub(crate) async fn check_version(client: &Client) -> Result<(), StoreError> {
    let doing = "checking the schema version";
    let exists: bool = client.query(HISTORY_EXISTS, &[], doing).await?[0].get(0);
    let found = if exists {
        client.query(READ_VERSION, &[], doing).await?[0].get(0)
    } else {
        0
    };
    if found == SCHEMA_VERSION {
        Ok(())
    } else {
        Err(StoreError::SchemaVersion {
            found,
            needed: SCHEMA_VERSION,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_newest_files() {
        let newest = embedded::migrations::runner()
            .get_migrations()
            .iter()
            .map(refinery::Migration::version)
            .max()
            .unwrap();
        assert_eq!(i64::from(newest), i64::from(SCHEMA_VERSION));
    }
}
