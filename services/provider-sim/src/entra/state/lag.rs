//! What is seen late. A read is answered by one replica; until a change has reached it, it shows the state before, in
//! either direction: what was deleted is still there, what was made is not there yet.

use std::sync::Arc;

use super::record::Record;

/// How far replicas lag behind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lag {
    /// For how long, in milliseconds.
    pub ms: i64,
    /// For how many reads that look at what changed.
    pub reads: u32,
    /// Every second of these reads is answered by a replica that is up to date.
    pub flapping: bool,
    /// For how long advanced queries (`ConsistencyLevel: eventual`) show the old state, in milliseconds.
    pub index_ms: i64,
}

/// Who answers a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replica {
    /// The primary: writes, and the control API.
    #[default]
    Primary,
    /// A replica, at this moment.
    Secondary(i64),
    /// The index behind advanced queries, at this moment.
    Index(i64),
}

/// A row as it was before a change; `None`: it did not exist.
#[derive(Debug, Clone)]
pub struct Stale {
    pub(super) before: Option<Arc<Record>>,
    until_ms: i64,
    index_until_ms: i64,
    looks_left: u32,
    looks: u32,
    flapping: bool,
}

impl Stale {
    /// The state before a change at `now_ms`; `None` where nothing lags.
    pub fn new(lag: Lag, before: Option<Arc<Record>>, now_ms: i64) -> Option<Self> {
        let lags = lag.ms > 0 || lag.reads > 0 || lag.index_ms > 0;
        lags.then_some(Self {
            before,
            until_ms: now_ms + lag.ms,
            index_until_ms: now_ms + lag.index_ms,
            looks_left: lag.reads,
            looks: 0,
            flapping: lag.flapping,
        })
    }

    /// Whether any replica still lags at `now_ms`.
    pub fn is_up(&self, now_ms: i64) -> bool {
        self.replica_lags(now_ms) || now_ms < self.index_until_ms
    }

    /// Whether `replica` shows the old state.
    pub fn shows(&self, replica: Replica) -> bool {
        match replica {
            Replica::Primary => false,
            Replica::Secondary(now_ms) => {
                self.replica_lags(now_ms) && (!self.flapping || self.looks.is_multiple_of(2))
            }
            Replica::Index(now_ms) => self.is_up(now_ms),
        }
    }

    /// One read looked at it.
    pub fn look(&mut self) {
        self.looks_left = self.looks_left.saturating_sub(1);
        self.looks += 1;
    }

    fn replica_lags(&self, now_ms: i64) -> bool {
        self.looks_left > 0 || now_ms < self.until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lag: Lag) -> Vec<bool> {
        let mut stale = Stale::new(lag, None, 0).unwrap();
        (0..5)
            .map(|_| {
                let shown = stale.shows(Replica::Secondary(0));
                stale.look();
                shown
            })
            .collect()
    }

    #[test]
    fn a_lag_ends_after_its_reads_and_a_flapping_one_tells_both_stories() {
        let lag = Lag {
            reads: 3,
            ..Lag::default()
        };
        assert_eq!(seen(lag), [true, true, true, false, false]);
        let flapping = Lag {
            flapping: true,
            ..lag
        };
        assert_eq!(seen(flapping), [true, false, true, false, false]);
        assert!(Stale::new(Lag::default(), None, 0).is_none());
    }
}
