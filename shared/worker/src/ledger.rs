//! The ledger of a connection's rate budget and of its lane, in PostgreSQL.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use sever_domain::ConnectionId;
use sever_domain::rate::{Grant, Priority};
use sever_provider::http::{HeardWindow, Leased, RateLedger};
use sever_store::{Store, leader, rate};
use sever_telemetry::chain;
use uuid::Uuid;

/// Leases for one connection.
pub(crate) struct StoreLedger {
    store: Store,
    connection: ConnectionId,
    /// Who this process is to the others.
    holder: Uuid,
}

impl StoreLedger {
    pub(crate) fn new(store: Store, connection: ConnectionId) -> Self {
        Self {
            store,
            connection,
            holder: Uuid::new_v4(),
        }
    }

    fn lane(&self) -> String {
        format!("lane:{}", self.connection)
    }

    async fn ask(
        &self,
        bucket: &'static str,
        heard: Option<HeardWindow>,
        priority: Priority,
    ) -> Option<Leased> {
        let heard = heard.map(|heard| rate::HeardWindow {
            limit: heard.limit,
            remaining: heard.remaining,
            ends_in: signed(heard.ends_in),
            declared: heard.declared,
        });
        let leased = rate::lease(&self.store, self.connection, bucket, heard, priority).await;
        let (grant, now) = leased
            .inspect_err(|error| {
                tracing::debug!(connection = %self.connection, bucket, error = %chain(error), "no block of the rate budget could be leased; this process goes by its own count");
            })
            .ok()?;
        let until = |at: jiff::Timestamp| Duration::try_from(at.duration_since(now));
        Some(match grant {
            Grant::Unbounded => Leased::Unbounded,
            Grant::Block { tokens, until: at } => Leased::Block {
                tokens,
                ends_in: until(at).unwrap_or_default(),
            },
            Grant::Later { at } => Leased::Later(until(at).unwrap_or_default()),
        })
    }
}

impl std::fmt::Debug for StoreLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StoreLedger")
            .field(&self.connection)
            .finish()
    }
}

impl RateLedger for StoreLedger {
    fn lease<'a>(
        &'a self,
        bucket: &'static str,
        heard: Option<HeardWindow>,
        priority: Priority,
    ) -> BoxFuture<'a, Option<Leased>> {
        self.ask(bucket, heard, priority).boxed()
    }

    fn refused<'a>(&'a self, bucket: &'static str, wait: Duration) -> BoxFuture<'a, ()> {
        async move {
            let noted = rate::refused(&self.store, self.connection, bucket, signed(wait)).await;
            if let Err(error) = noted {
                tracing::debug!(connection = %self.connection, bucket, error = %chain(&error), "other processes could not be told of a refusal; the job's settle tells them");
            }
        }
        .boxed()
    }

    fn take_lane<'a>(&'a self, lease: Duration) -> BoxFuture<'a, bool> {
        async move {
            let taken = leader::lead(&self.store, &self.lane(), self.holder, lease).await;
            taken.unwrap_or_else(|error| {
                tracing::debug!(connection = %self.connection, error = %chain(&error), "the lane could not be asked for");
                false
            })
        }
        .boxed()
    }

    fn leave_lane<'a>(&'a self) -> BoxFuture<'a, ()> {
        async move {
            if let Err(error) = leader::resign(&self.store, &self.lane(), self.holder).await {
                tracing::debug!(connection = %self.connection, error = %chain(&error), "the lane could not be given back; it ends by itself");
            }
        }
        .boxed()
    }
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}
