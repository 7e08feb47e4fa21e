//! The rate budget of one endpoint bucket of a connection, shared by all processes: who may take how many tokens.
//!
//! A process leases a block of tokens, not one for each call, and spends it until the window ends. What the provider
//! says in its headers corrects the count: it knows of the calls of other programs too.

use jiff::{SignedDuration, Timestamp};

use crate::text_enum::text_enum;

text_enum! {
    /// How much a call may use of a window. The order of the variants is how much that is.
    pub enum Priority {
        /// Listing everything, to look for differences: half of the window.
        Inventory = "inventory",
        /// The work of an ordinary job: all but one fifth.
        Ordinary = "ordinary",
        /// What blocks sign-in and cuts sessions, and everything that an urgent job does: all of it.
        Containing = "containing",
    }
}

impl Priority {
    /// The part of a window of `limit` calls that this priority leaves to the higher ones.
    #[must_use]
    pub const fn reserve(self, limit: u32) -> u32 {
        match self {
            Self::Inventory => limit / 2,
            Self::Ordinary => limit / 5,
            Self::Containing => 0,
        }
    }
}

/// A process asks for a tenth of the window at once, and for this many tokens at most: a block that dies with its
/// process is missing until the window ends.
pub const BLOCK_MAX: u32 = 100;
/// Two processes read the same end of a window from clocks of whole seconds.
const SAME_WINDOW: SignedDuration = SignedDuration::from_secs(2);
/// The longest window or refusal that is believed.
const WINDOW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// A bucket as it is stored. The default knows no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateBucket {
    /// Calls in one window; 0 where no window is known.
    pub refill: u32,
    /// Tokens that nobody has leased.
    pub tokens: u32,
    /// When the window ends.
    pub reset_at: Option<Timestamp>,
    /// Until when the provider wants no call at all.
    pub refused_until: Option<Timestamp>,
}

/// What a process knows of the window when it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownWindow {
    /// Calls in one window.
    pub limit: u32,
    /// What the provider last counted as left.
    pub remaining: u32,
    /// When it ends.
    pub reset_at: Timestamp,
    /// Whether documents say so and not an answer: such a window begins where none is under way, and corrects nothing.
    pub declared: bool,
}

/// What a process gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// No window is known: nothing bounds the calls.
    Unbounded,
    /// This many tokens, to be spent before then.
    Block {
        /// At least 1.
        tokens: u32,
        /// The end of the window.
        until: Timestamp,
    },
    /// None: ask again then.
    Later {
        /// When.
        at: Timestamp,
    },
}

impl RateBucket {
    /// Leases a block, after the count was corrected by what the process knows.
    #[must_use]
    pub fn lease(
        self,
        known: Option<KnownWindow>,
        priority: Priority,
        now: Timestamp,
    ) -> (Self, Grant) {
        let corrected = self.corrected(known, now);
        if let Some(at) = corrected.refused_until.filter(|at| *at > now) {
            return (corrected, Grant::Later { at });
        }
        let Some(until) = corrected.reset_at.filter(|at| *at > now) else {
            return (corrected, Grant::Unbounded);
        };
        let free = corrected
            .tokens
            .saturating_sub(priority.reserve(corrected.refill));
        let tokens = (corrected.refill / 10).clamp(1, BLOCK_MAX).min(free);
        if tokens == 0 {
            return (corrected, Grant::Later { at: until });
        }
        let left = Self {
            tokens: corrected.tokens - tokens,
            ..corrected
        };
        (left, Grant::Block { tokens, until })
    }

    /// The bucket after the provider refused a call and asked to be left alone for this long.
    #[must_use]
    pub fn refused(self, wait: SignedDuration, now: Timestamp) -> Self {
        let until = now + wait.clamp(SignedDuration::ZERO, WINDOW_MAX);
        Self {
            refused_until: self.refused_until.max(Some(until)),
            ..self
        }
    }

    fn corrected(self, known: Option<KnownWindow>, now: Timestamp) -> Self {
        let Some(known) = known.filter(|known| known.reset_at > now) else {
            return self;
        };
        let reset_at = known.reset_at.min(now + WINDOW_MAX);
        match self.reset_at.filter(|at| *at > now) {
            Some(_) if known.declared => self,
            // A window that began later than the one on record.
            Some(at) if reset_at.duration_since(at) > SAME_WINDOW => {
                self.of_window(known, reset_at)
            }
            None => self.of_window(known, reset_at),
            Some(_) => Self {
                refill: known.limit,
                tokens: self.tokens.min(known.remaining),
                ..self
            },
        }
    }

