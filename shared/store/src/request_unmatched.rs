//! Requests that wait for their person: which can be placed now, and which have waited too long.

use sever_domain::RequestId;

use crate::error::StoreError;
use crate::pool::{Client, Store};

/// What says that a person stays comes before what says that they leave, so that no work starts in between.
const MATCHABLE: &str = "
SELECT request.id FROM request
JOIN person_key ON person_key.source_id = request.source_id AND person_key.external_id = request.external_id
WHERE request.state = 'unmatched'
ORDER BY (event_kind = 'leaver'), received_at LIMIT $1";

const ALERT: &str = "
UPDATE request SET alerted_at = now()
WHERE state = 'unmatched' AND alerted_at IS NULL AND received_at < now() - make_interval(secs => $1)
RETURNING id";

const COUNT_UNMATCHED: &str = "SELECT count(*) AS unmatched FROM request WHERE state = 'unmatched'";

/// At most `limit` unmatched requests whose key somebody has by now.
///
/// # Errors
/// As any statement.
pub async fn matchable(store: &Store, limit: i64) -> Result<Vec<RequestId>, StoreError> {
    let doing = "looking for requests that can be matched";
    let rows = store
        .client(doing)
        .await?
        .query(MATCHABLE, &[&limit], doing)
        .await?;
    Ok(rows.iter().map(|row| RequestId(row.get("id"))).collect())
}

/// Marks the requests that have been unmatched for `after_s` seconds as alerted, once each, and returns them.
///
/// # Errors
/// As any statement.
pub async fn alert_unmatched(store: &Store, after_s: f64) -> Result<Vec<RequestId>, StoreError> {
    let doing = "marking unmatched requests as alerted";
    let rows = store
        .client(doing)
        .await?
        .query(ALERT, &[&after_s], doing)
        .await?;
    Ok(rows.iter().map(|row| RequestId(row.get("id"))).collect())
}

/// How many requests are unmatched.
///
/// # Errors
/// As any statement.
pub async fn count_unmatched(client: &Client) -> Result<i64, StoreError> {
    let rows = client
        .query(COUNT_UNMATCHED, &[], "counting unmatched requests")
        .await?;
    Ok(rows[0].get("unmatched"))
}
