//! Dead letters: jobs that gave up, what a person can make of them, and what the janitor does with their messages.

use crate::job::JobState;
use crate::text_enum::{IllegalTransition, text_enum};

text_enum! {
    /// The life of a dead letter.
    pub enum DeadLetterState {
        /// It waits for a person.
        Open = "open",
        /// A person says that it was done by hand; the re-read that decides is under way.
        Resolving = "resolving",
        /// Its job went back to work.
        Replayed = "replayed",
        /// The re-read agreed that it was done by hand.
        Resolved = "resolved",
        /// It was given up, by two people or with the opt-out that it belongs to.
        Discarded = "discarded",
    }
}

impl DeadLetterState {
    /// Whether somebody still has to do something about it.
    #[must_use]
    pub const fn stands(self) -> bool {
        match self {
            Self::Open | Self::Resolving => true,
            Self::Replayed | Self::Resolved | Self::Discarded => false,
        }
    }
}

text_enum! {
    /// What can happen to a dead letter.
    pub enum DeadLetterEvent {
        /// Its job goes back to work.
        Replay = "replay",
        /// A person says with evidence that it was done by hand.
        Resolve = "resolve",
        /// The re-read found nothing live.
        Prove = "prove",
        /// The re-read found something live, or could not tell.
        Contradict = "contradict",
        /// A second person confirmed that it is given up.
        Discard = "discard",
        /// The opt-out was called off, or gave its place to another.
        CallOff = "call_off",
    }
}

impl DeadLetterState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] where there is no such edge.
    pub const fn after(self, event: DeadLetterEvent) -> Result<Self, IllegalTransition> {
        use DeadLetterEvent as E;
        use DeadLetterState as S;
        let next = match (self, event) {
            (S::Open, E::Replay) => S::Replayed,
            (S::Open, E::Resolve) => S::Resolving,
            (S::Resolving, E::Prove) => S::Resolved,
            (S::Resolving, E::Contradict) => S::Open,
            (S::Open, E::Discard) | (S::Open | S::Resolving, E::CallOff) => S::Discarded,
            (_, E::Replay | E::Resolve | E::Prove | E::Contradict | E::Discard | E::CallOff) => {
                return Err(IllegalTransition {
                    machine: "dead letter",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        };
        Ok(next)
    }
}

/// The parts of a fingerprint, `provider:action:class:code`; a part that is missing is empty. The code may hold colons.
#[must_use]
pub fn fingerprint_parts(fingerprint: &str) -> [&str; 4] {
    let mut parts = fingerprint.splitn(4, ':');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The code of a dead letter that three epochs without a settle made.
pub const CRASH_LOOP: &str = "crash_loop";

/// What a message in a dead-letter queue is found to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadMessage {
    /// The body is no bell.
    Unreadable,
    /// A bell for a job that the database does not know.
    UnknownJob,
    /// A bell for a job.
    Job {
        /// The job's state.
        state: JobState,
        /// Whether it has a dead letter that stands.
        letter_stands: bool,
        /// Whether this pass has met a message of the job already.
        met: bool,
    },
}

/// What the janitor does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    /// It stays: a copy goes to the tail, then this one is acked.
    Keep,
    /// It is done with: closed in the database, or a second copy.
    Ack,
    /// Its job is innocent and at work or due: a new bell is written, then it is acked.
    RingAndAck,
    /// It is stored for a person to read, and stays.
    StoreAndKeep,
}

/// Decides over one message. PostgreSQL says what is dead; the message only follows.
#[must_use]
pub const fn dispose(message: DeadMessage) -> Disposal {
    match message {
        DeadMessage::Unreadable | DeadMessage::UnknownJob => Disposal::StoreAndKeep,
        DeadMessage::Job { met: true, .. } => Disposal::Ack,
        DeadMessage::Job {
            letter_stands: true,
            ..
        } => Disposal::Keep,
        DeadMessage::Job {
            state,
            letter_stands: false,
            met: false,
        } => match state {
            JobState::Waiting | JobState::Running => Disposal::RingAndAck,
            // A dead job always has a letter; without one it must not lose its message too.
            JobState::Dead => Disposal::Keep,
            JobState::Held
            | JobState::Parked
            | JobState::Done
            | JobState::Cancelled
            | JobState::Replaced => Disposal::Ack,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_closes_without_a_decision_and_what_is_closed_stays_so() {
        use DeadLetterEvent as E;
        use DeadLetterState as S;
        for state in S::ALL {
            for event in E::ALL {
                let next = state.after(*event);
                if !state.stands() {
                    assert!(next.is_err(), "{state} -{event}->");
                }
                if next == Ok(S::Resolved) {
                    assert_eq!((*state, *event), (S::Resolving, E::Prove));
                }
            }
        }
        assert_eq!(S::Resolving.after(E::Contradict), Ok(S::Open));
        assert!(
            S::Resolving.after(E::Replay).is_err(),
            "the re-read decides first"
        );
    }

    #[test]
    fn a_fingerprint_comes_apart_and_a_code_keeps_its_colons() {
        assert_eq!(
            fingerprint_parts("okta:revoke_role:permanent:urn:x"),
            ["okta", "revoke_role", "permanent", "urn:x"]
        );
        assert_eq!(fingerprint_parts("okta"), ["okta", "", "", ""]);
    }

    proptest! {
        /// A message of a job that somebody still has to look at is never acked, except for a second copy.
        #[test]
        fn what_stands_is_never_acked_away(state in proptest::sample::select(JobState::ALL), letter_stands: bool, met: bool) {
            let disposal = dispose(DeadMessage::Job { state, letter_stands, met });
            if !met && (letter_stands || state == JobState::Dead) {
                prop_assert_eq!(disposal, Disposal::Keep);
            } else {
                prop_assert!(matches!(disposal, Disposal::Ack | Disposal::RingAndAck));
            }
        }
    }
}
