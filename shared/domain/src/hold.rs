//! Holds: stops that only a person lifts.

use crate::step::StepClass;
use crate::text_enum::text_enum;

text_enum! {
    /// Why something was stopped.
    pub enum HoldReason {
        /// More people in the window than the mass guard allows.
        MassGuard = "mass_guard",
        /// The subject or one of its accounts is on the protected list.
        Protected = "protected",
        /// Two people, or two accounts, could be meant.
        AmbiguousIdentity = "ambiguous_identity",
        /// Nothing recorded tells which account, if any, the subject has here.
        Unbound = "unbound",
        /// A newer employment event says otherwise (rehire, cancelled or changed last day).
        NewerEmploymentEvent = "newer_employment_event",
        /// The effective time lies more than 30 days back.
        EffectiveTooOld = "effective_too_old",
        /// The credential that Sever itself uses belongs to this subject.
        OwnCredential = "own_credential",
        /// The provider refused what the plan needs.
        Blocked = "blocked",
        /// Access was still there after the last plan revision.
        StillLive = "still_live",
        /// The organisation's last way to sign in goes through the subject.
        LastSignInPath = "last_sign_in_path",
        /// The connection's policy wants a person's word before one-way steps.
        Fence = "fence",
        /// The connection was closed while the job was open.
        ConnectionClosed = "connection_closed",
    }
}

text_enum! {
    /// What may go on while a hold stands. The order of the variants is how much they allow.
    pub enum HoldPolicy {
        /// Nothing at all.
        Nothing = "nothing",
        /// Sessions may be cut.
        CutSessions = "cut_sessions",
        /// The account may be contained and its sessions cut.
        Contain = "contain",
        /// Everything but one-way steps.
        Reversible = "reversible",
    }
}

text_enum! {
    /// What a hold stops.
    pub enum HoldScope {
        /// One request that has not found its subject.
        Request = "request",
        /// Every job of one opt-out.
        OptOut = "opt_out",
        /// One job.
        Job = "job",
    }
}

text_enum! {
    /// The life of a hold.
    pub enum HoldState {
        /// It stands.
        Open = "open",
        /// A person let the work go on.
        Released = "released",
        /// A person called the work off.
        Rejected = "rejected",
    }
}

impl HoldPolicy {
    /// Whether a step of this class may run while a hold of this policy stands.
    ///
    /// One-way steps never may, whatever their class: the intent sees to that.
    #[must_use]
    pub const fn allows(self, class: StepClass) -> bool {
        match (self, class) {
            (Self::CutSessions | Self::Contain, StepClass::CutSessions)
            | (Self::Contain, StepClass::Contain)
            | (Self::Reversible, _) => true,
            (Self::Nothing | Self::CutSessions | Self::Contain, _) => false,
        }
    }
}

impl HoldReason {
    /// The most that a policy may allow under a hold for this reason.
    ///
    /// The mass guard never allows containing: a wrong mass event must not lock people out.
    #[must_use]
    pub const fn at_most(self) -> HoldPolicy {
        match self {
            Self::MassGuard => HoldPolicy::CutSessions,
            Self::Protected
            | Self::AmbiguousIdentity
            | Self::Unbound
            | Self::EffectiveTooOld
            | Self::NewerEmploymentEvent
            | Self::OwnCredential
            | Self::LastSignInPath
            | Self::ConnectionClosed => HoldPolicy::Nothing,
            Self::Blocked | Self::StillLive => HoldPolicy::Contain,
            Self::Fence => HoldPolicy::Reversible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fence_lets_an_ordinary_step_through() {
        for policy in HoldPolicy::ALL
            .iter()
            .filter(|policy| **policy != HoldPolicy::Reversible)
        {
            assert!(!policy.allows(StepClass::Revoke), "{policy}");
            assert!(!policy.allows(StepClass::Final), "{policy}");
        }
    }

    #[test]
    fn the_mass_guard_never_contains() {
        assert!(!HoldReason::MassGuard.at_most().allows(StepClass::Contain));
        assert!(
            HoldReason::MassGuard
                .at_most()
                .allows(StepClass::CutSessions)
        );
    }
}
