//! The jobs that this process works on, and the leases of those that take long.
//!
//! A wave extends its job's lease; a single inspection of a large account makes no wave for minutes. So the leases of
//! jobs whose calls go on ending are extended here, up to a hard bound: what takes longer is taken from its worker,
//! and three such epochs in a row dead-letter the job.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sever_domain::JobId;
use sever_store::job::{Lease, instance};
use sever_telemetry::chain;
use tokio_util::sync::CancellationToken;

use crate::epoch::Context;

/// The longest time for which one epoch keeps its lease.
const EPOCH_MAX: Duration = Duration::from_secs(30 * 60);

/// The jobs. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<JobId, Entry>>>);

#[derive(Debug)]
struct Entry {
    lease: Lease,
    began: Instant,
    extended_at: Instant,
    progress: Arc<AtomicU64>,
    /// The progress at the last extension.
    seen: u64,
}

/// A job while it is worked on; ends with the value.
pub(crate) struct RunningJob {
    running: Running,
    lease: Lease,
}

impl Running {
    /// A job whose calls count themselves in `progress`.
    pub(crate) fn begin(&self, lease: Lease, progress: Arc<AtomicU64>) -> RunningJob {
        let now = Instant::now();
        let entry = Entry {
            lease,
            began: now,
            extended_at: now,
            progress,
            seen: 0,
        };
        self.with(|jobs| jobs.insert(lease.job, entry));
        RunningJob {
            running: self.clone(),
            lease,
        }
    }

    /// The leases to extend now: of jobs that moved, and whose lease of this length is a third over. They count as
    /// extended.
    fn take_due(&self, lease: Duration, now: Instant) -> Vec<Lease> {
        let due = |entry: &mut Entry| {
            let progress = entry.progress.load(Ordering::Relaxed);
            let moved = progress != entry.seen;
            let late = now.duration_since(entry.extended_at) >= lease / 3;
            if !moved || !late || now.duration_since(entry.began) >= EPOCH_MAX {
                return None;
            }
            entry.seen = progress;
            entry.extended_at = now;
            Some(entry.lease)
        };
        self.with(|jobs| jobs.values_mut().filter_map(due).collect())
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<JobId, Entry>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        let (id, epoch) = (self.lease.job, self.lease.epoch);
        self.running.with(|jobs| {
            // A later epoch of the same job may have begun in this process.
            if jobs
                .get(&id)
                .is_some_and(|entry| entry.lease.epoch == epoch)
            {
                jobs.remove(&id);
            }
        });
    }
}

/// Extends leases until `stop`.
pub(crate) async fn run(context: Arc<Context>, stop: CancellationToken) {
    let lease = context.settings.lease;
    loop {
        tokio::select! {
            () = tokio::time::sleep(context.settings.heartbeat) => {}
            () = stop.cancelled() => return,
        }
        let due = context.running.take_due(lease, Instant::now());
        if due.is_empty() || !context.heart.is_fresh() {
            continue;
        }
        if let Err(error) = instance::extend(&context.store, &due, lease).await {
            tracing::warn!(jobs = due.len(), error = %chain(&error), "leases of long jobs could not be extended; without the next try another worker goes on with them");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::InstanceId;
    use uuid::Uuid;

    fn lease(epoch: i64) -> Lease {
        Lease {
            job: JobId(Uuid::nil()),
            epoch,
            token: Uuid::nil(),
            instance: InstanceId(Uuid::nil()),
            incarnation: Uuid::nil(),
        }
    }

    #[test]
    fn only_a_job_that_moves_keeps_its_lease_and_not_for_ever() {
        let (running, progress) = (Running::default(), Arc::new(AtomicU64::new(0)));
        let _job = running.begin(lease(1), Arc::clone(&progress));
        let (minute, start) = (Duration::from_secs(60), Instant::now());
        let due = |s| running.take_due(minute, start + Duration::from_secs(s));
        assert_eq!(due(30), [], "no call has ended");
        progress.fetch_add(1, Ordering::Relaxed);
        assert_eq!(due(5), [], "the lease is young");
        assert_eq!(due(31), [lease(1)]);
        assert_eq!(due(55), [], "nothing has moved since");
        progress.fetch_add(1, Ordering::Relaxed);
        assert_eq!(due(60), [lease(1)]);
        progress.fetch_add(1, Ordering::Relaxed);
        assert_eq!(due(EPOCH_MAX.as_secs() + 1), [], "the hard bound");
    }

    #[test]
    fn the_end_of_an_epoch_does_not_end_the_next_one() {
        let running = Running::default();
        let first = running.begin(lease(1), Arc::default());
        let _second = running.begin(lease(2), Arc::new(AtomicU64::new(1)));
        drop(first);
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(running.take_due(Duration::from_secs(60), later), [lease(2)]);
    }
}
