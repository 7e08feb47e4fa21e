//! Provenance: which findings a provider's log is to be asked about, and what it said.

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_domain::{ConnectionId, EntitlementKind, FindingId};
use tokio_postgres::Row;

use super::decide::lock;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// A log that told nothing after so many questions will not tell.
pub const ASKS_MAX: i32 = 6;

/// A log is late: it is asked at once, then after 5 s, 15 s, 45 s and so on. A repair does not wait for it, so one that is under way
/// or done is asked about as well. Nobody gave what is missing or could not be read.
macro_rules! due {
    ($columns:literal, $tail:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM finding JOIN connection ON connection.id = finding.connection_id
WHERE provider_id IS NOT NULL AND provenance IS NULL AND finding.state <> 'closed' AND finding.opened_at > now() - interval '1 day'
  AND situation NOT IN ('missing', 'gone_at_source', 'unreachable') AND provenance_asks < 6 AND connection.state = 'open'
  AND (provenance_asked_at IS NULL OR provenance_asked_at < now() - make_interval(secs => 5 * power(3, provenance_asks - 1))) ",
            $tail
        )
    };
}

/// What the log is asked for begins with the last write that was verified, or a month before the first sight.
const DUE: &str = due!(
    "finding.id, provider_id, coalesce((evidence ->> 'last_write')::timestamptz, first_seen_at - interval '30 days') AS since, evidence -> 'first' AS held",
    "AND connection.id = $1 ORDER BY finding.privileged DESC, finding.opened_at LIMIT $2"
);

/// Where something waits for a read by id, or a log is to be asked.
pub(super) const CONNECTIONS: &str = concat!(
    "SELECT connection.id, connection.provider FROM finding JOIN connection ON connection.id = finding.connection_id
WHERE finding.state = 'suspected' AND connection.state = 'open' UNION ",
    due!("connection.id, connection.provider", "")
);

const NOTE: &str = "
UPDATE finding SET provenance = $2, provenance_asks = CASE WHEN $3 THEN $4 ELSE provenance_asks + 1 END, provenance_asked_at = now()
WHERE id = $1";

/// A finding about which a log is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The finding.
    pub id: FindingId,
    /// The account or application.
    pub provider_id: String,
    /// From when on changes count.
    pub since: Timestamp,
    /// Up to ten of what the inventory saw to hang on it, privileged first: its family and the provider's key.
    pub held: Vec<(EntitlementKind, String)>,
}

/// What is to be asked of a connection's log now, privileged ones first.
///
/// # Errors
/// As any statement.
pub async fn questions(
    client: &Client,
    connection: ConnectionId,
    limit: i64,
) -> Result<Vec<Question>, StoreError> {
    let rows = client
        .query(
            DUE,
            &[&connection.0, &limit],
            "finding what a provider's log is to be asked",
        )
        .await?;
    let question = |row: &Row| Question {
        id: FindingId(row.get("id")),
        provider_id: row.get("provider_id"),
        since: row.get("since"),
        held: held(row.get("held")),
    };
    Ok(rows.iter().map(question).collect())
}

/// What the evidence names as `family:key`; what it names otherwise is left out.
fn held(first: Option<Value>) -> Vec<(EntitlementKind, String)> {
    let first: Vec<String> = first
        .and_then(|first| serde_json::from_value(first).ok())
        .unwrap_or_default();
    let one = |word: &String| {
        let (kind, key) = word.split_once(':')?;
        Some((kind.parse().ok()?, key.to_owned()))
    };
    first.iter().filter_map(one).collect()
}

/// Notes what a log said; `None` where it told nothing, and `last` where it need not be asked again.
///
/// # Errors
/// As any statement.
pub async fn note_provenance(
    tx: &Tx<'_>,
    id: FindingId,
    told: Option<&Value>,
    last: bool,
    actor: &str,
) -> Result<(), StoreError> {
    let doing = "noting who gave the access";
    let Some(locked) = lock(tx, id).await? else {
        return Ok(());
    };
    tx.execute_one(NOTE, &[&id.0, &told, &last, &ASKS_MAX], doing)
        .await?;
    if let Some(told) = told {
        locked
            .record(tx, locked.state, json!({"provenance": told}), actor)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_inventory_saw_is_handed_on_by_family_and_key() {
        let first = json!([
            "resource_role:/subscriptions/s/x:y",
            "planet:mars",
            "nothing"
        ]);
        let expected = (
            EntitlementKind::ResourceRole,
            "/subscriptions/s/x:y".to_owned(),
        );
        assert_eq!(held(Some(first)), [expected]);
        assert_eq!(held(None), []);
        assert_eq!(held(Some(json!({"first": 1}))), []);
    }
}
