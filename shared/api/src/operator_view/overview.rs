//! The counts of everything, the workers, and the jobs that gave up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::overview::{DeadJob, Overview, WorkerRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// The counts of everything, the workers, and the jobs that gave up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewView {
    /// By kind of thing (`job`, `opt_out`, `hold`, `task`, `connection`, `person`, `request`, `dead_letter`, `rejected`, `outbox`), then by
    /// state or reason. A word without any is absent.
    pub counts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Open jobs by provider, then by state.
    pub jobs: BTreeMap<String, BTreeMap<String, i64>>,
    /// Worker processes that have not said goodbye and were alive within the last day.
    pub workers: Vec<WorkerView>,
    /// The newest 50 jobs that gave up and wait for a person.
    pub dead_jobs: Vec<DeadJobView>,
    /// Opt-outs with a job that runs, or that waits though it has taken effect; zero when all is settled.
    pub unsettled: i64,
    /// When it was counted, by the database's clock.
    pub as_of: Timestamp,
}

/// A worker process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// Its instance.
    pub id: Uuid,
    /// Its service's name.
    #[schema(example = "worker-okta")]
    pub service: String,
    /// When it registered.
    pub started_at: Timestamp,
    /// Whole seconds since its last heartbeat.
    pub heartbeat_age_s: i64,
    /// Whether the heartbeat is so old that others may take its jobs.
    pub dead: bool,
}

/// A job that gave up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadJobView {
    /// The job.
    pub job: Uuid,
    /// Its opt-out.
    pub opt_out: Uuid,
    /// The name of its connection.
    pub connection: String,
    /// The provider.
    #[schema(example = "okta")]
    pub provider: String,
    /// Why it gave up.
    pub reason: String,
    /// `provider:action:class:code` of the failure.
    pub fingerprint: String,
    /// Since when.
    pub since: Timestamp,
}

impl From<Overview> for OverviewView {
    fn from(overview: Overview) -> Self {
        let now = overview.now;
        let worker = |row: WorkerRow| WorkerView {
            id: row.id,
            service: row.service,
            started_at: row.started_at,
            heartbeat_age_s: now.duration_since(row.heartbeat_at).as_secs(),
            dead: row.dead,
        };
        Self {
            counts: overview.counts,
            jobs: overview.jobs,
            workers: overview.workers.into_iter().map(worker).collect(),
            dead_jobs: overview
                .dead_jobs
                .into_iter()
                .map(DeadJobView::from)
                .collect(),
            unsettled: overview.unsettled,
            as_of: now,
        }
    }
}

impl From<DeadJob> for DeadJobView {
    fn from(dead: DeadJob) -> Self {
        Self {
            job: dead.job.0,
            opt_out: dead.opt_out.0,
            connection: dead.connection,
            provider: dead.provider,
            reason: dead.reason,
            fingerprint: dead.fingerprint,
            since: dead.since,
        }
    }
}
