//! Ordering a replay: its selection, the plan of it, and the rows.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{DeadLetterId, Provider, ReplayId};
use thiserror::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// The most dead letters of one replay.
pub const MEMBERS_MAX: i64 = 100_000;

/// One of each fingerprint before the second of any, the largest cluster first: the early steps meet every failure.
const CHOSEN: &str = "
SELECT letter.id, letter.job_id, letter.fingerprint, connection.name AS connection, connection.state AS connection_state,
       coalesce(greatest(connection.blocked_until, breaker.retry_at) > now(), false) AS blocked,
       EXISTS (SELECT FROM hold WHERE hold.state = 'open' AND target_id IN (job.id, job.opt_out_id)) AS held
FROM dead_letter AS letter JOIN job ON job.id = letter.job_id JOIN connection ON connection.id = job.connection_id
LEFT JOIN breaker ON breaker.connection_id = connection.id
WHERE letter.state = 'open'
  AND ($1::uuid[] IS NULL OR letter.id = ANY($1) OR letter.job_id = ANY($1))
  AND ($2::text IS NULL OR letter.fingerprint = $2)
  AND ($3::text IS NULL OR job.provider = $3)
  AND ($4::text IS NULL OR connection.name = $4)
  AND ($5::timestamptz IS NULL OR letter.opened_at >= $5)
  AND ($6::timestamptz IS NULL OR letter.opened_at < $6)
  AND NOT EXISTS (SELECT FROM replay_member WHERE dead_letter_id = letter.id AND replay_member.state = 'queued')
ORDER BY row_number() OVER (PARTITION BY letter.fingerprint ORDER BY letter.opened_at, letter.id),
         count(*) OVER (PARTITION BY letter.fingerprint) DESC, letter.fingerprint LIMIT $7";

const INSERT: &str = "
INSERT INTO replay (id, asked_by, reason, selection, state, step_size_max, failed_percent_max, patience_s)
VALUES ($1, $2, $3, $4, 'canary', $5, $6, $7) RETURNING opened_at";

const INSERT_MEMBERS: &str = "
INSERT INTO replay_member (replay_id, dead_letter_id, job_id, ordinal, state)
SELECT $1, id, job_id, ordinal::int4, 'queued' FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS r (id, job_id, ordinal)
ON CONFLICT DO NOTHING";

const LOCK: &str =
    "SELECT closed_at IS NULL AS runs, now() AS now FROM replay WHERE id = $1 FOR UPDATE";
const STOP: &str = "
UPDATE replay SET state = 'stopped', closed_at = now(), stopped_by = $2, stopped_why = $3 WHERE id = $1 AND closed_at IS NULL";
const SKIP_REST: &str = "
UPDATE replay_member SET state = 'skipped', ended_at = now() WHERE replay_id = $1 AND state = 'queued'";

/// Which dead letters. Everything that is given must agree; at least one thing must be given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Dead letters, or their jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// One fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// One provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// One connection, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Dead at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Dead before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Selection {
    /// Whether nothing is given, which would be everything by accident.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How fast it may go, and what it bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// No step is larger; 1 to 1,000.
    pub step_size_max: i32,
    /// Percent of a step that may fail.
    pub failed_percent_max: i32,
    /// How long a step may take.
    pub patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            step_size_max: 64,
            failed_percent_max: 10,
            patience: Duration::from_secs(900),
        }
    }
}

/// Why a replay is not ordered or stopped. The caller's transaction must then be dropped.
#[derive(Debug, Error)]
pub enum OrderError {
    /// Nothing was given.
    #[error("a replay needs a selection: ids, a fingerprint, a provider, a connection or a time")]
    NoSelection,
    /// Nothing dead is selected.
    #[error(
        "no open dead letter is selected, or all of them belong to another replay that is running"
    )]
    Nothing,
    /// There is no replay of this id.
    #[error("there is no replay {0}")]
    NotFound(ReplayId),
    /// It has ended.
    #[error("the replay {0} has ended already")]
    Ended(ReplayId),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The part of a plan with one fingerprint at one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// The connection's name.
    pub connection: String,
    /// The connection's state: `open`, `parked` or `closed`.
    pub connection_state: String,
    /// Whether its provider wants to be left alone now.
    pub blocked: bool,
    /// How many dead letters.
    pub letters: i64,
    /// How many of them a hold that stands would stop at once.
    pub held: i64,
}

/// What a replay would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The largest part first.
    pub parts: Vec<Part>,
    /// The first one to go.
    pub canary: DeadLetterId,
    /// The sizes of the steps, the canary's first; cut after the first that is not larger than the one before.
    pub steps: Vec<i64>,
    /// How many dead letters.
    pub letters: i64,
}

/// The plan of a replay; changes nothing.
///
/// # Errors
/// [`OrderError::NoSelection`], [`OrderError::Nothing`], [`OrderError::Store`].
pub async fn foresee(
    client: &Client,
    selection: &Selection,
    bounds: Bounds,
) -> Result<Plan, OrderError> {
    let given = Given::new(selection)?;
    let rows = client
        .query(CHOSEN, &given.values(), "planning a replay")
        .await?;
    let canary = rows.first().ok_or(OrderError::Nothing)?;
    let parts = parts(&rows);
    let letters = parts.iter().map(|part| part.letters).sum();
    Ok(Plan {
        parts,
        canary: DeadLetterId(canary.get("id")),
        steps: steps(letters, i64::from(bounds.step_size_max)),
        letters,
    })
}

