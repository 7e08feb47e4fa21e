//! Outcome classes: what a try of a job, or one call, means for what happens next.

use crate::text_enum::text_enum;

text_enum! {
    /// The class of an outcome. Each provider maps its own answers to these in one function.
    pub enum OutcomeClass {
        /// It worked, or it was already so.
        Done = "done",
        /// Something else must come first (consistency, fence, another job); no attempt is spent.
        Wait = "wait",
        /// A passing fault: back off with jitter.
        Retry = "retry",
        /// The provider named the instant at which to come back; no attempt is spent.
        RetryAt = "retry_at",
        /// A freshly made credential failed too: park the connection.
        Credentials = "credentials",
        /// It can never work as asked: dead-letter at once.
        Permanent = "permanent",
        /// A person must decide or act.
        NeedsPerson = "needs_person",
        /// This process is stopping; no attempt is spent.
        ShuttingDown = "shutting_down",
    }
}

impl OutcomeClass {
    /// Whether a try that ended in this class counts as an attempt even when no effect was sent.
    #[must_use]
    pub const fn spends_attempt(self) -> bool {
        match self {
            Self::Wait | Self::RetryAt | Self::ShuttingDown => false,
            Self::Done | Self::Retry | Self::Credentials | Self::Permanent | Self::NeedsPerson => {
                true
            }
        }
    }
}
