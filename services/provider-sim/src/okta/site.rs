//! An org as several connections use it at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::okta::state::Org;

/// An org behind its lock, and the number of calls to it that are under way. The lock is never held across an await.
#[derive(Debug)]
pub struct Site {
    org: Mutex<Org>,
    in_flight: AtomicUsize,
}

/// One call under way; ends when it is dropped.
pub struct InFlight<'a> {
    site: &'a Site,
    /// How many calls are under way, this one included.
    pub count: usize,
}

impl Site {
    /// A site with no call under way.
    pub fn new(org: Mutex<Org>) -> Self {
        Self {
            org,
            in_flight: AtomicUsize::new(0),
        }
    }

    /// The org. A panic elsewhere does not take the org away: its state is inspected in tests all the more.
    pub fn lock(&self) -> MutexGuard<'_, Org> {
        self.org.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call.
    pub fn enter(&self) -> InFlight<'_> {
        InFlight {
            site: self,
            count: self.in_flight.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.site.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