    const fn of_window(self, known: KnownWindow, reset_at: Timestamp) -> Self {
        Self {
            refill: known.limit,
            tokens: if known.remaining < known.limit {
                known.remaining
            } else {
                known.limit
            },
            reset_at: Some(reset_at),
            refused_until: self.refused_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn at(s: i64) -> Timestamp {
        start() + SignedDuration::from_secs(s)
    }

    fn known(remaining: u32) -> Option<KnownWindow> {
        Some(KnownWindow {
            limit: 100,
            remaining,
            reset_at: at(60),
            declared: false,
        })
    }

    #[test]
    fn each_priority_leaves_its_reserve() {
        for (priority, spent) in [
            (Priority::Inventory, 50),
            (Priority::Ordinary, 80),
            (Priority::Containing, 100),
        ] {
            let (mut bucket, mut taken) = (RateBucket::default(), 0);
            loop {
                let (next, grant) = bucket.lease(known(100), priority, start());
                bucket = next;
                match grant {
                    Grant::Block { tokens, until } => {
                        assert_eq!(until, at(60));
                        taken += tokens;
                    }
                    Grant::Later { at: later } => break assert_eq!(later, at(60)),
                    Grant::Unbounded => panic!("a window is known"),
                }
            }
            assert_eq!(taken, spent, "{priority}");
        }
    }

    #[test]
    fn a_process_that_knows_nothing_obeys_what_others_heard() {
        let unknown = RateBucket::default().lease(None, Priority::Ordinary, start());
        assert_eq!(unknown, (RateBucket::default(), Grant::Unbounded));
        let (bucket, _) = RateBucket::default().lease(known(20), Priority::Ordinary, start());
        let (_, grant) = bucket.lease(None, Priority::Ordinary, start());
        assert_eq!(grant, Grant::Later { at: at(60) });
        let (_, grant) = bucket.lease(None, Priority::Containing, start());
        assert!(matches!(grant, Grant::Block { tokens: 10, .. }));
        let (_, grant) = bucket.lease(None, Priority::Ordinary, at(60));
        assert_eq!(grant, Grant::Unbounded, "the window is over");
    }

    #[test]
    fn a_refusal_closes_the_bucket_and_is_clamped() {
        let bucket = RateBucket::default().refused(SignedDuration::from_hours(24), start());
        let (_, grant) = bucket.lease(known(100), Priority::Containing, start());
        assert_eq!(grant, Grant::Later { at: at(900) });
        let shorter = bucket.refused(SignedDuration::from_secs(1), start());
        assert_eq!(shorter, bucket);
    }

    #[test]
    fn a_declared_window_begins_where_none_is_under_way() {
        let declared = |s| {
            Some(KnownWindow {
                limit: 20,
                remaining: 20,
                reset_at: at(s + 60),
                declared: true,
            })
        };
        let (mut bucket, mut taken) = (RateBucket::default(), 0);
        for s in 0..40 {
            let (next, grant) = bucket.lease(declared(s), Priority::Containing, at(s));
            bucket = next;
            if let Grant::Block { tokens, .. } = grant {
                taken += tokens;
            }
        }
        assert_eq!(taken, 20);
        let (_, grant) = bucket.lease(declared(60), Priority::Containing, at(60));
        assert!(matches!(grant, Grant::Block { .. }));
    }

    proptest! {
        /// However many processes ask, and however stale their knowledge of the window: together they never lease
        /// more than it holds.
        #[test]
        fn a_window_is_never_leased_twice(limit in 1u32..500, asks in proptest::collection::vec((0u32..600, any::<bool>(), proptest::sample::select(Priority::ALL), 0i64..59), 1..300)) {
            let mut asks = asks;
            asks.sort_by_key(|ask| ask.3);
            let full = KnownWindow { limit, remaining: limit, reset_at: at(60), declared: false };
            let (mut bucket, mut leased) = (RateBucket::default().corrected(Some(full), start()), 0);
            for (remaining, knows, priority, s) in asks {
                let view = knows.then(|| KnownWindow { remaining: remaining.min(limit), ..full });
                let (next, grant) = bucket.lease(view, priority, at(s));
                bucket = next;
                if let Grant::Block { tokens, until } = grant {
                    leased += tokens;
                    prop_assert!(until > at(s));
                }
                prop_assert!(leased <= limit);
            }
        }
    }
}
