//! The connection pool, clients and transactions.

use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use jiff::Timestamp;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, NoTls, Row};

use crate::error::StoreError;
use crate::migrate;
use crate::patience::Patience;

/// How the database is reached.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// A `postgres://` URL. Secret.
    pub url: String,
    /// The most connections; 1 to 200.
    pub pool_max: usize,
    /// What one statement may take.
    pub statement_timeout: Duration,
    /// What waiting for one lock may take.
    pub lock_timeout: Duration,
    /// What getting a connection may take, from the pool or new.
    pub connect_timeout: Duration,
    /// Shown by PostgreSQL beside the connection.
    pub application_name: String,
}

/// A pool of connections. Cheap to clone.
///
/// Timeouts go into the startup packet, so that no session state is needed afterwards; behind a
/// transaction-pooling proxy set them on the role instead.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    patience: Patience,
}

/// One connection, returned to the pool when dropped, or closed where the server left a statement unanswered.
pub struct Client {
    /// There until the drop.
    object: Option<deadpool_postgres::Object>,
    patience: Patience,
}

/// One transaction, rolled back when dropped without [`Tx::commit`].
pub struct Tx<'a> {
    inner: deadpool_postgres::Transaction<'a>,
    patience: Patience,
}

/// Rows on their way in; dropped without [`Copy::finish`], they end the transaction.
pub(crate) struct Copy(Pin<Box<BinaryCopyInWriter>>);

impl Copy {
    /// Adds a row.
    pub(crate) async fn row(&mut self, values: &[&(dyn ToSql + Sync)]) -> Result<(), StoreError> {
        self.0
            .as_mut()
            .write(values)
            .await
            .map_err(StoreError::statement("copying a row"))
    }

    /// Ends the copy; the rows are in the transaction then.
    pub(crate) async fn finish(mut self) -> Result<(), StoreError> {
        self.0
            .as_mut()
            .finish()
            .await
            .map(drop)
            .map_err(StoreError::statement("copying rows"))
    }
}

impl Store {
    /// Makes the pool. Connects to nothing yet.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let config = pg_config(settings)?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            Manager::from_config(config, tls()?, recycling)
        } else {
            Manager::from_config(config, NoTls, recycling)
        };
        let pool = Pool::builder(manager)
            .max_size(settings.pool_max)
            .wait_timeout(Some(settings.connect_timeout))
            .create_timeout(Some(settings.connect_timeout))
            .recycle_timeout(Some(settings.connect_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::BadUrl {
                problem: error.to_string(),
            })?;
        Ok(Self {
            pool,
            patience: Patience::beyond(settings.statement_timeout),
        })
    }

    /// A connection, for what `doing` names.
    ///
    /// # Errors
    /// [`StoreError::NoConnection`] when none can be had within the connect timeout.
    pub async fn client(&self, doing: &'static str) -> Result<Client, StoreError> {
        let object = self
            .pool
            .get()
            .await
            .map_err(|error| StoreError::NoConnection {
                doing,
                source: Box::new(error),
            })?;
        Ok(Client {
            object: Some(object),
            patience: self.patience.afresh(),
        })
    }

    /// Refuses a database whose schema is not the one that this program was built for.
    ///
    /// # Errors
    /// [`StoreError::SchemaVersion`], or as any statement.
    pub async fn check_version(&self) -> Result<(), StoreError> {
        migrate::check_version(&self.client("checking the schema version").await?).await
    }

    /// Whether a trivial statement works; for readiness.
    ///
    /// # Errors
    /// As any statement.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let client = self.client("checking that the database answers").await?;
        client
            .query("SELECT 1", &[], "checking that the database answers")
            .await
            .map(drop)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(object) = self.object.take()
            && self.patience.is_over()
        {
            // Taken from the pool, it is closed with this value.
            drop(deadpool_postgres::Object::take(object));
        }
    }
}

impl Client {
    fn object(&self) -> &deadpool_postgres::Object {
        self.object.as_ref().expect("it is taken by the drop only")
    }

