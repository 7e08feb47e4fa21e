//! Requests about people whom nobody knew when they came: tried again, and alerted when they wait long.

use sever_domain::RequestId;
use sever_domain::request::RequestState;
use sever_store::opt_out::usable_connections;
use sever_store::{Store, StoreError, person, request, request_unmatched};
use sever_telemetry::catalogue;

use crate::ask::Ask;
use crate::error::AcceptError;
use crate::record::place;

/// How many requests one pass tries.
const BATCH: i64 = 5_000;

/// How long a request may be unmatched before it is alerted, in seconds.
const ALERT_AFTER_S: f64 = 900.0;

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retried {
    /// Requests that found their person now.
    pub matched: usize,
    /// Requests that were alerted for the first time.
    pub alerted: usize,
    /// Requests that are unmatched still.
    pub unmatched: i64,
}

/// Tries the unmatched requests whose key somebody has by now, each in a transaction of its own, and
/// alerts those that have waited for 15 minutes. Call it after each import and every minute; `actor` is
/// who does so (`system:intake`, `token:NAME`). Harmless at any time and from several processes.
///
/// # Errors
/// As any statement; what was matched before stays matched.
pub async fn retry_unmatched(store: &Store, actor: &str) -> Result<Retried, StoreError> {
    let mut retried = Retried::default();
    for id in request_unmatched::matchable(store, BATCH).await? {
        match retry(store, id, actor).await {
            Ok(true) => retried.matched += 1,
            Ok(false) => {}
            Err(AcceptError::Store(error)) => return Err(error),
            // It stays unmatched, and is alerted in time.
            Err(error) => {
                tracing::warn!(request = %id, %error, "an unmatched request cannot be placed")
            }
        }
    }
    for id in request_unmatched::alert_unmatched(store, ALERT_AFTER_S).await? {
        retried.alerted += 1;
        tracing::warn!(request = %id, "a request has been unmatched for 15 minutes: import the person, or look at the key");
    }
    let client = store.client("counting unmatched requests").await?;
    retried.unmatched = request_unmatched::count_unmatched(&client).await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
    metrics::gauge!(catalogue::UNMATCHED_REQUESTS.name).set(retried.unmatched as f64);
    Ok(retried)
}

/// Whether the request found its person now.
async fn retry(store: &Store, id: RequestId, actor: &str) -> Result<bool, AcceptError> {
    let mut client = store.client("placing an unmatched request").await?;
    let tx = client.begin().await?;
    let Some(stored) = request::lock(&tx, id).await? else {
        return Ok(false);
    };
    let (RequestState::Unmatched, Some(source), Some(key)) =
        (stored.state, stored.source, stored.external_id.as_deref())
    else {
        return Ok(false);
    };
    let Some(person) = person::lock_by_key(&tx, source, key).await? else {
        return Ok(false);
    };
    let ask = Ask::of_stored(stored, actor)?;
    let placed = place(&tx, &ask, &person, &usable_connections(&tx).await?).await?;
    if placed.state == RequestState::Unmatched {
        return Ok(false);
    }
    tx.commit().await?;
    let opt_out = placed.opt_out.map(|id| id.to_string());
    tracing::info!(request = %id, opt_out, state = %placed.state, "an unmatched request found its person");
    Ok(true)
}