fn parts(rows: &[Row]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for row in rows {
        let (fingerprint, connection): (&str, &str) =
            (row.get("fingerprint"), row.get("connection"));
        let of_row =
            |part: &&mut Part| part.fingerprint == fingerprint && part.connection == connection;
        let held = i64::from(row.get::<_, bool>("held"));
        match parts.iter_mut().find(of_row) {
            Some(part) => {
                part.letters += 1;
                part.held += held;
            }
            None => parts.push(Part {
                fingerprint: fingerprint.to_owned(),
                connection: connection.to_owned(),
                connection_state: row.get("connection_state"),
                blocked: row.get("blocked"),
                letters: 1,
                held,
            }),
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.letters));
    parts
}

/// 1, 2, 4 … up to the bound, as far as there are members.
fn steps(mut letters: i64, max: i64) -> Vec<i64> {
    let (mut steps, mut size) = (Vec::new(), 1);
    while letters > 0 {
        let step = size.min(max).min(letters);
        let grows = steps.last().is_none_or(|last| step > *last);
        steps.push(step);
        letters -= step;
        if !grows {
            break;
        }
        size *= 2;
    }
    steps
}

/// Stores a replay; the dispatcher drives it from then on. Returns its id and how many members it has. `reason` without
/// personal data.
///
/// # Errors
/// [`OrderError::NoSelection`], [`OrderError::Nothing`], [`OrderError::Store`].
pub async fn order(
    tx: &Tx<'_>,
    selection: &Selection,
    bounds: Bounds,
    actor: &str,
    reason: &str,
) -> Result<(ReplayId, u64), OrderError> {
    let doing = "ordering a replay";
    let given = Given::new(selection)?;
    let id = ReplayId::generate();
    let patience = i32::try_from(bounds.patience.as_secs()).unwrap_or(i32::MAX);
    let selected = Json(selection);
    let values: [&(dyn ToSql + Sync); 7] = [
        &id.0,
        &actor,
        &reason,
        &selected,
        &bounds.step_size_max,
        &bounds.failed_percent_max,
        &patience,
    ];
    let row = tx.query_opt(INSERT, &values, doing).await?;
    let now: Timestamp = row.ok_or(StoreError::Conflict { doing })?.get("opened_at");
    let chosen = tx.query(CHOSEN, &given.values(), doing).await?;
    let letters: Vec<Uuid> = chosen.iter().map(|row| row.get("id")).collect();
    let jobs: Vec<Uuid> = chosen.iter().map(|row| row.get("job_id")).collect();
    let members = tx
        .execute(INSERT_MEMBERS, &[&id.0, &letters, &jobs], doing)
        .await?;
    if members == 0 {
        return Err(OrderError::Nothing);
    }
    let data = json!({"replay": id, "members": members, "selection": selection, "reason": reason});
    let event = AuditEvent::new(AuditKind::ReplayAsked, now, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok((id, members))
}

/// Stops a replay: what was not released stays a dead letter, what was goes its way.
///
/// # Errors
/// [`OrderError::NotFound`], [`OrderError::Ended`], [`OrderError::Store`].
pub async fn stop(tx: &Tx<'_>, id: ReplayId, actor: &str, why: &str) -> Result<(), OrderError> {
    let doing = "stopping a replay";
    let row = tx.query_opt(LOCK, &[&id.0], doing).await?;
    let row = row.ok_or(OrderError::NotFound(id))?;
    if !row.get::<_, bool>("runs") {
        return Err(OrderError::Ended(id));
    }
    stop_locked(tx, id, actor, why, row.get("now")).await?;
    Ok(())
}

/// The same under the replay's lock.
pub(super) async fn stop_locked(
    tx: &Tx<'_>,
    id: ReplayId,
    actor: &str,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let doing = "stopping a replay";
    tx.execute_one(STOP, &[&id.0, &actor, &why], doing).await?;
    let skipped = tx.execute(SKIP_REST, &[&id.0], doing).await?;
    let data = json!({"replay": id, "why": why, "not_released": skipped});
    let event = AuditEvent::new(AuditKind::ReplayStopped, now, actor, data);
    audit::insert(tx, &[event]).await
}

/// A selection as the statement takes it.
struct Given<'a> {
    ids: Option<&'a [Uuid]>,
    fingerprint: Option<&'a str>,
    provider: Option<&'static str>,
    connection: Option<&'a str>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<'a> Given<'a> {
    fn new(selection: &'a Selection) -> Result<Self, OrderError> {
        if selection.is_empty() {
            return Err(OrderError::NoSelection);
        }
        Ok(Self {
            ids: (!selection.ids.is_empty()).then_some(selection.ids.as_slice()),
            fingerprint: selection.fingerprint.as_deref(),
            provider: selection.provider.map(Provider::as_str),
            connection: selection.connection.as_deref(),
            since: selection.since,
            until: selection.until,
        })
    }

    fn values(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.ids,
            &self.fingerprint,
            &self.provider,
            &self.connection,
            &self.since,
            &self.until,
            &MEMBERS_MAX,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_double_up_to_the_bound() {
        assert_eq!(steps(1, 64), [1]);
        assert_eq!(steps(12, 64), [1, 2, 4, 5]);
        assert_eq!(steps(10_000, 8), [1, 2, 4, 8, 8]);
    }
}
