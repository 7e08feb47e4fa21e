//! Our own count of calls in the last minute: Vanta tells no quota in its headers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sever_provider::http::Priority;
use tokio::time::Instant;

/// A window of ours is longer than Vanta's by this much, so that clocks need not agree.
const WINDOW: Duration = Duration::from_secs(61);

/// Calls per window, of which ordinary work leaves one fifth to what contains.
#[derive(Debug)]
pub struct Pace {
    limit: usize,
    sent: Mutex<VecDeque<Instant>>,
}

impl Pace {
    /// A pace of `limit` calls per minute; at least 1.
    pub fn new(limit: u32) -> Self {
        Self {
            limit: usize::try_from(limit.max(1)).unwrap_or(usize::MAX),
            sent: Mutex::default(),
        }
    }

    /// Counts a call that goes now.
    ///
    /// # Errors
    /// How long to wait where the window is full; not counted.
    pub fn take(&self, now: Instant, priority: Priority) -> Result<(), Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.wait(&mut sent, now, priority);
        if wait.is_zero() {
            sent.push_back(now);
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// The pace as all processes share it: calls in a window.
    pub fn shared(&self) -> (u32, Duration) {
        (u32::try_from(self.limit).unwrap_or(u32::MAX), WINDOW)
    }

    /// How long an ordinary call would have to wait; `None` where it may go.
    pub fn closed_for(&self, now: Instant) -> Option<Duration> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        Some(self.wait(&mut sent, now, Priority::Ordinary)).filter(|wait| !wait.is_zero())
    }

    fn wait(&self, sent: &mut VecDeque<Instant>, now: Instant, priority: Priority) -> Duration {
        while sent
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW)
        {
            sent.pop_front();
        }
        let limit = u32::try_from(self.limit).unwrap_or(u32::MAX);
        let reserve = usize::try_from(priority.reserve(limit)).unwrap_or(usize::MAX);
        let allowed = self.limit.saturating_sub(reserve);
        // The call that must leave the window before this one may go.
        let blocking = sent.len().checked_sub(allowed).and_then(|at| sent.get(at));
        blocking.map_or(Duration::ZERO, |first| {
            (*first + WINDOW).saturating_duration_since(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_opens_when_its_oldest_call_leaves_it() {
        let pace = Pace::new(5);
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        for second in 0..4 {
            assert_eq!(pace.take(at(second), Priority::Ordinary), Ok(()));
        }
        assert_eq!(
            pace.take(at(10), Priority::Ordinary),
            Err(Duration::from_secs(51))
        );
        assert_eq!(
            pace.take(at(10), Priority::Containing),
            Ok(()),
            "the reserve"
        );
        assert!(pace.take(at(11), Priority::Containing).is_err());
        assert_eq!(pace.closed_for(at(61)), Some(Duration::from_secs(1)));
        assert_eq!(pace.closed_for(at(62)), None);
        assert_eq!(pace.take(at(62), Priority::Ordinary), Ok(()));
    }
}
