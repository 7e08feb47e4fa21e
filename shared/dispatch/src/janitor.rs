//! The janitor: keeps the dead-letter queues in step with what PostgreSQL says is dead.
//!
//! A look compares a queue's depth with the tables. Where they differ, or something was closed, a pass takes at most the
//! messages that were there at its start: what is closed is acked, what stands goes to the tail as a confirmed copy before
//! it is acked, what no job belongs to is stored for a person to read. Afterwards what the pass did not meet is published
//! again. Two janitors at once, or one killed anywhere, leave at most a second copy, which the next pass acks.

mod pass;
mod sort;

use std::collections::HashMap;
use std::time::Duration;

use sever_bus::{Bus, BusState};
use sever_domain::Provider;
use sever_store::dead_letter::{self, DeadQueue};
use sever_store::{Store, leader};
use sever_telemetry::chain;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::dispatcher::{DispatchSettings, Waker};

/// The name of the lease.
const LEASE: &str = "janitor";
/// How long another janitor waits for one that died.
const LEASE_FOR: Duration = Duration::from_secs(30);
/// Jobs that a crash loop buried and that go back in one look.
const RETURNED_MAX: i64 = 200;
/// A long pass is followed by a pause of so many times its length: the broker has other work too.
const PAUSE_FACTOR: u32 = 3;

/// What one janitor knows.
pub(crate) struct Janitor {
    store: Store,
    bus: Bus,
    waker: Waker,
    stop: CancellationToken,
    me: Uuid,
    /// When a queue may be passed over again.
    not_before: HashMap<&'static str, Instant>,
}

/// Runs until `stop`.
pub(crate) async fn run(
    store: Store,
    bus: Bus,
    settings: DispatchSettings,
    waker: Waker,
    stop: CancellationToken,
) {
    let mut janitor = Janitor {
        store,
        bus,
        waker,
        stop: stop.clone(),
        me: Uuid::new_v4(),
        not_before: HashMap::new(),
    };
    while !stop.is_cancelled() {
        janitor.round(settings.crash_loop_rest).await;
        tokio::select! {
            () = tokio::time::sleep(settings.janitor_interval) => {}
            () = stop.cancelled() => {}
        }
    }
    if let Err(error) = leader::resign(&janitor.store, LEASE, janitor.me).await {
        tracing::debug!(error = %chain(&error), "the janitor's lease was not given back; it ends by itself");
    }
}

impl Janitor {
    /// One look at everything, if this janitor leads.
    async fn round(&mut self, crash_loop_rest: Duration) {
        match leader::lead(&self.store, LEASE, self.me, LEASE_FOR).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the janitor could not use the database; it tries again");
                return;
            }
        }
        self.return_crash_loops(crash_loop_rest).await;
        let providers = Provider::ALL
            .iter()
            .map(|provider| DeadQueue::Of(*provider));
        for queue in providers.chain([DeadQueue::Intake]) {
            if self.stop.is_cancelled() || !matches!(*self.bus.state().borrow(), BusState::Up) {
                return;
            }
            let began = Instant::now();
            match self.look(queue).await {
                Ok(passed) if passed => {
                    let pause = began.elapsed() * PAUSE_FACTOR;
                    self.not_before.insert(queue.word(), Instant::now() + pause);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(queue = queue.word(), %error, "the janitor could not finish with a dead-letter queue; it tries again");
                }
            }
        }
    }

    async fn return_crash_loops(&self, rest: Duration) {
        match dead_letter::return_crash_loops(&self.store, rest, RETURNED_MAX).await {
            Ok(returned) if returned.is_empty() => {}
            Ok(returned) => {
                tracing::info!(
                    jobs = returned.len(),
                    "jobs that a crash loop buried go back by themselves, this once"
                );
                self.waker.wake();
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "jobs that a crash loop buried could not go back; it is tried again");
            }
        }
    }

    /// Whether a pass over this queue may begin: after a long one there is a pause.
    fn may_pass(&self, queue: DeadQueue) -> bool {
        self.not_before
            .get(queue.word())
            .is_none_or(|instant| Instant::now() >= *instant)
    }

    /// Extends the lease in the middle of a long pass.
    async fn still_leads(&self) -> bool {
        leader::lead(&self.store, LEASE, self.me, LEASE_FOR)
            .await
            .unwrap_or(false)
    }
}
