//! One listener for signals, one soft token, one grace, one hard token.
//!
//! First of all the service is not ready any more, so that nobody sends it work that it would refuse.
//! Soft: stop taking work, finish or give back what is held. Hard: drop what is left; it is read again by whoever takes it next.
//! The hard token is cancelled when the grace runs out (logged once) or at the second signal.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::health::Health;

/// The stop of this process. Dropping it ends the listener and cancels nothing.
#[derive(Debug)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    drained: CancellationToken,
    health: Health,
    listener: JoinHandle<()>,
}

/// Stands in for the signals of the operating system in tests.
#[derive(Debug, Clone)]
pub struct Trigger(mpsc::UnboundedSender<()>);

impl Trigger {
    /// As if the process got SIGTERM.
    pub fn signal(&self) {
        // The listener is gone once the stop is over; a late signal means nothing then.
        let _ = self.0.send(());
    }
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT; `grace` is the time from the first one to the hard token. `health` drains
    /// before the soft token is cancelled.
    ///
    /// From here on neither signal ends the process by itself.
    ///
    /// # Errors
    /// Where the operating system refuses a signal handler.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn install(grace: Duration, health: Health) -> io::Result<Self> {
        let (terminate, interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        Ok(Self::start(
            Source::System {
                terminate,
                interrupt,
            },
            grace,
            health,
        ))
    }

    /// A stop that only the [`Trigger`] starts. Must be called inside a Tokio runtime.
    #[must_use]
    pub fn without_signals(grace: Duration, health: Health) -> (Self, Trigger) {
        let (trigger, signals) = mpsc::unbounded_channel();
        (
            Self::start(Source::Trigger(signals), grace, health),
            Trigger(trigger),
        )
    }

    /// Cancelled when work must no longer be taken. Cancellation is final; waiting on it is cancel-safe.
    #[must_use]
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Cancelled when whatever is left must be dropped at once; never before the soft token. Waiting on it is cancel-safe.
    #[must_use]
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Starts the stop from inside, for a service that cannot go on. Harmless when it has begun already.
    pub fn begin(&self) {
        self.health.begin_drain();
        self.soft.cancel();
    }

    /// Says that nothing is held any more: the grace is no longer counted and never logged. Call it after the drain, last of all.
    ///
    /// Cancel-safe: once polled, the listener ends even if this future is dropped.
    pub async fn drained(self) {
        self.drained.cancel();
        // The listener only waits and logs; a panic in it is not the service's concern at its end.
        let _ = self.listener.await;
    }

    fn start(source: Source, grace: Duration, health: Health) -> Self {
        let [soft, hard, drained] = std::array::from_fn(|_| CancellationToken::new());
        let listener = tokio::spawn(listen(
            source,
            grace,
            health.clone(),
            soft.clone(),
            hard.clone(),
            drained.clone(),
        ));
        Self {
            soft,
            hard,
            drained,
            health,
            listener,
        }
    }
}

/// Where signals come from.
enum Source {
    System {
        terminate: Signal,
        interrupt: Signal,
    },
    Trigger(mpsc::UnboundedReceiver<()>),
}

impl Source {
    /// Waits for the next signal and gives its name. Cancel-safe: a signal that is not returned stays pending.
    async fn next(&mut self) -> &'static str {
        match self {
            Self::System {
                terminate,
                interrupt,
            } => tokio::select! {
                Some(()) = terminate.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => std::future::pending().await,
            },
            Self::Trigger(signals) => match signals.recv().await {
                Some(()) => "trigger",
                None => std::future::pending().await,
            },
        }
    }
}

async fn listen(
    mut source: Source,
    grace: Duration,
    health: Health,
    soft: CancellationToken,
    hard: CancellationToken,
    drained: CancellationToken,
) {
    let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    tokio::select! {
        signal = source.next() => tracing::info!(signal, grace_ms, "stopping: no more work is taken"),
        () = soft.cancelled() => tracing::info!(grace_ms, "stopping at the service's own wish: no more work is taken"),
        () = drained.cancelled() => return,
    }
    health.begin_drain();
    soft.cancel();
    tokio::select! {
        signal = source.next() => tracing::warn!(signal, "a second signal: what is left is dropped"),
        () = tokio::time::sleep(grace) => tracing::warn!(grace_ms, "the grace of the stop ran out: what is left is dropped"),
        () = drained.cancelled() => return,
    }
    hard.cancel();
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn the_first_signal_is_soft_and_the_second_is_hard_at_once() {
        let (shutdown, trigger) = Shutdown::without_signals(LONG, Health::new());
        assert!(!shutdown.soft().is_cancelled());
        trigger.signal();
        timeout(DEADLINE, shutdown.soft().cancelled())
            .await
            .unwrap();
        assert!(!shutdown.hard().is_cancelled());
        trigger.signal();
        timeout(DEADLINE, shutdown.hard().cancelled())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn the_service_is_not_ready_before_it_refuses_work() {
        for by_signal in [true, false] {
            let health = Health::new();
            health.register("postgres").set_ready();
            let (shutdown, trigger) = Shutdown::without_signals(LONG, health.clone());
            assert!(health.ready());
            if by_signal {
                trigger.signal();
            } else {
                shutdown.begin();
            }
            timeout(DEADLINE, shutdown.soft().cancelled())
                .await
                .unwrap();
            assert!(!health.ready());
        }
    }

    #[tokio::test]
    async fn the_grace_ends_in_the_hard_token_whoever_began() {
        let (shutdown, _trigger) =
            Shutdown::without_signals(Duration::from_millis(10), Health::new());
        shutdown.begin();
        timeout(DEADLINE, shutdown.hard().cancelled())
            .await
            .unwrap();
        assert!(shutdown.soft().is_cancelled());
    }

    #[tokio::test]
    async fn a_drained_service_is_never_stopped_hard() {
        let (shutdown, trigger) = Shutdown::without_signals(Duration::from_secs(60), Health::new());
        let hard = shutdown.hard();
        trigger.signal();
        timeout(DEADLINE, shutdown.soft().cancelled())
            .await
            .unwrap();
        timeout(DEADLINE, shutdown.drained()).await.unwrap();
        assert!(!hard.is_cancelled());
        trigger.signal();
    }

    #[tokio::test]
    async fn draining_without_a_stop_ends_the_listener() {
        let (shutdown, _trigger) = Shutdown::without_signals(LONG, Health::new());
        let soft = shutdown.soft();
        timeout(DEADLINE, shutdown.drained()).await.unwrap();
        assert!(!soft.is_cancelled());
    }

    #[tokio::test]
    async fn system_signals_can_be_listened_for() {
        let shutdown = Shutdown::install(LONG, Health::new()).unwrap();
        assert!(!shutdown.soft().is_cancelled());
        shutdown.drained().await;
    }
}
