//! What one application was found to take; kept for as long as the process runs, and found out anew after that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sever_provider::CallError;
use tokio::time::Instant;

/// How long an application may show an account that it has deleted.
const BEHIND_MAX: Duration = Duration::from_secs(600);

/// The memory of one connection.
#[derive(Debug, Default)]
pub struct Dialects {
    /// Where the ladder of forms for `active` begins.
    pub active: Ladder,
    /// Where the ladder of forms for taking a member out begins.
    pub members: Ladder,
    /// Where the ladder of forms for taking a value out begins.
    pub values: Ladder,
    /// DELETE was answered with success, and a read still showed the user, inactive: that is how deleted ones look here.
    pub keeps_deleted: Flag,
    /// DELETE was answered with 405 or 501; with 404 it says only that nothing was found.
    pub has_no_delete: Flag,
    /// Somebody was found by their address: a filter that finds nobody means that there is nobody.
    pub finds_addresses: Flag,
    /// Groups were found by their members: a filter that finds nothing means that there is nothing.
    pub finds_members: Flag,
    /// A member was found in one group by a filter on both: it finds who is in it, and nobody else.
    pub finds_member_of_group: Flag,
    /// A group showed members: one that shows none has none.
    pub shows_members: Flag,
    /// Whether the application says that it counts pages by cursors.
    pub by_cursor: OnceLock<bool>,
    /// Deletions that found nothing though the account is shown.
    pub unfound: Unfound,
    /// Bodies are taken as plain JSON only.
    pub plain_json: Flag,
}

/// A position on a ladder of forms.
#[derive(Debug, Default)]
pub struct Ladder(AtomicUsize);

/// Something that was learnt once.
#[derive(Debug, Default)]
pub struct Flag(AtomicBool);

impl Ladder {
    /// The forms in the order in which they are to be tried: from the position on, then those before it.
    pub fn order<T: Copy>(&self, forms: &[T]) -> Vec<(usize, T)> {
        let first = self.0.load(Ordering::Relaxed) % forms.len().max(1);
        let numbered = forms.iter().copied().enumerate();
        let (before, after): (Vec<_>, Vec<_>) = numbered.partition(|(at, _)| *at < first);
        [after, before].concat()
    }

    /// A read proved the form at this position.
    pub fn proven(&self, at: usize) {
        self.0.store(at, Ordering::Relaxed);
    }

    /// The form at this position did not work: the next try begins behind it, so that a deadline that cuts the ladder
    /// short does not begin it anew.
    pub fn failed(&self, at: usize) {
        let _ = self
            .0
            .compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A call of the form at this position ended in an error. A server that breaks over a form (500) may do so every time:
    /// the next try begins behind it.
    pub fn ended(&self, at: usize, error: &CallError) {
        if error.status == Some(500) {
            self.failed(at);
        }
    }
}

/// Since when deletions find nothing though a read shows the account, by its id.
#[derive(Debug, Default)]
pub struct Unfound(Mutex<HashMap<String, Instant>>);

impl Unfound {
    /// One was not found at `now`; says whether the reads may still be behind a deletion that was made.
    pub fn may_be_behind(&self, account: &str, now: Instant) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *since.entry(account.to_owned()).or_insert(now);
        now.duration_since(since) < BEHIND_MAX
    }

    /// The account is gone.
    pub fn settle(&self, account: &str) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.remove(account);
    }
}

impl Flag {
    /// It was seen.
    pub fn learn(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was seen.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_behind_for_a_while_and_not_for_ever() {
        let (unfound, now) = (Unfound::default(), Instant::now());
        assert!(unfound.may_be_behind("u1", now));
        assert!(!unfound.may_be_behind("u1", now + BEHIND_MAX));
        assert!(unfound.may_be_behind("u2", now + BEHIND_MAX));
        unfound.settle("u1");
        assert!(unfound.may_be_behind("u1", now + BEHIND_MAX));
    }

    #[test]
    fn a_proven_form_comes_first_and_a_failed_one_last() {
        let ladder = Ladder::default();
        let order = || -> Vec<char> {
            let forms = ladder.order(&['a', 'b', 'c']);
            forms.into_iter().map(|(_, form)| form).collect()
        };
        assert_eq!(order(), ['a', 'b', 'c']);
        ladder.failed(0);
        assert_eq!(order(), ['b', 'c', 'a']);
        ladder.failed(0);
        assert_eq!(order(), ['b', 'c', 'a']);
        ladder.proven(2);
        assert_eq!(order(), ['c', 'a', 'b']);
        ladder.failed(2);
        assert_eq!(order(), ['a', 'b', 'c']);
    }
}
