//! Reading findings.

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::{
    ConnectionId, DriftAction, FindingId, FindingState, OptOutId, Situation, SubjectId,
};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most findings that one list holds.
pub const LIST_MAX: i64 = 1_000;

/// Privileged ones first, then the longest open.
const LIST: &str = "
SELECT finding.*, connection.name AS connection_name, run.no AS run_no FROM finding
JOIN connection ON connection.id = finding.connection_id JOIN inventory_run AS run ON run.id = finding.last_run_id
WHERE ($1::text IS NULL OR connection.name = $1) AND ($2::text IS NULL OR finding.situation = $2)
  AND ($3 OR finding.closed_at IS NULL)
ORDER BY finding.closed_at IS NOT NULL, finding.privileged DESC, finding.opened_at, finding.id LIMIT $4";

const FIND: &str = "
SELECT finding.*, connection.name AS connection_name, run.no AS run_no FROM finding
JOIN connection ON connection.id = finding.connection_id JOIN inventory_run AS run ON run.id = finding.last_run_id
WHERE finding.id = $1";

const UNOWNED: &str = "
SELECT finding.*, connection.name AS connection_name, run.no AS run_no FROM finding
JOIN connection ON connection.id = finding.connection_id JOIN inventory_run AS run ON run.id = finding.last_run_id
WHERE finding.closed_at IS NULL AND finding.situation IN ('orphan_account', 'orphan_entitlement', 'unowned_token', 'ambiguous')
ORDER BY finding.privileged DESC, finding.opened_at, finding.id LIMIT $1";

const COUNTS: &str = "
SELECT situation, state, count(*) AS findings FROM finding WHERE closed_at IS NULL GROUP BY situation, state";

/// What came back after it had been removed, proven and removed again by a repair: the second return, and any after it.
const RETURNED: &str = "
SELECT count(*) AS findings FROM finding WHERE closed_at IS NULL AND situation = 'resurrected' AND returns >= 1 AND state NOT IN ('suspected', 'accepted')";

/// Which findings are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingFilter {
    /// Of this connection only, by name.
    pub connection: Option<String>,
    /// Of this situation only.
    pub situation: Option<Situation>,
    /// With those that are over.
    pub closed: bool,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// Its id.
    pub id: FindingId,
    /// What kind of difference it is.
    pub situation: Situation,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's name.
    pub connection_name: String,
    /// What it is about.
    pub cause_key: String,
    /// The account or application.
    pub provider_id: Option<String>,
    /// Whose it is.
    pub subject: Option<SubjectId>,
    /// Whether administrative power hangs on it.
    pub privileged: bool,
    /// Where it is in its life.
    pub state: FindingState,
    /// Why it is in that state.
    pub state_reason: Option<String>,
    /// What the policy says is to be done.
    pub action: DriftAction,
    /// What was seen.
    pub evidence: Value,
    /// Who or what gave the access, by the provider's own log.
    pub provenance: Option<Value>,
    /// How often the same cause had been repaired before.
    pub returns: i32,
    /// The number of the last run that saw it, or closed it.
    pub run_no: i32,
    /// How many runs saw it.
    pub times_seen: i32,
    /// The time of the first observation.
    pub first_seen_at: Timestamp,
    /// The time of the newest observation.
    pub last_seen_at: Timestamp,
    /// When it was written.
    pub opened_at: Timestamp,
    /// When a read by id confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// The opt-out that repairs it.
    pub opt_out: Option<OptOutId>,
    /// Until when it is accepted.
    pub accepted_until: Option<Timestamp>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// Why it was accepted.
    pub accepted_why: Option<String>,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
}

/// Findings that agree with a filter, privileged ones first, at most [`LIST_MAX`].
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn list(client: &Client, filter: &FindingFilter) -> Result<Vec<FindingRow>, StoreError> {
    let situation = filter.situation.map(Situation::as_str);
    let rows = client
        .query(
            LIST,
            &[&filter.connection, &situation, &filter.closed, &LIST_MAX],
            "listing findings",
        )
        .await?;
    rows.iter().map(finding).collect()
}

/// One finding by its id.
///
/// # Errors
/// As [`list`].
pub async fn find(client: &Client, id: FindingId) -> Result<Option<FindingRow>, StoreError> {
    let row = client
        .query_opt(FIND, &[&id.0], "reading a finding")
        .await?;
    row.as_ref().map(finding).transpose()
}

/// Open findings about accounts, entitlements and tokens that nobody is known to own, at most [`LIST_MAX`].
///
/// # Errors
/// As [`list`].
pub async fn unowned(client: &Client) -> Result<Vec<FindingRow>, StoreError> {
    let rows = client
        .query(UNOWNED, &[&LIST_MAX], "listing what nobody owns")
        .await?;
    rows.iter().map(finding).collect()
}

/// Open findings by situation and state; what there is none of is absent.
///
/// # Errors
/// As [`list`].
pub async fn open_counts(
    client: &Client,
) -> Result<Vec<(Situation, FindingState, i64)>, StoreError> {
    let rows = client.query(COUNTS, &[], "counting open findings").await?;
    rows.iter()
        .map(|row| {
            Ok((
                word(row, "situation")?,
                word(row, "state")?,
                row.get("findings"),
            ))
        })
        .collect()
}

/// Open findings about access that came back after a repair had taken it away again.
///
/// # Errors
/// As any statement.
pub async fn returned(client: &Client) -> Result<i64, StoreError> {
    let rows = client
        .query(RETURNED, &[], "counting access that came back again")
        .await?;
    Ok(rows.first().map_or(0, |row| row.get("findings")))
}

fn finding(row: &Row) -> Result<FindingRow, StoreError> {
    Ok(FindingRow {
        id: FindingId(row.get("id")),
        situation: word(row, "situation")?,
        connection: ConnectionId(row.get("connection_id")),
        connection_name: row.get("connection_name"),
        cause_key: row.get("cause_key"),
        provider_id: row.get("provider_id"),
        subject: row.get::<_, Option<_>>("subject_id").map(SubjectId),
        privileged: row.get("privileged"),
        state: word(row, "state")?,
        state_reason: row.get("state_reason"),
        action: word(row, "action")?,
        evidence: row.get("evidence"),
        provenance: row.get("provenance"),
        returns: row.get("returns"),
        run_no: row.get("run_no"),
        times_seen: row.get("times_seen"),
        first_seen_at: row.get("first_seen_at"),
        last_seen_at: row.get("last_seen_at"),
        opened_at: row.get("opened_at"),
        confirmed_at: row.get("confirmed_at"),
        opt_out: row.get::<_, Option<_>>("opt_out_id").map(OptOutId),
        accepted_until: row.get("accepted_until"),
        accepted_by: row.get("accepted_by"),
        accepted_why: row.get("accepted_why"),
        closed_at: row.get("closed_at"),
    })
}
