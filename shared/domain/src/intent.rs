//! The intent: whether a wave of steps may be sent, decided under the locks of its transaction.

use jiff::Timestamp;

use crate::hold::HoldPolicy;
use crate::step::{Reversibility, StepClass};

/// What the intent transaction reads under its locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentFacts {
    /// Whether the worker's incarnation is the database's.
    pub same_incarnation: bool,
    /// Whether the subject's version is the one that the epoch read.
    pub same_subject_version: bool,
    /// Whether the opt-out's revision is the one that the plan knows.
    pub same_revision: bool,
    /// Whether the opt-out is still in force.
    pub in_force: bool,
    /// Whether the connection takes work.
    pub connection_open: bool,
    /// Until when the provider wants to be left alone.
    pub blocked_until: Option<Timestamp>,
    /// The policies of the open holds on the job and its opt-out.
    pub holds: Vec<HoldPolicy>,
    /// The database's clock.
    pub now: Timestamp,
}

/// Whether the wave may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentDecision {
    /// Yes, as far as [`Allowance`] allows.
    Go(Allowance),
    /// The database was brought back: stop without another write.
    StaleWorker,
    /// The subject or the opt-out changed: plan again from a fresh claim.
    PlanAgain,
    /// The opt-out was called off.
    NotInForce,
    /// The provider wants to be left alone until then, or the connection takes no work.
    NotNow(Option<Timestamp>),
}

/// Which steps may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// All of them.
    Everything,
    /// Only what the strictest open hold allows.
    Under(HoldPolicy),
}

impl Allowance {
    /// Whether steps of a class may run, as far as the class goes.
    #[must_use]
    pub const fn allows_class(self, class: StepClass) -> bool {
        match self {
            Self::Everything => true,
            Self::Under(policy) => policy.allows(class),
        }
    }

    /// Whether a step may run. Under a hold no one-way step ever may.
    #[must_use]
    pub fn allows(self, class: StepClass, reversibility: Reversibility) -> bool {
        match self {
            Self::Everything => true,
            Self::Under(policy) => policy.allows(class) && reversibility != Reversibility::OneWay,
        }
    }
}

/// Decides an intent.
#[must_use]
pub fn decide(facts: &IntentFacts) -> IntentDecision {
    let blocked = facts.blocked_until.filter(|until| *until > facts.now);
    if !facts.same_incarnation {
        IntentDecision::StaleWorker
    } else if !facts.in_force {
        IntentDecision::NotInForce
    } else if !facts.same_subject_version || !facts.same_revision {
        IntentDecision::PlanAgain
    } else if !facts.connection_open || blocked.is_some() {
        IntentDecision::NotNow(blocked)
    } else {
        let strictest = facts
            .holds
            .iter()
            .min()
            .map_or(Allowance::Everything, |policy| Allowance::Under(*policy));
        IntentDecision::Go(strictest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> IntentFacts {
        IntentFacts {
            same_incarnation: true,
            same_subject_version: true,
            same_revision: true,
            in_force: true,
            connection_open: true,
            blocked_until: None,
            holds: vec![],
            now: "2026-11-22T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_strictest_hold_counts() {
        let held = IntentFacts {
            holds: vec![
                HoldPolicy::Contain,
                HoldPolicy::Nothing,
                HoldPolicy::CutSessions,
            ],
            ..free()
        };
        assert_eq!(
            decide(&held),
            IntentDecision::Go(Allowance::Under(HoldPolicy::Nothing))
        );
        assert_eq!(decide(&free()), IntentDecision::Go(Allowance::Everything));
    }

    #[test]
    fn a_hold_never_lets_a_one_way_step_through() {
        for policy in HoldPolicy::ALL {
            for class in StepClass::ALL {
                assert!(
                    !Allowance::Under(*policy).allows(*class, Reversibility::OneWay),
                    "{policy} {class}"
                );
            }
        }
    }

    #[test]
    fn a_change_under_the_plan_stops_it() {
        assert_eq!(
            decide(&IntentFacts {
                same_subject_version: false,
                ..free()
            }),
            IntentDecision::PlanAgain
        );
        assert_eq!(
            decide(&IntentFacts {
                same_revision: false,
                ..free()
            }),
            IntentDecision::PlanAgain
        );
        assert_eq!(
            decide(&IntentFacts {
                in_force: false,
                ..free()
            }),
            IntentDecision::NotInForce
        );
        assert_eq!(
            decide(&IntentFacts {
                same_incarnation: false,
                in_force: false,
                ..free()
            }),
            IntentDecision::StaleWorker
        );
    }
}
