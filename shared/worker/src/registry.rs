//! The connectors of this process, one for each connection and version.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use sever_config::{CredentialReference, ProcessEnvironment};
use sever_domain::ConnectionId;
use sever_provider::http::SharedConnection;
use sever_provider::{CallError, ConnectionSettings, Connector, ConnectorFactory};
use sever_store::worker_connection::{self, WorkerConnection};
use sever_store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, OnceCell};

use crate::ledger::StoreLedger;

/// Why there is no connector for a connection.
#[derive(Debug, Error)]
pub(crate) enum NoConnector {
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The connection is gone, or its settings or credential cannot be used; a person must mend it.
    #[error("{0}")]
    Unusable(String),
}

/// A connector with what is asked of it once.
pub(crate) struct Known<C> {
    pub(crate) connector: C,
    own_account: OnceCell<Option<String>>,
}

impl<C: Connector> Known<C> {
    /// The account that owns the credential in use; asked once for each connector.
    pub(crate) async fn own_account(&self) -> Result<Option<String>, CallError> {
        self.own_account
            .get_or_try_init(|| self.connector.own_account())
            .await
            .cloned()
    }
}

impl<C> Known<C> {
    fn new(connector: C) -> Arc<Self> {
        Arc::new(Self {
            connector,
            own_account: OnceCell::new(),
        })
    }
}

/// The connectors of one connection, one for each kind of subject.
pub(crate) struct Connectors<F: ConnectorFactory> {
    pub(crate) people: Arc<Known<F::People>>,
    pub(crate) integrations: Option<Arc<Known<F::Integrations>>>,
}

/// Connectors and the version of the connection that they were built from.
type Versioned<F> = (i64, Arc<Connectors<F>>);

/// Connectors by connection; a changed connection gets new ones.
pub(crate) struct Registry<F: ConnectorFactory> {
    factory: F,
    call_deadline: Duration,
    store: Store,
    known: Mutex<HashMap<ConnectionId, Versioned<F>>>,
    /// What outlives the connectors of a connection.
    shared: Lock<HashMap<ConnectionId, SharedConnection>>,
}

impl<F: ConnectorFactory> Registry<F> {
    pub(crate) fn new(factory: F, call_deadline: Duration, store: Store) -> Self {
        Self {
            factory,
            call_deadline,
            store,
            known: Mutex::new(HashMap::new()),
            shared: Lock::default(),
        }
    }

    pub(crate) const fn factory(&self) -> &F {
        &self.factory
    }

    /// The connectors of a connection at this version.
    ///
    /// # Errors
    /// [`NoConnector`].
    pub(crate) async fn get(
        &self,
        store: &Store,
        id: ConnectionId,
        version: i64,
    ) -> Result<Arc<Connectors<F>>, NoConnector> {
        if let Some((_, known)) = self
            .known
            .lock()
            .await
            .get(&id)
            .filter(|(at, _)| *at == version)
        {
            return Ok(Arc::clone(known));
        }
        let row = worker_connection::find(store, id)
            .await?
            .ok_or_else(|| NoConnector::Unusable(format!("connection {id} is gone")))?;
        let built = Arc::new(self.build(&row)?);
        self.known
            .lock()
            .await
            .insert(id, (row.version, Arc::clone(&built)));
        Ok(built)
    }

    /// What this process shares with others about a connection.
    pub(crate) fn shared(&self, id: ConnectionId) -> SharedConnection {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let made = shared.entry(id).or_insert_with(|| {
            let ledger = StoreLedger::new(self.store.clone(), id);
            SharedConnection::new(Arc::new(ledger))
        });
        made.clone()
    }

    /// Every connection that this process has worked at.
    pub(crate) fn all_shared(&self) -> Vec<(ConnectionId, SharedConnection)> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared
            .iter()
            .map(|(id, shared)| (*id, shared.clone()))
            .collect()
    }

    /// Forgets a connection's connectors, so that the next ones read its credential afresh.
    pub(crate) async fn forget(&self, id: ConnectionId) {
        self.known.lock().await.remove(&id);
    }

    /// Builds the connectors of a row, reading the credential afresh.
    pub(crate) fn build(&self, row: &WorkerConnection) -> Result<Connectors<F>, NoConnector> {
        let unusable = |field: &str, problem: &dyn std::fmt::Display| {
            NoConnector::Unusable(format!(
                "connection '{}' cannot be used: {field}: {problem}",
                row.name
            ))
        };
        let reference = CredentialReference::from_str(&row.credential_ref)
            .map_err(|error| unusable("credential", &error))?;
        let credential = reference
            .resolve(&ProcessEnvironment)
            .map_err(|error| unusable("credential", &error))?;
        let settings = ConnectionSettings {
            id: row.id,
            name: row.name.clone(),
            base_url: row
                .base_url
                .parse()
                .map_err(|error: url::ParseError| unusable("base_url", &error))?,
            credential,
            access_token_lifetime_max: seconds(row.token_lifetime_s),
            access_token_lifetime_by_issuer: row
                .token_lifetimes
                .iter()
                .map(|(issuer, lifetime)| (issuer.clone(), seconds(*lifetime)))
                .collect::<BTreeMap<_, _>>(),
            clock_skew: seconds(row.clock_skew_s),
            call_deadline: self.call_deadline,
            in_flight_max: usize::try_from(row.in_flight_max).unwrap_or(1),
            shared: self.shared(row.id),
        };
        let connected = self
            .factory
            .connect(settings)
            .map_err(|error| NoConnector::Unusable(error.to_string()))?;
        Ok(Connectors {
            people: Known::new(connected.people),
            integrations: connected.integrations.map(Known::new),
        })
    }
}

/// The column is checked to be 0 or more.
fn seconds(value: i64) -> Duration {
    Duration::from_secs(value.unsigned_abs())
}