    /// Begins a transaction (read committed).
    ///
    /// # Errors
    /// As any statement.
    pub async fn begin(&mut self) -> Result<Tx<'_>, StoreError> {
        let object = self.object.as_mut().expect("it is taken by the drop only");
        let begun = object.transaction();
        let inner = self
            .patience
            .answer("beginning a transaction", begun)
            .await?;
        let patience = self.patience.clone();
        Ok(Tx { inner, patience })
    }

    pub(crate) async fn query(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<Vec<Row>, StoreError> {
        let answer = async {
            let statement = self.object().prepare_cached(sql).await?;
            self.object().query(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<Option<Row>, StoreError> {
        let answer = async {
            let statement = self.object().prepare_cached(sql).await?;
            self.object().query_opt(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }

    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<u64, StoreError> {
        let answer = async {
            let statement = self.object().prepare_cached(sql).await?;
            self.object().execute(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }
}

impl Tx<'_> {
    /// Commits. Only when this returns `Ok` may anything be said or sent that rests on it.
    ///
    /// # Errors
    /// As any statement; after an error the outcome is not known and must be read.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { inner, patience } = self;
        patience
            .answer("committing a transaction", inner.commit())
            .await
    }

    /// The transaction's time, by the database's clock.
    ///
    /// # Errors
    /// As any statement.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let rows = self
            .query("SELECT now()", &[], "reading the database's clock")
            .await?;
        Ok(rows[0].get(0))
    }

    pub(crate) async fn query(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<Vec<Row>, StoreError> {
        let answer = async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.query(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<Option<Row>, StoreError> {
        let answer = async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.query_opt(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }

    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<u64, StoreError> {
        let answer = async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.execute(&statement, values).await
        };
        self.patience.answer(doing, answer).await
    }

    /// Prepares what this connection does not know yet. Statements that are known are sent when they are first
    /// polled, so that what is joined afterwards travels together and in the order of the join: a row may go
    /// with the one that it refers to.
    pub(crate) async fn prepare(
        &self,
        statements: &[&'static str],
        doing: &'static str,
    ) -> Result<(), StoreError> {
        for sql in statements {
            let known = self.inner.prepare_cached(sql);
            self.patience.answer(doing, known).await?;
        }
        Ok(())
    }

    /// Waits this long for each statement that follows; to be said where `SET LOCAL statement_timeout` was changed to it.
    pub(crate) fn be_patient_for(&mut self, statement_timeout: Duration) {
        self.patience = self.patience.changed_to(statement_timeout);
    }

    /// Runs statements that take no values, one after the other.
    pub(crate) async fn batch(&self, sql: &str, doing: &'static str) -> Result<(), StoreError> {
        self.patience
            .answer(doing, self.inner.batch_execute(sql))
            .await
    }

    /// Begins to copy rows of these types in.
    pub(crate) async fn copy_in(&self, sql: &str, types: &[Type]) -> Result<Copy, StoreError> {
        let sink = self
            .inner
            .copy_in(sql)
            .await
            .map_err(StoreError::statement("beginning to copy rows"))?;
        Ok(Copy(Box::pin(BinaryCopyInWriter::new(sink, types))))
    }

    /// Runs a guarded change of exactly one row.
    pub(crate) async fn execute_one(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<(), StoreError> {
        if self.execute(sql, values, doing).await? == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict { doing })
        }
    }
}

fn pg_config(settings: &DatabaseSettings) -> Result<Config, StoreError> {
    let mut config: Config = settings
        .url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::BadUrl {
            problem: error.to_string(),
        })?;
    let options = format!(
        "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
        settings.statement_timeout.as_millis(),
        settings.lock_timeout.as_millis()
    );
    config
        .options(&options)
        .connect_timeout(settings.connect_timeout)
        .application_name(&settings.application_name);
    config
        .keepalives_idle(Duration::from_secs(15))
        .tcp_user_timeout(Duration::from_secs(30));
    Ok(config)
}

fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect, StoreError> {
    let unusable = |error: &dyn std::fmt::Display| StoreError::BadUrl {
        problem: format!("TLS cannot be set up: {error}"),
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let config = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}
