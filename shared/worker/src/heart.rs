//! The heartbeat: what keeps this process's leases alive, and what stops it from calling when it may be
//! taken for dead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sever_domain::InstanceId;
use sever_provider::wall_clock;
use sever_store::{Store, StoreError, job::instance};
use sever_telemetry::chain;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::settings::Settings;

/// This process's identity and the age of its last heartbeat. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Heart {
    pub(crate) instance: InstanceId,
    pub(crate) incarnation: Uuid,
    last: Arc<Mutex<Instant>>,
    fresh_for: Duration,
    /// Cancelled when the database no longer counts this process as running.
    pub(crate) disowned: CancellationToken,
}

impl Heart {
    /// Registers the process and beats until `end` is cancelled.
    ///
    /// # Errors
    /// As any statement.
    pub(crate) async fn start(
        store: Store,
        service: &str,
        settings: &Settings,
        end: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        let instance = InstanceId::generate();
        let asked = Instant::now();
        let (incarnation, now) = instance::register(
            &store,
            instance,
            service,
            settings.heartbeat_dead,
            settings.slots,
        )
        .await?;
        wall_clock::heard(now);
        let heart = Self {
            instance,
            incarnation,
            last: Arc::new(Mutex::new(asked)),
            fresh_for: settings.start_call_age_max,
            disowned: CancellationToken::new(),
        };
        let task = tokio::spawn(heart.clone().beat(store, settings.heartbeat, end));
        Ok((heart, task))
    }

    /// Whether a provider call may be started: nobody can have taken this process for dead.
    pub(crate) fn is_fresh(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.elapsed() < self.fresh_for && !self.disowned.is_cancelled()
    }

    async fn beat(self, store: Store, interval: Duration, end: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = end.cancelled() => return,
            }
            // Dated before the statement, so that this clock is never behind the database's.
            let asked = Instant::now();
            match tokio::time::timeout(self.fresh_for, instance::beat(&store, self.instance)).await
            {
                Ok(Ok(Some(now))) => {
                    wall_clock::heard(now);
                    *self.last.lock().unwrap_or_else(PoisonError::into_inner) = asked
                }
                Ok(Ok(None)) => {
                    tracing::error!(instance = %self.instance, "the database no longer counts this process as running, or was brought back to an earlier point: it stops");
                    self.disowned.cancel();
                    return;
                }
                Ok(Err(error)) => {
                    tracing::warn!(error = %chain(&error), "a heartbeat failed; calls stop when it is too old")
                }
                Err(_) => {
                    tracing::warn!("a heartbeat took too long; calls stop when it is too old")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_or_disowned_heart_stops_calls() {
        let heart = Heart {
            instance: InstanceId::generate(),
            incarnation: Uuid::nil(),
            last: Arc::new(Mutex::new(Instant::now())),
            fresh_for: Duration::from_secs(4),
            disowned: CancellationToken::new(),
        };
        assert!(heart.is_fresh());
        let stale = Heart {
            fresh_for: Duration::ZERO,
            ..heart.clone()
        };
        assert!(!stale.is_fresh());
        heart.disowned.cancel();
        assert!(!heart.is_fresh());
    }
}
