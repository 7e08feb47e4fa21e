//! The record of every call a provider received, in the order in which the calls took effect.
//!
//! Entries say who called by the name of the credential, never the credential itself.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// What a call did to the provider's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It was answered from the state.
    Read,
    /// A write was accepted; `changed` in the entry says whether anything differed afterwards.
    Write,
    /// It was refused, or cut before it took effect.
    None,
}

/// How the call ended for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was answered with `status`.
    Answered,
    /// It took effect, then the connection was closed without an answer.
    Lost,
    /// The connection was closed before it took effect.
    Reset,
    /// It was left without an answer for a while, then closed.
    Hung,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Position in the journal, from 1, without gaps.
    pub seq: u64,
    /// Wall time when it took effect or was refused, ISO 8601.
    pub at: String,
    /// Microseconds since the simulator started.
    pub monotonic_us: u64,
    /// Microseconds from arrival until this entry, ordered latency included.
    pub took_us: u64,
    /// `okta`.
    pub provider: &'static str,
    /// The instance of the provider that was called.
    pub org: String,
    /// The HTTP method.
    pub method: String,
    /// The path inside the instance, as sent.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// The family of endpoints, for instance `users.lifecycle`.
    pub family: &'static str,
    /// The operation, for instance `suspend_user`.
    pub operation: &'static str,
    /// The id of the user it concerns, where there is one.
    pub user: Option<String>,
    /// What it did.
    pub effect: Effect,
    /// Whether the state differed afterwards.
    pub changed: bool,
    /// How it ended for the caller.
    pub ending: Ending,
    /// The status that was sent, or would have been.
    pub status: u16,
    /// The provider's request id.
    pub request_id: String,
    /// The name of the credential, where it was accepted.
    pub principal: Option<String>,
    /// The fault rule that had its way with this call.
    pub fault: Option<u64>,
}

/// A ring of the newest entries.
#[derive(Debug)]
pub struct Journal {
    ring: Mutex<Ring>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    last_seq: u64,
    dropped: u64,
}

/// Which entries a reader wants.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Only entries after this position.
    pub after: u64,
    /// At most this many.
    pub limit: usize,
    /// Only accepted writes.
    pub writes_only: bool,
    /// Only this user's.
    pub user: Option<String>,
    /// Only this instance's.
    pub org: Option<String>,
    /// Only this provider's.
    pub provider: Option<String>,
    /// Only this family's.
    pub family: Option<String>,
}

/// A page of the journal.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// The position to pass as `after` for what follows this page.
    pub next_after: u64,
    /// The position of the newest entry in the journal.
    pub last_seq: u64,
    /// How many old entries were dropped because the ring was full, since the start or the last clearing.
    pub dropped: u64,
}

impl Journal {
    /// An empty journal that keeps the newest `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::default(),
            capacity: capacity.max(1),
        }
    }

    /// Appends `entry`, giving it the next position.
    pub fn record(&self, mut entry: Entry) {
        let mut ring = self.lock();
        ring.last_seq += 1;
        entry.seq = ring.last_seq;
        if ring.entries.len() == self.capacity {
            ring.entries.pop_front();
            ring.dropped += 1;
        }
        ring.entries.push_back(entry);
    }

    /// The entries that `wanted` describes.
    pub fn read(&self, wanted: &Wanted) -> Page {
        let ring = self.lock();
        // Positions have no gaps, so the start is found without a scan.
        let oldest = ring.last_seq + 1 - ring.entries.len() as u64;
        let skip = usize::try_from((wanted.after + 1).saturating_sub(oldest)).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        let mut next_after = wanted.after.max(oldest.saturating_sub(1));
        for entry in ring.entries.iter().skip(skip) {
            if entries.len() == wanted.limit {
                break;
            }
            next_after = entry.seq;
            if wanted.wants(entry) {
                entries.push(entry.clone());
            }
        }
        Page {
            entries,
            next_after,
            last_seq: ring.last_seq,
            dropped: ring.dropped,
        }
    }

    /// Forgets all entries; positions go on from where they were.
    pub fn clear(&self) {
        let mut ring = self.lock();
        ring.entries.clear();
        ring.dropped = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    fn wants(&self, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        (!self.writes_only || entry.effect == Effect::Write)
            && (self.user.is_none() || self.user == entry.user)
            && same(&self.org, &entry.org)
            && same(&self.provider, entry.provider)
            && same(&self.family, entry.family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str, effect: Effect) -> Entry {
        Entry {
            seq: 0,
            at: String::new(),
            monotonic_us: 0,
            took_us: 0,
            provider: "okta",
            org: "main".into(),
            method: "GET".into(),
            path: String::new(),
            query: String::new(),
            family: "users",
            operation: "get_user",
            user: Some(user.into()),
            effect,
            changed: false,
            ending: Ending::Answered,
            status: 200,
            request_id: String::new(),
            principal: None,
            fault: None,
        }
    }

    #[test]
    fn a_full_ring_drops_the_oldest_and_says_so() {
        let journal = Journal::new(3);
        for n in 0..5 {
            journal.record(entry(&n.to_string(), Effect::Read));
        }
        let page = journal.read(&Wanted {
            limit: 10,
            ..Wanted::default()
        });
        assert_eq!(
            page.entries
                .iter()
                .map(|entry| entry.seq)
                .collect::<Vec<_>>(),
            [3, 4, 5]
        );
        assert_eq!((page.dropped, page.last_seq, page.next_after), (2, 5, 5));
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let journal = Journal::new(100);
        for n in 0..7 {
            journal.record(entry(if n % 2 == 0 { "a" } else { "b" }, Effect::Write));
        }
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let wanted = Wanted {
                after,
                limit: 2,
                user: Some("a".into()),
                writes_only: true,
                ..Wanted::default()
            };
            let page = journal.read(&wanted);
            if page.next_after == after {
                break;
            }
            seen.extend(page.entries.iter().map(|entry| entry.seq));
            after = page.next_after;
        }
        assert_eq!(seen, [1, 3, 5, 7]);
    }
}
