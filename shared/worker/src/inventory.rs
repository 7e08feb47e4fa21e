//! Inventories: a bell that names a run is read to its end; one that names a connection has reads by id made for what is suspected there.

mod closely;
mod look;
mod progress;
mod read;
mod subjects;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use sever_bus::{Delivery, Disposition, Handler};
use sever_domain::{ConnectionId, RunId};
use sever_provider::ConnectorFactory;
use sever_provider::http::{JobScope, Priority, in_scope};
use sever_telemetry::chain;

use crate::epoch::Context;
use crate::registry::Registry;

/// The body of a bell of the inventory queue.
#[derive(Debug, Deserialize)]
struct Bell {
    #[serde(default)]
    run: Option<RunId>,
    #[serde(default)]
    look: Option<ConnectionId>,
}

/// Answers the inventory bells of one provider.
pub(crate) struct InventoryBells<F: ConnectorFactory> {
    pub(crate) context: Arc<Context>,
    pub(crate) registry: Arc<Registry<F>>,
}

impl<F: ConnectorFactory> Handler for InventoryBells<F> {
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition> {
        async move {
            let Ok(bell) = serde_json::from_slice::<Bell>(&delivery.body) else {
                tracing::error!(
                    bytes = delivery.body.len(),
                    "an inventory bell cannot be read; it goes to the dead-letter queue"
                );
                return Disposition::DeadLetter;
            };
            if let Some(run) = bell.run
                && let Err(error) =
                    listing(read::read(&self.context, &self.registry, run)).await
            {
                tracing::warn!(%run, error = %chain(&error), "an inventory stopped; the reconciler rings it again");
            }
            if let Some(connection) = bell.look
                && let Err(error) = look::look(&self.context, &self.registry, connection).await
            {
                tracing::warn!(%connection, error = %chain(&error), "reads by id stopped; the reconciler asks for them again");
            }
            Disposition::Ack
        }
        .boxed()
    }
}

/// Listing everything leaves half of each window to opt-outs.
async fn listing<T>(reading: impl Future<Output = T>) -> T {
    let scope = JobScope {
        priority: Priority::Inventory,
        progress: Arc::default(),
    };
    in_scope(scope, reading).await
}
