//! Counts of what is open, for metrics.

use sever_domain::{HoldReason, JobState, Provider, StepState};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

const JOBS: &str = "
SELECT state, provider, count(*) AS jobs FROM job
WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead') GROUP BY state, provider";

const HOLDS: &str =
    "SELECT reason, count(*) AS holds FROM hold WHERE state = 'open' GROUP BY reason";

/// Of several plans that ask for the same, the newest counts.
const TASKS: &str = "
SELECT job.provider, step.state, count(*) AS tasks, count(*) FILTER (WHERE task.due_at < now()) AS overdue
FROM task JOIN step ON step.id = task.step_id JOIN job ON job.id = step.job_id
WHERE step.state IN ('asked', 'asserted') AND job.kind <> 'plan' AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead')
  AND NOT EXISTS (SELECT FROM step AS newer
                  WHERE newer.job_id = step.job_id AND newer.binding_id = step.binding_id AND newer.action = step.action
                    AND newer.target_kind = step.target_kind AND newer.target_key = step.target_key AND newer.revision > step.revision)
GROUP BY job.provider, step.state";

const CONNECTIONS: &str = "
SELECT provider, count(*) FILTER (WHERE state = 'parked') AS parked, count(breaker.opened_at) FILTER (WHERE state = 'open') AS breakers,
       greatest(coalesce(max(extract(epoch FROM blocked_until - now())) FILTER (WHERE state <> 'closed'), 0), 0)::float8 AS blocked_s
FROM connection LEFT JOIN breaker ON breaker.connection_id = connection.id GROUP BY provider";

/// Open jobs by state and provider; what there is none of is absent.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn open_jobs(client: &Client) -> Result<Vec<(JobState, Provider, i64)>, StoreError> {
    let rows = client.query(JOBS, &[], "counting open jobs").await?;
    let count = |row: &Row| Ok((word(row, "state")?, word(row, "provider")?, row.get("jobs")));
    rows.iter().map(count).collect()
}

/// Open holds by reason; what there is none of is absent.
///
/// # Errors
/// As [`open_jobs`].
pub async fn open_holds(client: &Client) -> Result<Vec<(HoldReason, i64)>, StoreError> {
    let rows = client.query(HOLDS, &[], "counting open holds").await?;
    let count = |row: &Row| Ok((word(row, "reason")?, row.get("holds")));
    rows.iter().map(count).collect()
}

/// The tasks of one provider that wait for a person, in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskCount {
    /// The provider.
    pub provider: Provider,
    /// `asked` or `asserted`.
    pub state: StepState,
    /// How many there are.
    pub tasks: i64,
    /// How many of them are overdue.
    pub overdue: i64,
}

/// Open tasks by provider and state; what there is none of is absent.
///
/// # Errors
/// As [`open_jobs`].
pub async fn open_tasks(client: &Client) -> Result<Vec<TaskCount>, StoreError> {
    let rows = client.query(TASKS, &[], "counting open tasks").await?;
    let count = |row: &Row| {
        Ok(TaskCount {
            provider: word(row, "provider")?,
            state: word(row, "state")?,
            tasks: row.get("tasks"),
            overdue: row.get("overdue"),
        })
    };
    rows.iter().map(count).collect()
}

/// The connections of one provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConnectionCount {
    /// The provider.
    pub provider: Provider,
    /// How many are parked for wrong credentials.
    pub parked: i64,
    /// How many take work and have a breaker that is not closed.
    pub breakers: i64,
    /// The longest time for which one is still blocked by its provider, in seconds; 0 if none is.
    pub blocked_s: f64,
}

/// The connections by provider.
///
/// # Errors
/// As [`open_jobs`].
pub async fn connections(client: &Client) -> Result<Vec<ConnectionCount>, StoreError> {
    let rows = client
        .query(CONNECTIONS, &[], "counting connections")
        .await?;
    let count = |row: &Row| {
        Ok(ConnectionCount {
            provider: word(row, "provider")?,
            parked: row.get("parked"),
            breakers: row.get("breakers"),
            blocked_s: row.get("blocked_s"),
        })
    };
    rows.iter().map(count).collect()
}
