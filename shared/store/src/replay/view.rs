//! Replays as they are shown.

use jiff::Timestamp;
use sever_domain::replay::{MemberState, ReplayState};
use sever_domain::{DeadLetterId, JobId, JobState, ReplayId};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

const REPLAYS: &str = "
SELECT replay.*, now() AS now FROM replay
WHERE ($1::uuid IS NULL OR id = $1) ORDER BY closed_at IS NULL DESC, opened_at DESC, id LIMIT $2";

const COUNTS: &str = "
SELECT replay_id, state, count(*)::int8 AS members FROM replay_member WHERE replay_id = ANY($1) GROUP BY replay_id, state";

const MEMBERS: &str = "
SELECT member.dead_letter_id, member.job_id, member.state, member.step, job.state AS job_state, job.state_reason, letter.fingerprint
FROM replay_member AS member JOIN job ON job.id = member.job_id JOIN dead_letter AS letter ON letter.id = member.dead_letter_id
WHERE member.replay_id = $1 AND member.state IN ('failed', 'held', 'released') ORDER BY member.ordinal LIMIT $2";

/// How many members are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberCount {
    /// The state.
    pub state: MemberState,
    /// How many.
    pub members: i64,
}

/// One replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayFacts {
    /// Its id.
    pub id: ReplayId,
    /// Who ordered it.
    pub asked_by: String,
    /// Why.
    pub reason: String,
    /// What was selected.
    pub selection: serde_json::Value,
    /// Its state.
    pub state: ReplayState,
    /// The present step.
    pub step: i32,
    /// When that was released.
    pub step_at: Option<Timestamp>,
    /// When it was ordered.
    pub opened_at: Timestamp,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Who stopped it.
    pub stopped_by: Option<String>,
    /// Why.
    pub stopped_why: Option<String>,
    /// Its members by state; a state without any is absent.
    pub members: Vec<MemberCount>,
}

/// One member that failed, is held or is at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The dead letter.
    pub letter: DeadLetterId,
    /// Its job.
    pub job: JobId,
    /// The member's state.
    pub state: MemberState,
    /// The step that released it.
    pub step: Option<i32>,
    /// The job's state now.
    pub job_state: JobState,
    /// Why it is in it.
    pub job_reason: Option<String>,
    /// The dead letter's fingerprint.
    pub fingerprint: String,
}

/// The replays, running ones first, then the newest.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn list(client: &Client, limit: i64) -> Result<Vec<ReplayFacts>, StoreError> {
    read(client, None, limit).await
}

/// One replay; `None` where there is none of this id.
///
/// # Errors
/// As [`list`].
pub async fn find(client: &Client, id: ReplayId) -> Result<Option<ReplayFacts>, StoreError> {
    Ok(read(client, Some(id), 1).await?.pop())
}

/// The members of a replay that failed, are held or are at work, in their order.
///
/// # Errors
/// As [`list`].
pub async fn members(
    client: &Client,
    id: ReplayId,
    limit: i64,
) -> Result<Vec<MemberRow>, StoreError> {
    let rows = client
        .query(MEMBERS, &[&id.0, &limit], "reading the members of a replay")
        .await?;
    let member = |row: &Row| {
        Ok(MemberRow {
            letter: DeadLetterId(row.get("dead_letter_id")),
            job: JobId(row.get("job_id")),
            state: word(row, "state")?,
            step: row.get("step"),
            job_state: word(row, "job_state")?,
            job_reason: row.get("state_reason"),
            fingerprint: row.get("fingerprint"),
        })
    };
    rows.iter().map(member).collect()
}

async fn read(
    client: &Client,
    id: Option<ReplayId>,
    limit: i64,
) -> Result<Vec<ReplayFacts>, StoreError> {
    let doing = "reading replays";
    let id = id.map(|id| id.0);
    let rows = client.query(REPLAYS, &[&id, &limit], doing).await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.get("id")).collect();
    let counts = client.query(COUNTS, &[&ids], doing).await?;
    rows.iter().map(|row| facts(row, &counts)).collect()
}

fn facts(row: &Row, counts: &[Row]) -> Result<ReplayFacts, StoreError> {
    let id: uuid::Uuid = row.get("id");
    let own = counts
        .iter()
        .filter(|count| count.get::<_, uuid::Uuid>("replay_id") == id);
    let count = |row: &Row| {
        Ok::<_, StoreError>(MemberCount {
            state: word(row, "state")?,
            members: row.get("members"),
        })
    };
    Ok(ReplayFacts {
        id: ReplayId(id),
        asked_by: row.get("asked_by"),
        reason: row.get("reason"),
        selection: row.get("selection"),
        state: word(row, "state")?,
        step: row.get("step"),
        step_at: row.get("step_at"),
        opened_at: row.get("opened_at"),
        closed_at: row.get("closed_at"),
        stopped_by: row.get("stopped_by"),
        stopped_why: row.get("stopped_why"),
        members: own.map(count).collect::<Result<_, _>>()?,
    })
}
