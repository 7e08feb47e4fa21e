//! Reads by id: what an inventory shows is confirmed or refuted by the provider's strongly consistent read before anything acts on it.

use std::sync::Arc;
use std::time::Instant;

use sever_domain::{AccountState, ConnectionId, OutcomeClass};
use sever_provider::{CallError, Connector, ConnectorFactory, FoundAccount};
use sever_store::finding::{self, Look, Suspect};
use sever_store::{StoreError, standing, worker_connection};

use crate::clock::DatabaseClock;
use crate::epoch::Context;
use crate::registry::{Connectors, NoConnector, Registry};

/// Reads by id that one bell makes; the rest waits for the next one.
const AT_MOST: i64 = 200;

/// Makes the reads that a connection's suspected findings wait for, as far as they can be made now.
pub(super) async fn look<F: ConnectorFactory>(
    context: &Context,
    registry: &Arc<Registry<F>>,
    connection: ConnectionId,
) -> Result<(), StoreError> {
    let Some(row) = worker_connection::find(&context.store, connection).await? else {
        return Ok(());
    };
    let connectors = match registry.get(&context.store, connection, row.version).await {
        Ok(connectors) => connectors,
        Err(NoConnector::Store(error)) => return Err(error),
        Err(NoConnector::Unusable(what)) => {
            tracing::warn!(%connection, what, "a suspected finding cannot be looked at");
            return Ok(());
        }
    };
    let mut client = context
        .store
        .client("looking at suspected findings")
        .await?;
    let suspects = finding::suspects(&client, connection, AT_MOST).await?;
    let now = standing::clock(&client).await?;
    // Taken after the answer, so that what is carried is never too late: a sight must not seem newer than it is.
    let clock = DatabaseClock::new(now, Instant::now());
    let mut looks = Vec::new();
    for suspect in suspects {
        if context.soft.is_cancelled() || !context.heart.is_fresh() {
            break;
        }
        let seen_at = clock.now();
        match find(&connectors, &suspect).await {
            Ok(Some(state)) => looks.push(Look {
                id: suspect.id,
                state,
                seen_at,
            }),
            Ok(None) => {}
            Err(error) => {
                tracing::info!(%connection, class = %error.class, error = %error, "a read by id failed");
                if error.class != OutcomeClass::NeedsPerson {
                    break;
                }
            }
        }
    }
    let tx = client.begin().await?;
    finding::judge_looks(&tx, &looks, &format!("worker:{}", context.heart.instance)).await?;
    tx.commit().await?;
    if !looks.is_empty() {
        tracing::info!(%connection, looks = looks.len(), "suspected findings were looked at");
    }
    Ok(())
}

/// Reads one account; `None` where nothing can be said. Absence is believed after a canary only.
async fn find<F: ConnectorFactory>(
    connectors: &Connectors<F>,
    suspect: &Suspect,
) -> Result<Option<AccountState>, CallError> {
    if suspect.application {
        let Some(integrations) = &connectors.integrations else {
            return Ok(None);
        };
        return find_at(&integrations.connector, suspect).await.map(Some);
    }
    find_at(&connectors.people.connector, suspect)
        .await
        .map(Some)
}

async fn find_at<C: Connector>(
    connector: &C,
    suspect: &Suspect,
) -> Result<AccountState, CallError> {
    match connector.find_by_id(&suspect.provider_id).await? {
        FoundAccount::Present(account) => Ok(account.state),
        FoundAccount::Absent => {
            connector.canary().await?;
            Ok(AccountState::Absent)
        }
    }
}
