//! What the reconciler that leads tells as metrics: findings, and what needs somebody in Sever itself.

use std::collections::BTreeMap;

use sever_domain::{FindingState, Situation};
use sever_store::{Store, StoreError, finding, integrity};
use sever_telemetry::catalogue;

/// Counts open findings.
///
/// # Errors
/// As any statement; the gauges keep their last values then.
pub(crate) async fn count_findings(store: &Store) -> Result<(), StoreError> {
    let client = store.client("counting findings").await?;
    let counts: BTreeMap<(Situation, FindingState), i64> = finding::open_counts(&client)
        .await?
        .into_iter()
        .map(|(situation, state, count)| ((situation, state), count))
        .collect();
    set_findings(&counts);
    set_returned(finding::returned(&client).await?);
    Ok(())
}

/// Checks Sever's own integrity. Reads the newest inventories.
///
/// # Errors
/// As [`count_findings`].
pub(crate) async fn count_concerns(store: &Store) -> Result<(), StoreError> {
    let client = store.client("checking Sever's own integrity").await?;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for concern in integrity::check(&client).await? {
        *counts.entry(concern.name).or_default() += 1;
    }
    set_concerns(&counts);
    Ok(())
}

/// Another process tells from now on.
pub(crate) fn tell_nothing() {
    set_findings(&BTreeMap::new());
    set_returned(0);
    set_concerns(&BTreeMap::new());
}

/// Everything that was ever set is set again, to zero where there is none.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn set_findings(counts: &BTreeMap<(Situation, FindingState), i64>) {
    for situation in Situation::ALL {
        for state in FindingState::ALL.iter().filter(|state| !state.is_closed()) {
            let count = counts.get(&(*situation, *state)).copied().unwrap_or(0);
            metrics::gauge!(catalogue::FINDINGS.name, "situation" => situation.as_str(), "state" => state.as_str())
                .set(count as f64);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn set_returned(count: i64) {
    metrics::gauge!(catalogue::FINDINGS_RETURNED.name).set(count as f64);
}

fn set_concerns(counts: &BTreeMap<&str, u32>) {
    for check in integrity::CHECKS {
        let count = counts.get(check.name).copied().unwrap_or(0);
        metrics::gauge!(catalogue::CONCERNS.name, "check" => check.name).set(f64::from(count));
    }
}
