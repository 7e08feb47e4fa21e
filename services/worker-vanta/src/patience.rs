//! How long what Vanta refuses is waited for before a person is asked: integrations report about once an hour, so that most
//! refusals pass by themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The most refusals that are remembered; beyond it patience begins anew.
const REMEMBERED_MAX: usize = 10_000;
/// A refusal says nothing any more this long after it: what a person was asked to mend may be mended.
const STANDS_FOR: Duration = Duration::from_secs(600);

/// Refusals by what was refused. Forgotten with the process: waiting begins anew then.
#[derive(Debug)]
pub struct Patience {
    longest: Duration,
    refused: Mutex<HashMap<String, Refused>>,
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    first: Instant,
    last: Instant,
}

impl Patience {
    /// Waits this long.
    pub fn new(longest: Duration) -> Self {
        Self {
            longest,
            refused: Mutex::default(),
        }
    }

    /// Notes a refusal; whether it has been refused for long enough to ask a person.
    pub fn refused(&self, what: &str, now: Instant) -> bool {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        let known = all.entry(what.to_owned()).or_insert(Refused {
            first: now,
            last: now,
        });
        known.last = now;
        known.first + self.longest <= now
    }

    /// Whether a person is to be asked now.
    pub fn is_over(&self, what: &str, now: Instant) -> bool {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = all.get(what).copied() else {
            return false;
        };
        let over = known.first + self.longest <= now;
        if over && known.last + STANDS_FOR <= now {
            all.remove(what);
            return false;
        }
        over
    }

    /// It was not refused this time.
    pub fn worked(&self, what: &str) {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_asked_once_it_has_been_refused_for_long_and_not_for_ever() {
        let patience = Patience::new(Duration::from_secs(7200));
        let now = Instant::now();
        assert!(!patience.refused("p", now) && !patience.is_over("p", now));
        let later = now + Duration::from_secs(7200);
        assert!(patience.refused("p", later) && patience.is_over("p", later));
        assert!(!patience.is_over("other", later));
        let mended = later + STANDS_FOR;
        assert!(!patience.is_over("p", mended), "it may be mended");
        assert!(!patience.refused("p", mended), "and patience begins anew");
        patience.worked("p");
        assert!(!patience.is_over("p", mended));
    }
}
