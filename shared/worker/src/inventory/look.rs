//! Reads by id: what an inventory shows is confirmed or refuted by the provider's strongly consistent read before anything acts on it.
//! Then the provider's log is asked who gave the access.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use sever_domain::{AccountState, ConnectionId, FindingId, OutcomeClass};
use sever_provider::{
    CallError, Connector, ConnectorFactory, FoundAccount, LogQuestion, Provenance,
};
use sever_store::finding::{self, Look, Suspect};
use sever_store::{Client, StoreError, standing, worker_connection};

use crate::clock::DatabaseClock;
use crate::epoch::Context;
use crate::registry::{Connectors, NoConnector, Registry};

/// Reads by id that one bell makes; the rest waits for the next one.
const AT_MOST: i64 = 200;
/// Reads that are judged together, so that little time lies between a read and its judgement.
const AT_ONCE: usize = 10;
/// Questions to the provider's log that one bell asks: logs have small rate budgets.
const LOGS_AT_MOST: i64 = 20;

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
    let actor = format!("worker:{}", context.heart.instance);
    let mut made = 0;
    for piece in suspects.chunks(AT_ONCE) {
        let (looks, goes_on) = read(context, &connectors, &clock, piece).await;
        let tried: Vec<FindingId> = piece.iter().map(|suspect| suspect.id).collect();
        let tx = client.begin().await?;
        finding::judge_looks(&tx, &looks, &actor).await?;
        if goes_on {
            finding::note_tried(&tx, &tried).await?;
        }
        tx.commit().await?;
        made += looks.len();
        if !goes_on {
            break;
        }
    }
    ask_logs(context, &connectors, &mut client, connection, &actor).await?;
    if made > 0 {
        tracing::info!(%connection, looks = made, "suspected findings were looked at");
    }
    Ok(())
}

/// Reads a piece; says whether reading goes on after it. What one account cannot be read for says nothing about the others.
async fn read<F: ConnectorFactory>(
    context: &Context,
    connectors: &Connectors<F>,
    clock: &DatabaseClock,
    piece: &[Suspect],
) -> (Vec<Look>, bool) {
    let mut looks = Vec::new();
    for suspect in piece {
        if context.soft.is_cancelled() || !context.heart.is_fresh() {
            return (looks, false);
        }
        let seen_at = clock.now();
        match find(connectors, suspect).await {
            Ok(Some(state)) => looks.push(Look {
                id: suspect.id,
                state,
                seen_at,
            }),
            Ok(None) => {}
            Err(error) => {
                tracing::info!(finding = %suspect.id, class = %error.class, error = %error, "a read by id failed");
                if stops_all(error.class) {
                    return (looks, false);
                }
            }
        }
    }
    (looks, true)
}

/// Whether the next account would fare no better.
const fn stops_all(class: OutcomeClass) -> bool {
    match class {
        OutcomeClass::Wait
        | OutcomeClass::RetryAt
        | OutcomeClass::Credentials
        | OutcomeClass::ShuttingDown => true,
        OutcomeClass::Done
        | OutcomeClass::Retry
        | OutcomeClass::Permanent
        | OutcomeClass::NeedsPerson => false,
    }
}

/// Asks the provider's log who gave the access that findings are about. A log that cannot be read now is asked again later.
async fn ask_logs<F: ConnectorFactory>(
    context: &Context,
    connectors: &Connectors<F>,
    client: &mut Client,
    connection: ConnectionId,
    actor: &str,
) -> Result<(), StoreError> {
    for question in finding::questions(client, connection, LOGS_AT_MOST).await? {
        if context.soft.is_cancelled() || !context.heart.is_fresh() {
            break;
        }
        let connector = &connectors.people.connector;
        let asked = LogQuestion {
            provider_id: &question.provider_id,
            since: question.since,
            held: &question.held,
        };
        let told = match connector.provenance(asked).await {
            Ok(told) => told,
            Err(error) => {
                tracing::info!(%connection, class = %error.class, error = %error, "the provider's log could not be asked");
                break;
            }
        };
        let (told, last) = match told {
            Provenance::Told(entries) if entries.is_empty() => (None, false),
            Provenance::Told(entries) => (Some(json!({ "entries": entries })), true),
            Provenance::NoLog(why) => (Some(json!({ "no_log": why })), true),
        };
        let tx = client.begin().await?;
        finding::note_provenance(&tx, question.id, told.as_ref(), last, actor).await?;
        tx.commit().await?;
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
    let state = find_at(&connectors.people.connector, suspect).await?;
    match &connectors.integrations {
        Some(integrations) if suspect.holder && state == AccountState::Absent => {
            find_at(&integrations.connector, suspect).await.map(Some)
        }
        Some(_) | None => Ok(Some(state)),
    }
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
