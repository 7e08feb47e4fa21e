//! Steps: single idempotent effects, their states and the evidence that closes them.

use crate::text_enum::{IllegalTransition, text_enum};

text_enum! {
    /// What a step does. A closed list over all providers, so that metrics and pages share it.
    pub enum Action {
        /// Block signing in, reversibly.
        SuspendAccount = "suspend_account",
        /// End every session, with the tokens that belong to them.
        RevokeSessions = "revoke_sessions",
        /// Revoke the OAuth tokens of one client.
        RevokeTokens = "revoke_tokens",
        /// Take back the consents of one client.
        RevokeGrants = "revoke_grants",
        /// Revoke one API token that the person owns.
        RevokeApiToken = "revoke_api_token",
        /// Take one administrative role.
        RevokeRole = "revoke_role",
        /// End one group membership.
        RemoveFromGroup = "remove_from_group",
        /// End one application assignment.
        UnassignApp = "unassign_app",
        /// Remove one sign-in factor.
        RemoveFactor = "remove_factor",
        /// Deactivate one device.
        DeactivateDevice = "deactivate_device",
        /// Delete one deactivated device.
        DeleteDevice = "delete_device",
        /// Remove one link to an outside identity provider.
        UnlinkIdentity = "unlink_identity",
        /// End one ownership.
        RemoveOwnership = "remove_ownership",
        /// Bring the account to the provider's deactivated state.
        DeactivateAccount = "deactivate_account",
        /// Nothing can or need be done by a call; the step only stands for the entitlement.
        Leave = "leave",
    }
}

text_enum! {
    /// What a step is for; a hold's policy and the order of a plan go by it.
    pub enum StepClass {
        /// The reversible block that comes first.
        Contain = "contain",
        /// Sessions and what lives off them.
        CutSessions = "cut_sessions",
        /// Everything else that can be taken.
        Revoke = "revoke",
        /// What ends the account; last.
        Final = "final",
    }
}

text_enum! {
    /// Whether a step can be taken back.
    pub enum Reversibility {
        /// By an inverse call.
        Reversible = "reversible",
        /// By an inverse call, until a date.
        RestorableUntil = "restorable_until",
        /// Not at all.
        OneWay = "one_way",
    }
}

text_enum! {
    /// How well something is proven. The order of the variants is from the weakest to the best.
    pub enum Grade {
        /// A person says so, and a second one confirmed it.
        Attested = "attested",
        /// A documented consequence of a verified state; the rule is named.
        Implied = "implied",
        /// The provider's own log says so.
        ProviderLog = "provider_log",
        /// Several reads of an eventually consistent system agree.
        AgreeingReads = "agreeing_reads",
        /// A strongly consistent read.
        Read = "read",
    }
}

text_enum! {
    /// The life of a step.
    pub enum StepState {
        /// In the plan, nothing sent.
        Planned = "planned",
        /// An intent is committed; the call may have been sent.
        Applying = "applying",
        /// An intent was committed and its answer is not known; a read must tell.
        Unknown = "unknown",
        /// The provider answered that it is done or already gone. Not yet proof.
        Applied = "applied",
        /// Evidence of the declared grade was read.
        Verified = "verified",
        /// It stays, and cannot act while the account's verified state holds; a rule says so.
        Inert = "inert",
        /// The provider refused; the reason is stored.
        Blocked = "blocked",
        /// A person confirmed by a second one said so.
        Attested = "attested",
    }
}

impl StepState {
    /// Whether nothing more is to be done about the step.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Verified | Self::Inert | Self::Attested => true,
            Self::Planned | Self::Applying | Self::Unknown | Self::Applied | Self::Blocked => false,
        }
    }

    /// Whether the steps that need this one may go.
    ///
    /// An answered step is enough: its proof comes with the closing inspection. A blocked one is
    /// enough too, because one refusal must not stop independent removal; the closing inspection
    /// still sees what it left.
    #[must_use]
    pub const fn lets_others_go(self) -> bool {
        match self {
            Self::Applied | Self::Verified | Self::Inert | Self::Attested | Self::Blocked => true,
            Self::Planned | Self::Applying | Self::Unknown => false,
        }
    }
}

text_enum! {
    /// What can happen to a step.
    pub enum StepEvent {
        /// The intent transaction committed.
        Intend = "intend",
        /// The provider answered: done, or already gone.
        Answered = "answered",
        /// The call was surely not applied (429, refused connection): it may be sent again.
        NotApplied = "not_applied",
        /// The process died or the answer was lost.
        Lost = "lost",
        /// A read shows that it is gone.
        ReadGone = "read_gone",
        /// A read shows that it is still there.
        ReadThere = "read_there",
        /// The provider refused.
        Refused = "refused",
        /// Evidence of the declared grade was read.
        Proven = "proven",
        /// A rule says that it cannot act.
        RuledInert = "ruled_inert",
    }
}

impl StepState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the state machine has no such edge.
    pub const fn after(self, event: StepEvent) -> Result<Self, IllegalTransition> {
        use StepEvent as E;
        use StepState as S;
        let next = match (self, event) {
            (S::Planned, E::Intend) => S::Applying,
            (S::Planned | S::Applying | S::Unknown, E::Answered) => S::Applied,
            (S::Applying, E::NotApplied) => S::Planned,
            (S::Applying, E::Lost) => S::Unknown,
            (S::Planned | S::Unknown, E::ReadGone) => S::Applied,
            (S::Unknown | S::Applied | S::Verified | S::Inert | S::Blocked, E::ReadThere) => {
                S::Planned
            }
            (S::Planned | S::Applying | S::Unknown | S::Applied, E::Refused) => S::Blocked,
            (
                S::Planned | S::Applying | S::Unknown | S::Applied | S::Blocked | S::Verified,
                E::Proven,
            ) => S::Verified,
            (S::Planned | S::Unknown | S::Applied | S::Blocked | S::Inert, E::RuledInert) => {
                S::Inert
            }
            (
                _,
                E::Intend
                | E::Answered
                | E::NotApplied
                | E::Lost
                | E::ReadGone
                | E::ReadThere
                | E::Refused
                | E::Proven
                | E::RuledInert,
            ) => {
                return Err(IllegalTransition {
                    machine: "step",
                    state: self.as_str(),
                    event: event.as_str(),
                });
            }
        };
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_never_proof() {
        for state in StepState::ALL {
            if let Ok(next) = state.after(StepEvent::Answered) {
                assert!(!next.is_closed(), "{state} -answered-> {next}");
            }
        }
    }

    #[test]
    fn a_lost_answer_cannot_be_repeated_without_a_read() {
        let unknown = StepState::Applying.after(StepEvent::Lost).unwrap();
        assert!(unknown.after(StepEvent::Intend).is_err());
        assert_eq!(
            unknown.after(StepEvent::ReadThere).unwrap(),
            StepState::Planned
        );
    }

    #[test]
    fn a_call_needs_an_intent() {
        for state in StepState::ALL {
            let intended = state.after(StepEvent::Intend);
            assert_eq!(intended.is_ok(), *state == StepState::Planned, "{state}");
        }
    }
}
