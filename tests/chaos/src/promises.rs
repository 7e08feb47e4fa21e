//! The clients' own record: whom they named, and what was answered with an acceptance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// A leaver event over AMQP, promised by the broker's confirm.
    Amqp,
    /// A leaver event over HTTP, promised by 202.
    LeaverEvent,
    /// A request for an opt-out over HTTP, promised by 202.
    OptOut,
}

/// One thing that a client was promised.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    /// The number of the person.
    pub(crate) person: usize,
    /// The way in.
    pub(crate) way: Way,
    /// When the acceptance came.
    pub(crate) at: Instant,
    /// The opt-out that the answer named, where it named one.
    pub(crate) opt_out: Option<String>,
}

/// The record; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promises(Arc<Mutex<Record>>);

/// What is recorded.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Everybody who was named in anything that was sent, accepted or not.
    pub(crate) named: BTreeSet<usize>,
    /// By key: what was accepted.
    pub(crate) accepted: BTreeMap<String, Promise>,
    /// Tries that were not answered with an acceptance.
    pub(crate) tries_in_vain: u64,
    /// Answers of the console.
    pub(crate) console_answers: u64,
    /// Questions to which the console gave no answer within the client's patience.
    pub(crate) console_silent: u64,
    /// Events that were sent again after the broker's data was gone.
    pub(crate) sent_again: u64,
}

impl Promises {
    /// The record, for a moment.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an acceptance. A repetition is the same promise, made once more.
    pub(crate) fn accepted(&self, key: &str, person: usize, way: Way, opt_out: Option<String>) {
        let promise = Promise {
            person,
            way,
            at: Instant::now(),
            opt_out,
        };
        self.record().accepted.insert(key.to_owned(), promise);
    }
}

impl Record {
    /// People with at least one promise.
    pub(crate) fn people(&self) -> BTreeSet<usize> {
        self.accepted
            .values()
            .map(|promise| promise.person)
            .collect()
    }
}
