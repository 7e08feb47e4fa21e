//! Employment events from RabbitMQ.
//!
//! A delivery is acked once its request, or the row that says why it was rejected, is committed. While the
//! database is away it is held here and tried again, so that nothing is lost and the broker's delivery limit is
//! not used up.

use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sever_accept::{AcceptError, Asker, FieldFault, LeaverEvent, accept_leaver_event, reject};
use sever_backoff::Backoff;
use sever_bus::{Delivery, Disposition, Handler};
use sever_dispatch::Waker;
use sever_domain::request::Channel;
use sever_store::source::{self, Source};
use sever_store::{Store, StoreError};
use sever_telemetry::chain;
use tokio_util::sync::CancellationToken;

/// The first and the longest delay between tries.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How much of a delay is random.
const JITTER: f64 = 0.5;

/// How long a delivery is held; below the 30 minutes after which the broker takes the channel away.
const HELD_MAX: Duration = Duration::from_secs(20 * 60);

/// Tries of an event that the database refuses for its own sake, before it is kept as rejected.
const REFUSED_TRIES: u32 = 5;

/// Who sent it, where nobody knows.
const UNKNOWN: &str = "unknown";

/// Takes in what is delivered on the leaver queue.
pub struct LeaverEvents {
    store: Store,
    waker: Waker,
    backoff: Backoff,
    soft: CancellationToken,
}

impl LeaverEvents {
    /// A handler that wakes the relay after each commit and gives deliveries back once `soft` is cancelled.
    #[must_use]
    pub fn new(store: Store, waker: Waker, soft: CancellationToken) -> Self {
        let (min, max) = BACKOFF;
        let backoff = Backoff::new(min, max, JITTER).expect("the constants are a valid window");
        Self {
            store,
            waker,
            backoff,
            soft,
        }
    }

    async fn until_taken_in(&self, delivery: &Delivery) -> Disposition {
        let (started, mut failures) = (Instant::now(), 0);
        loop {
            let Err(error) = self.take_in(delivery).await else {
                return Disposition::Ack;
            };
            failures += 1;
            tracing::warn!(
                error = chain(&error),
                failures,
                "a leaver event could not be recorded and is held"
            );
            if !error.is_transient()
                && failures >= REFUSED_TRIES
                && self.give_up(delivery, error).await
            {
                return Disposition::Ack;
            }
            let delay = self.backoff.delay(failures, rand::random());
            let stopping = self
                .soft
                .run_until_cancelled(tokio::time::sleep(delay))
                .await;
            if stopping.is_none() || started.elapsed() > HELD_MAX {
                return Disposition::ReturnAtShutdown;
            }
        }
    }

    /// Records the event, or why it was rejected.
    async fn take_in(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let source = match self.source_of(delivery).await? {
            Ok(source) => source,
            Err(fault) => {
                let name = delivery.user_id.as_deref().unwrap_or(UNKNOWN);
                return self.reject(name, delivery, fault.into()).await;
            }
        };
        let event = match LeaverEvent::parse(&delivery.body) {
            Ok(event) => event,
            Err(fault) => return self.reject(&source.name, delivery, fault.into()).await,
        };
        let asker = Asker::source(source.id, &source.name, Channel::Amqp);
        match accept_leaver_event(&self.store, &asker, &event).await {
            Ok(_) => {
                self.waker.wake();
                Ok(())
            }
            Err(AcceptError::Store(error)) => Err(error),
            Err(why) => self.reject(&source.name, delivery, why).await,
        }
    }

    /// The source whose user the broker validated.
    async fn source_of(
        &self,
        delivery: &Delivery,
    ) -> Result<Result<Source, FieldFault>, StoreError> {
        let fault = |problem: &str| FieldFault {
            field: "user-id".to_owned(),
            problem: problem.to_owned(),
        };
        let Some(user) = delivery.user_id.as_deref() else {
            return Ok(Err(fault(
                "is missing: publish with the user-id property set to the broker user",
            )));
        };
        let client = self
            .store
            .client("looking up the source of a message")
            .await?;
        let source = source::by_broker_user(&client, user).await?;
        Ok(source.ok_or_else(|| {
            fault("is the broker user of no source: name it with 'sever source add'")
        }))
    }

    async fn reject(
        &self,
        source: &str,
        delivery: &Delivery,
        why: AcceptError,
    ) -> Result<(), StoreError> {
        reject(&self.store, source, Channel::Amqp, &delivery.body, &why).await
    }

    /// Keeps an event that the database refuses whatever the time, so that it does not block the queue.
    async fn give_up(&self, delivery: &Delivery, error: StoreError) -> bool {
        let name = delivery.user_id.as_deref().unwrap_or(UNKNOWN);
        let kept = self.reject(name, delivery, AcceptError::Store(error)).await;
        kept.is_ok()
    }
}

impl Handler for LeaverEvents {
    fn handle<'a>(&'a self, delivery: Delivery) -> BoxFuture<'a, Disposition> {
        async move { self.until_taken_in(&delivery).await }.boxed()
    }
}
