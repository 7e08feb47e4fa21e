//! How much of everything there is: the counts on one screen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sever_domain::{JobId, OptOutId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;

/// One row for each counted word of each kind of thing.
const COUNTS: &str = "
SELECT 'job' AS what, state AS word, count(*)::int8 AS count FROM job GROUP BY state
UNION ALL SELECT 'opt_out', state, count(*) FROM opt_out GROUP BY state
UNION ALL SELECT 'hold', reason, count(*) FROM hold WHERE state = 'open' GROUP BY reason
UNION ALL SELECT 'task', step.state, count(*) FROM task JOIN step ON step.id = task.step_id JOIN job ON job.id = step.job_id
    WHERE step.state IN ('asked', 'asserted') AND job.kind <> 'plan' AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead')
      AND NOT EXISTS (SELECT FROM step AS newer
                      WHERE newer.job_id = step.job_id AND newer.binding_id = step.binding_id AND newer.action = step.action
                        AND newer.target_kind = step.target_kind AND newer.target_key = step.target_key AND newer.revision > step.revision)
    GROUP BY step.state
UNION ALL SELECT 'connection', state, count(*) FROM connection GROUP BY state
UNION ALL SELECT 'person', employment_state, count(*) FROM person GROUP BY employment_state
UNION ALL SELECT 'request', state, count(*) FROM request GROUP BY state
UNION ALL SELECT 'dead_letter', 'open', count(*) FROM dead_letter WHERE state = 'open'
UNION ALL SELECT 'rejected', 'kept', count(*) FROM intake_reject
UNION ALL SELECT 'outbox', 'rows', count(*) FROM outbox";

/// Open jobs where they are worked on.
const JOBS: &str = "
SELECT provider, state, count(*)::int8 AS count FROM job
WHERE state IN ('waiting', 'running', 'held', 'parked', 'dead') GROUP BY provider, state";

/// Processes that did not say goodbye; the dead ones for a day, so that a crash is seen and old ones are not.
const WORKERS: &str = "
SELECT id, service, started_at, heartbeat_at,
    heartbeat_at < now() - make_interval(secs => dead_after_s) AS dead
FROM worker_instance WHERE stopped_at IS NULL AND heartbeat_at > now() - interval '1 day'
ORDER BY service, started_at, id";

/// Jobs that gave up, the newest first.
const DEAD_JOBS: &str = "
SELECT job.id, job.opt_out_id, connection.name AS connection, job.provider, dead_letter.reason, dead_letter.fingerprint, dead_letter.opened_at
FROM dead_letter JOIN job ON job.id = dead_letter.job_id JOIN connection ON connection.id = job.connection_id
WHERE dead_letter.state = 'open' ORDER BY dead_letter.opened_at DESC, job.id LIMIT 50";

/// Opt-outs whose work is under way: in force and due, and neither at rest nor waiting for a person's task.
const UNSETTLED: &str = "
SELECT count(DISTINCT opt_out_id)::int8 AS unsettled, now() AS now FROM job
WHERE state = 'running' OR (state = 'waiting' AND effective_at <= now() AND state_reason IS DISTINCT FROM 'task')";

/// A worker process that has not said goodbye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its instance.
    pub id: Uuid,
    /// Its service's name.
    pub service: String,
    /// When it registered.
    pub started_at: Timestamp,
    /// Its last heartbeat.
    pub heartbeat_at: Timestamp,
    /// Whether the heartbeat is so old that others may take its jobs.
    pub dead: bool,
}

/// A job that gave up and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// The job.
    pub job: JobId,
    /// Its opt-out.
    pub opt_out: OptOutId,
    /// The name of its connection.
    pub connection: String,
    /// The provider's word.
    pub provider: String,
    /// Why it gave up.
    pub reason: String,
    /// `provider:action:class:code` of the failure.
    pub fingerprint: String,
    /// Since when.
    pub since: Timestamp,
}

/// Counts by kind of thing and state or reason; a word without any is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// By kind (`job`, `opt_out`, `hold`, `task`, `connection`, `person`, `request`, `dead_letter`, `rejected`, `outbox`), then by word.
    pub counts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Open jobs by provider, then by state.
    pub jobs: BTreeMap<String, BTreeMap<String, i64>>,
    /// Worker processes that have not said goodbye and were alive within the last day.
    pub workers: Vec<WorkerRow>,
    /// The newest 50 jobs that gave up.
    pub dead_jobs: Vec<DeadJob>,
    /// Opt-outs with a job that runs, or that waits though it has taken effect and no person is asked.
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
    let mut jobs: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in client.query(JOBS, &[], doing).await? {
        let by_state = jobs.entry(row.get("provider")).or_default();
        by_state.insert(row.get("state"), row.get("count"));
    }
    let workers = client.query(WORKERS, &[], doing).await?;
    let dead_jobs = client.query(DEAD_JOBS, &[], doing).await?;
    let rows = client.query(UNSETTLED, &[], doing).await?;
    Ok(Overview {
        counts,
        jobs,
        workers: workers.iter().map(worker).collect(),
        dead_jobs: dead_jobs.iter().map(dead_job).collect(),
        unsettled: rows[0].get("unsettled"),
        now: rows[0].get("now"),
    })
}

fn worker(row: &Row) -> WorkerRow {
    WorkerRow {
        id: row.get("id"),
        service: row.get("service"),
        started_at: row.get("started_at"),
        heartbeat_at: row.get("heartbeat_at"),
        dead: row.get("dead"),
    }
}

fn dead_job(row: &Row) -> DeadJob {
    DeadJob {
        job: JobId(row.get("id")),
        opt_out: OptOutId(row.get("opt_out_id")),
        connection: row.get("connection"),
        provider: row.get("provider"),
        reason: row.get("reason"),
        fingerprint: row.get("fingerprint"),
        since: row.get("opened_at"),
    }
}
