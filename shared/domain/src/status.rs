//! Status: derived from facts and the moment, never set.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::step::Grade;
use crate::text_enum::text_enum;

text_enum! {
    /// What a subject's access comes to.
    pub enum Status {
        /// Never seen whole, and no opt-out in force.
        Unknown = "unknown",
        /// Live, and no opt-out in force.
        Connected = "connected",
        /// An opt-out is in force, and something is live, unknown or residual.
        PartiallyDisconnected = "partially_disconnected",
        /// A complete closing inspection found nothing that can act, and nothing residual is left.
        FullyRemoved = "fully_removed",
    }
}

/// What is known of a subject at one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectionFacts {
    /// An opt-out that names this connection is effective, and neither cancelled nor reversed.
    pub in_force: bool,
    /// An effective opt-out, neither cancelled nor reversed, named this connection, and its job here was cancelled:
    /// nothing is removed here in its name.
    pub refused: bool,
    /// The newest observation saw an account, and every family that can be seen.
    pub seen_whole: bool,
    /// The job is done by a closing inspection that proved everything, and nothing newer contradicts it.
    pub proven: bool,
    /// What was revoked can still work until then.
    pub residual_until: Option<Timestamp>,
    /// The weakest evidence among the closed steps.
    pub weakest_grade: Option<Grade>,
}

/// The status of a subject at one connection at this moment.
#[must_use]
pub fn at_connection(facts: &ConnectionFacts, now: Timestamp) -> Status {
    let residual = facts.residual_until.is_some_and(|until| until > now);
    match (facts.in_force, facts.proven && !residual, facts.seen_whole) {
        (true, true, _) => Status::FullyRemoved,
        (true, false, _) => Status::PartiallyDisconnected,
        (false, _, true) => Status::Connected,
        (false, _, false) => Status::Unknown,
    }
}

/// The status over all connections of the scope: the weakest of them. An empty scope is unknown.
///
/// With an opt-out in force anywhere, `fully_removed` takes every connection to be so that is in force, and every one
/// where the removal was refused.
#[must_use]
pub fn overall(scope: &[(ConnectionFacts, Status)]) -> Status {
    if scope.iter().any(|(facts, _)| facts.in_force) {
        let mut counted = scope
            .iter()
            .filter(|(facts, _)| facts.in_force || facts.refused);
        return if counted.all(|(_, status)| *status == Status::FullyRemoved) {
            Status::FullyRemoved
        } else {
            Status::PartiallyDisconnected
        };
    }
    if scope.iter().any(|(_, status)| *status == Status::Connected) {
        Status::Connected
    } else {
        Status::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn proven() -> ConnectionFacts {
        ConnectionFacts {
            in_force: true,
            seen_whole: true,
            proven: true,
            ..Default::default()
        }
    }

    #[test]
    fn a_residual_keeps_it_partial_until_its_instant() {
        let facts = ConnectionFacts {
            residual_until: Some("2026-11-22T12:00:01Z".parse().unwrap()),
            ..proven()
        };
        assert_eq!(at_connection(&facts, now()), Status::PartiallyDisconnected);
        assert_eq!(
            at_connection(&facts, "2026-11-22T12:00:01Z".parse().unwrap()),
            Status::FullyRemoved
        );
    }

    #[test]
    fn unknown_is_not_removed() {
        let facts = ConnectionFacts {
            in_force: true,
            ..Default::default()
        };
        assert_eq!(at_connection(&facts, now()), Status::PartiallyDisconnected);
        assert_eq!(
            at_connection(&ConnectionFacts::default(), now()),
            Status::Unknown
        );
        assert_eq!(overall(&[]), Status::Unknown);
    }

    #[test]
    fn one_connection_left_keeps_the_whole_partial() {
        let removed = (proven(), at_connection(&proven(), now()));
        let open = ConnectionFacts {
            proven: false,
            ..proven()
        };
        assert_eq!(
            overall(&[removed, (open, at_connection(&open, now()))]),
            Status::PartiallyDisconnected
        );
        assert_eq!(overall(&[removed]), Status::FullyRemoved);
    }

    #[test]
    fn a_refused_removal_keeps_the_whole_partial_and_an_unnamed_connection_does_not() {
        let removed = (proven(), at_connection(&proven(), now()));
        for seen_whole in [true, false] {
            let refused = ConnectionFacts {
                refused: true,
                seen_whole,
                ..Default::default()
            };
            let unnamed = ConnectionFacts {
                refused: false,
                ..refused
            };
            let beside = |facts| overall(&[removed, (facts, at_connection(&facts, now()))]);
            assert_eq!(beside(refused), Status::PartiallyDisconnected);
            assert_eq!(beside(unnamed), Status::FullyRemoved);
        }
    }
}
