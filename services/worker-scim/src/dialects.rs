//! What one application was found to take; kept for as long as the process runs, and found out anew after that.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sever_provider::CallError;

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
    /// DELETE was answered with 405 or 501.
    pub has_no_delete: Flag,
    /// Somebody was found by their address: a filter that finds nobody means that there is nobody.
    pub finds_addresses: Flag,
    /// Groups were found by their members: a filter that finds nothing means that there is nothing.
    pub finds_members: Flag,
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
