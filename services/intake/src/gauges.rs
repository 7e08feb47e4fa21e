//! The counts that PostgreSQL knows, as metrics. The counters of an instance that stopped would stay, so
//! everything that was ever set is set again, to zero where there is none.

use std::collections::BTreeMap;

use sever_domain::{HoldReason, JobState, Provider};
use sever_store::{Store, StoreError, gauges, outbox, request_unmatched};
use sever_telemetry::catalogue;

/// Reads the counts and sets the gauges.
///
/// # Errors
/// As any statement; the gauges keep their last values then.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) async fn refresh(store: &Store) -> Result<(), StoreError> {
    let client = store.client("counting what is open").await?;
    let connections = gauges::connections(&client).await?;
    let jobs: BTreeMap<(JobState, Provider), i64> = gauges::open_jobs(&client)
        .await?
        .into_iter()
        .map(|(state, provider, count)| ((state, provider), count))
        .collect();
    for connection in &connections {
        let provider = connection.provider.as_str();
        metrics::gauge!(catalogue::CONNECTIONS_PARKED.name, "provider" => provider)
            .set(connection.parked as f64);
        metrics::gauge!(catalogue::CONNECTION_BLOCKED_SECONDS.name, "provider" => provider)
            .set(connection.blocked_s);
        for state in JobState::ALL.iter().filter(|state| state.is_open()) {
            let count = jobs
                .get(&(*state, connection.provider))
                .copied()
                .unwrap_or(0);
            metrics::gauge!(catalogue::JOBS.name, "state" => state.as_str(), "provider" => provider).set(count as f64);
        }
    }
    let holds: BTreeMap<HoldReason, i64> = gauges::open_holds(&client).await?.into_iter().collect();
    for reason in HoldReason::ALL {
        let count = holds.get(reason).copied().unwrap_or(0);
        metrics::gauge!(catalogue::HOLDS_OPEN.name, "reason" => reason.as_str()).set(count as f64);
    }
    let backlog = outbox::backlog(&client).await?;
    metrics::gauge!(catalogue::OUTBOX_ROWS.name).set(backlog.rows as f64);
    metrics::gauge!(catalogue::OUTBOX_OLDEST_SECONDS.name).set(backlog.oldest_s);
    let unmatched = request_unmatched::count_unmatched(&client).await?;
    metrics::gauge!(catalogue::UNMATCHED_REQUESTS.name).set(unmatched as f64);
    Ok(())
}
