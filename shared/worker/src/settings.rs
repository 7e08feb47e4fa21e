//! What the runtime takes from the configuration.

use std::time::Duration;

use jiff::SignedDuration;
use sever_backoff::Backoff;
use sever_config::{GuardConfig, WorkerConfig};
use sever_domain::guard::MassGuard;
use sever_store::job::GuardPolicy;

/// The durations and limits of one worker process.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Leases that this process holds at once, at most.
    pub(crate) slots: i32,
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) heartbeat_dead: Duration,
    pub(crate) start_call_age_max: Duration,
    pub(crate) call_deadline: Duration,
    pub(crate) consistency_wait: Duration,
    pub(crate) consistency_deadline: Duration,
    pub(crate) transient_budget: Duration,
    pub(crate) closing_revisions_max: i32,
    pub(crate) retry: Backoff,
    pub(crate) guard: GuardPolicy,
}

impl Settings {
    /// # Errors
    /// When the retry window is not one; the configuration has checked it before.
    pub(crate) fn new(worker: &WorkerConfig, guard: &GuardConfig) -> anyhow::Result<Self> {
        let mass = MassGuard {
            count: i64::try_from(guard.mass_count)?,
            percent: guard.mass_percent,
            minimum: i64::try_from(guard.mass_minimum)?,
            window: SignedDuration::try_from(guard.mass_window)?,
        };
        Ok(Self {
            slots: i32::try_from(worker.slots + worker.urgent_slots)?,
            lease: worker.lease,
            heartbeat: worker.heartbeat,
            heartbeat_dead: worker.heartbeat_dead,
            start_call_age_max: worker.start_call_age_max,
            call_deadline: worker.call_deadline,
            consistency_wait: worker.consistency_wait,
            consistency_deadline: worker.consistency_deadline,
            transient_budget: worker.transient_budget,
            closing_revisions_max: i32::try_from(worker.closing_revisions_max)?,
            retry: Backoff::new(worker.retry_min, worker.retry_max, 0.5)?,
            guard: GuardPolicy {
                mass,
                cut_sessions_when_held: guard.cut_sessions_when_held,
            },
        })
    }
}
