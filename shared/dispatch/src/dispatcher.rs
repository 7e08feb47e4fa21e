//! Starting and stopping relay, sweeper, janitor and ramp.

use std::sync::Arc;
use std::time::Duration;

use sever_bus::Bus;
use sever_store::Store;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{janitor, ramp, relay, sweeper};

/// The pace of the dispatcher.
#[derive(Debug, Clone, Copy)]
pub struct DispatchSettings {
    /// Rows claimed and published at once; 1 to 2,000.
    pub relay_batch: i64,
    /// How often the relay looks for rows that nobody woke it for.
    pub relay_poll: Duration,
    /// How long a claimed row is this relay's.
    pub claim_lease: Duration,
    /// How often the sweeper looks.
    pub sweep_interval: Duration,
    /// When an unanswered bell counts as lost.
    pub rung_too_long: Duration,
    /// How often the janitor looks at the dead-letter queues.
    pub janitor_interval: Duration,
    /// How long a job that a crash loop buried rests before it goes back by itself, once.
    pub crash_loop_rest: Duration,
}

/// Wakes the relay after a commit in the same process. Cheap to clone; waking twice is one look.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// Says that there is a fresh row.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits for a wake-up, at most for `poll`. Cancel-safe.
    pub(crate) async fn woken(&self, poll: Duration) {
        // Nobody waking it is the ordinary case of another process's rows.
        let _ = tokio::time::timeout(poll, self.0.notified()).await;
    }
}

/// A running dispatcher.
pub struct Dispatcher {
    tasks: [(&'static str, JoinHandle<()>); 4],
}

impl Dispatcher {
    /// Starts its tasks. They end, after the batch in hand, once `stop` is cancelled.
    #[must_use]
    pub fn start(
        store: Store,
        bus: Bus,
        settings: DispatchSettings,
        waker: Waker,
        stop: CancellationToken,
    ) -> Self {
        let relay = tokio::spawn(relay::run(
            store.clone(),
            bus.publisher(),
            settings,
            waker.clone(),
            stop.clone(),
        ));
        let ramp = tokio::spawn(ramp::run(
            store.clone(),
            settings,
            waker.clone(),
            stop.clone(),
        ));
        let janitor = tokio::spawn(janitor::run(
            store.clone(),
            bus.clone(),
            settings,
            waker.clone(),
            stop.clone(),
        ));
        let sweeper = tokio::spawn(sweeper::run(store, bus, settings, waker, stop));
        Self {
            tasks: [
                ("relay", relay),
                ("sweeper", sweeper),
                ("janitor", janitor),
                ("ramp", ramp),
            ],
        }
    }

    /// Waits until all have ended.
    pub async fn ended(self) {
        for (name, task) in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(task = name, %error, "a dispatcher task ended badly; the next process goes on from the database");
            }
        }
    }
}
