//! Holds as they are shown: stops that only a person lifts.

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, HoldPolicy, HoldReason, OptOutId, SubjectId, SubjectKind};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::{word, word_opt};

/// The most holds that one page holds.
pub const PAGE_MAX: i64 = 200;

const OF_OPT_OUT: &str = "
SELECT hold.*, opt_out.id AS opt_out_id, opt_out.subject_id, subject.kind AS subject_kind, integration.name AS subject_name,
       connection.name AS connection
FROM opt_out
LEFT JOIN job ON job.opt_out_id = opt_out.id
JOIN hold ON (hold.scope = 'job' AND hold.target_id = job.id)
LEFT JOIN connection ON connection.id = job.connection_id
JOIN subject ON subject.id = opt_out.subject_id LEFT JOIN integration ON integration.id = opt_out.subject_id
WHERE opt_out.id = $1
UNION ALL
SELECT hold.*, opt_out.id, opt_out.subject_id, subject.kind, integration.name, NULL
FROM opt_out JOIN hold ON hold.scope = 'opt_out' AND hold.target_id = opt_out.id
JOIN subject ON subject.id = opt_out.subject_id LEFT JOIN integration ON integration.id = opt_out.subject_id
WHERE opt_out.id = $1
ORDER BY opened_at, id";

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT hold.*, coalesce(opt_out.id, job.opt_out_id, request.opt_out_id) AS opt_out_id, subject.id AS subject_id,
       subject.kind AS subject_kind, integration.name AS subject_name, connection.name AS connection
FROM hold
LEFT JOIN opt_out ON hold.scope = 'opt_out' AND opt_out.id = hold.target_id
LEFT JOIN job ON hold.scope = 'job' AND job.id = hold.target_id
LEFT JOIN connection ON connection.id = job.connection_id
LEFT JOIN request ON hold.scope = 'request' AND request.id = hold.target_id
LEFT JOIN subject ON subject.id = coalesce(opt_out.subject_id, job.subject_id, request.subject_id)
LEFT JOIN integration ON integration.id = subject.id ",
            $tail
        )
    };
}

const FIND: &str = select!("WHERE hold.id = $1");

/// Oldest first: what has waited longest comes first.
const PAGE: &str = select!(
    "
WHERE ($1::text IS NULL OR hold.state = $1) AND ($2::text IS NULL OR hold.reason = $2) AND ($3::uuid IS NULL OR hold.id > $3)
ORDER BY hold.id LIMIT $4"
);

/// One hold, and what it stops.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldFacts {
    /// Its id.
    pub id: HoldId,
    /// What kind of thing it stops.
    pub scope: HoldScope,
    /// The request, opt-out or job that it stops.
    pub target: Uuid,
    /// Why.
    pub reason: HoldReason,
    /// What may go on while it stands.
    pub policy: HoldPolicy,
    /// The particulars, without personal data.
    pub detail: Value,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who asked for what it stops.
    pub requested_by: String,
    /// Its state.
    pub state: HoldState,
    /// Who decided it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// The reason of the decision.
    pub decision: Option<String>,
    /// The opt-out that it belongs to, where there is one.
    pub opt_out: Option<OptOutId>,
    /// Whose access it is about, where that is known.
    pub subject: Option<SubjectId>,
    /// What kind of subject that is.
    pub subject_kind: Option<SubjectKind>,
    /// An integration's name; `None` for a person, whose name is personal data.
    pub subject_name: Option<String>,
    /// The name of the job's connection, for a hold on a job.
    pub connection: Option<String>,
}

/// Which holds a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldFilter {
    /// Only in this state.
    pub state: Option<HoldState>,
    /// Only for this reason.
    pub reason: Option<HoldReason>,
    /// Only younger than this one: the last id of the page before.
    pub after: Option<HoldId>,
}

/// One hold; `None` where there is none of this id.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, id: HoldId) -> Result<Option<HoldFacts>, StoreError> {
    let row = client.query_opt(FIND, &[&id.0], "reading a hold").await?;
    row.as_ref().map(facts).transpose()
}

/// The holds on an opt-out and on its jobs, oldest first.
///
/// # Errors
/// As [`find`].
pub async fn of_opt_out(client: &Client, id: OptOutId) -> Result<Vec<HoldFacts>, StoreError> {
    let rows = client
        .query(OF_OPT_OUT, &[&id.0], "reading the holds of an opt-out")
        .await?;
    rows.iter().map(facts).collect()
}

/// A page of holds, oldest first, at most `limit` (1 to [`PAGE_MAX`]).
///
/// # Errors
/// As [`find`].
pub async fn page(
    client: &Client,
    filter: HoldFilter,
    limit: i64,
) -> Result<Vec<HoldFacts>, StoreError> {
    let state = filter.state.map(HoldState::as_str);
    let reason = filter.reason.map(HoldReason::as_str);
    let after = filter.after.map(|id| id.0);
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(PAGE, &[&state, &reason, &after, &limit], "listing holds")
        .await?;
    rows.iter().map(facts).collect()
}

fn facts(row: &Row) -> Result<HoldFacts, StoreError> {
    Ok(HoldFacts {
        id: HoldId(row.get("id")),
        scope: word(row, "scope")?,
        target: row.get("target_id"),
        reason: word(row, "reason")?,
        policy: word(row, "policy")?,
        detail: row.get("detail"),
        opened_at: row.get("opened_at"),
        requested_by: row.get("requested_by"),
        state: word(row, "state")?,
        decided_by: row.get("decided_by"),
        decided_at: row.get("decided_at"),
        decision: row.get("decision"),
        opt_out: row.get::<_, Option<Uuid>>("opt_out_id").map(OptOutId),
        subject: row.get::<_, Option<Uuid>>("subject_id").map(SubjectId),
        subject_kind: word_opt(row, "subject_kind")?,
        subject_name: row.get("subject_name"),
        connection: row.get("connection"),
    })
}
