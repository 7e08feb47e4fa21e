//! How much of everything there is: the counts on one screen.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::StoreError;
use crate::pool::Client;

/// One row for each counted word of each kind of thing.
const COUNTS: &str = "
SELECT 'job' AS what, state AS word, count(*)::int8 AS count FROM job GROUP BY state
UNION ALL SELECT 'opt_out', state, count(*) FROM opt_out GROUP BY state
UNION ALL SELECT 'hold', reason, count(*) FROM hold WHERE state = 'open' GROUP BY reason
UNION ALL SELECT 'connection', state, count(*) FROM connection GROUP BY state
UNION ALL SELECT 'person', employment_state, count(*) FROM person GROUP BY employment_state
UNION ALL SELECT 'request', state, count(*) FROM request GROUP BY state
UNION ALL SELECT 'dead_letter', 'open', count(*) FROM dead_letter WHERE state = 'open'
UNION ALL SELECT 'rejected', 'kept', count(*) FROM intake_reject
UNION ALL SELECT 'outbox', 'rows', count(*) FROM outbox";

/// Opt-outs whose work is under way: in force and due, and not yet at rest.
const UNSETTLED: &str = "
SELECT count(DISTINCT opt_out_id)::int8 AS unsettled, now() AS now FROM job
WHERE state = 'running' OR (state = 'waiting' AND effective_at <= now())";

/// Counts, by kind of thing and state or reason. A word without any is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// By kind (`job`, `opt_out`, `hold`, `connection`, `person`, `request`, `dead_letter`, `rejected`, `outbox`), then by word.
    pub counts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Opt-outs with a job that runs, or that waits though it has taken effect.
    pub unsettled: i64,
    /// When it was read, by the database's clock.
    pub now: Timestamp,
}

/// Counts everything. Reads whole tables: for people who look, not for a metric.
///
/// # Errors
/// As any statement.
pub async fn read(client: &Client) -> Result<Overview, StoreError> {
    let doing = "counting everything";
    let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in client.query(COUNTS, &[], doing).await? {
        let by_word = counts.entry(row.get("what")).or_default();
        by_word.insert(row.get("word"), row.get("count"));
    }
    let rows = client.query(UNSETTLED, &[], doing).await?;
    Ok(Overview {
        counts,
        unsettled: rows[0].get("unsettled"),
        now: rows[0].get("now"),
    })
}
