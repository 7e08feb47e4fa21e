//! The rate budgets of one connection in one process, by endpoint bucket.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sever_domain::rate::Priority;

use super::budget::{Decision, RateBudget};
use super::rate_headers::RateHeaders;
use super::shared::HeardWindow;

/// The budgets. The lock is held for arithmetic only, never across an await.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    by_name: Mutex<HashMap<&'static str, RateBudget>>,
}

impl Buckets {
    fn with<T>(&self, bucket: &'static str, change: impl FnOnce(&mut RateBudget) -> T) -> T {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        change(by_name.entry(bucket).or_default())
    }

    /// Asks for one call.
    pub(super) fn ask(&self, bucket: &'static str, now: Instant, priority: Priority) -> Turn<'_> {
        match self.with(bucket, |budget| budget.ask(now, priority)) {
            Decision::Go => Turn::Go(CountedCall {
                buckets: self,
                bucket,
                answered: false,
            }),
            Decision::Wait(wait) => Turn::Wait(wait),
            Decision::RetryAt(wait) => Turn::RetryAt(wait),
        }
    }

    /// The window of a bucket, as far as answers told.
    pub(super) fn window(&self, bucket: &'static str, now: Instant) -> Option<HeardWindow> {
        self.with(bucket, |budget| budget.window(now))
    }

    /// Closes a bucket for this long: somebody else heard that it is.
    pub(super) fn close(&self, bucket: &'static str, now: Instant, wait: Duration) {
        self.with(bucket, |budget| budget.refused(now, wait));
    }

    /// The longest time for which a bucket is closed to ordinary calls; `None` where all are open.
    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name
            .values()
            .map(|budget| budget.closed_for(now, Priority::Ordinary))
            .max()
            .filter(|wait| !wait.is_zero())
    }
}

/// A [`Decision`] that carries the account of the call it lets go.
pub(super) enum Turn<'a> {
    Go(CountedCall<'a>),
    Wait(Duration),
    RetryAt(Duration),
}

/// One call that was counted: told how it ended, or closed as unanswered when dropped.
pub(super) struct CountedCall<'a> {
    buckets: &'a Buckets,
    bucket: &'static str,
    answered: bool,
}

impl CountedCall<'_> {
    pub(super) fn answered(mut self, now: Instant, headers: &RateHeaders) {
        self.answered = true;
        self.buckets
            .with(self.bucket, |budget| budget.answered(now, headers));
    }

    /// The call is not made.
    pub(super) fn withdrawn(mut self) {
        self.answered = true;
        self.buckets.with(self.bucket, RateBudget::withdrawn);
    }
}

impl Drop for CountedCall<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.buckets.with(self.bucket, RateBudget::unanswered);
        }
    }
}
