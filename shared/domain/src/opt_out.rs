//! The opt-out: what is to be removed, how strongly, and how later requests attach.

use crate::text_enum::text_enum;

text_enum! {
    /// How far a removal goes. The order of the variants is their strength.
    pub enum Intent {
        /// Contain, cut sessions and tokens, leave the rest inert.
        Disable = "disable",
        /// Take every entitlement and end in the provider's deactivated state.
        Remove = "remove",
    }
}

text_enum! {
    /// Which queue a job's bell takes. The order of the variants is their strength.
    pub enum Urgency {
        /// The ordinary work queue.
        Ordinary = "ordinary",
        /// The queue with slots of its own.
        Urgent = "urgent",
    }
}

text_enum! {
    /// The life of an opt-out; at most one is open for each subject.
    pub enum OptOutState {
        /// In force, with at least one job that is not closed.
        Open = "open",
        /// In force, and every job is done.
        Closed = "closed",
        /// Called back before any one-way effect was sent.
        Cancelled = "cancelled",
        /// A restore took its place.
        Reversed = "reversed",
        /// It only says what a removal would do; it never was in force.
        Foretold = "foretold",
    }
}

impl OptOutState {
    /// Whether the opt-out still demands that access be gone.
    #[must_use]
    pub const fn in_force(self) -> bool {
        match self {
            Self::Open | Self::Closed => true,
            Self::Cancelled | Self::Reversed | Self::Foretold => false,
        }
    }
}

/// The intent after a further request attached: the stronger of the two.
#[must_use]
pub fn strongest<T: Ord>(standing: T, asked: T) -> T {
    standing.max(asked)
}
