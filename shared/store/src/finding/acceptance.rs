//! Acceptances that are over.

use serde_json::json;
use sever_domain::finding::FindingEvent;
use sever_domain::{ConnectionId, FindingId};

use super::decide::lock;
use crate::error::StoreError;
use crate::pool::Tx;

/// Within a comparison: what is not seen any more closes otherwise.
const OVER: &str = "-- Accepted findings that are still so.
SELECT finding.id FROM finding
WHERE finding.connection_id = $1 AND finding.state = 'accepted' AND finding.accepted_until <= now()
  AND EXISTS (SELECT FROM drift_cause AS cause
              WHERE cause.situation = finding.situation AND cause.cause_key = finding.cause_key AND NOT cause.stale)
ORDER BY finding.id";

const END: &str = "UPDATE finding SET state = $2, state_reason = 'acceptance_over' WHERE id = $1 AND state = 'accepted'";

/// Lets findings whose acceptance is over begin anew where a comparison sees them again: nothing acts on what no read by id has
/// confirmed since. To be called within a comparison.
pub(crate) async fn end_acceptances(
    tx: &Tx<'_>,
    connection: ConnectionId,
    actor: &str,
) -> Result<(), StoreError> {
    let doing = "ending acceptances";
    for row in tx.query(OVER, &[&connection.0], doing).await? {
        let id = FindingId(row.get("id"));
        let Some(locked) = lock(tx, id).await? else {
            continue;
        };
        let begins = locked.situation.begins(locked.action);
        let Ok(to) = locked.state.after(FindingEvent::AcceptanceOver(begins)) else {
            continue;
        };
        tx.execute_one(END, &[&id.0, &to.as_str()], doing).await?;
        locked
            .record(tx, to, json!({"reason": "acceptance_over"}), actor)
            .await?;
    }
    Ok(())
}
