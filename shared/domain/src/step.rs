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
        /// Bring the account to the provider's deleted state, from which it can be restored for a time.
        DeleteAccount = "delete_account",
        /// Stop an integration from getting tokens and signing in, reversibly.
        DisableIntegration = "disable_integration",
        /// Take one licence.
        RevokeLicence = "revoke_licence",
        /// Take one administrative role that can be activated.
        RevokeEligibleRole = "revoke_eligible_role",
        /// Take one role at a resource.
        RevokeResourceRole = "revoke_resource_role",
        /// Take one permission that an integration holds.
        RevokePermission = "revoke_permission",
        /// End one client secret, key or federated credential.
        RemoveSecret = "remove_secret",
        /// End one hook.
        RemoveHook = "remove_hook",
        /// End the access of one person, group or application to an integration.
        RemoveConsumer = "remove_consumer",
        /// Start or complete the provider's own offboarding of a person.
        OffboardPerson = "offboard_person",
        /// Delete one resource that a connection of ours has pushed.
        DeleteResource = "delete_resource",
        /// Undo the suspension, deactivation or deletion of an account.
        ReinstateAccount = "reinstate_account",
        /// Undo the disabling of an integration.
        EnableIntegration = "enable_integration",
        /// Put an account back into a group.
        AddToGroup = "add_to_group",
        /// Assign an application again.
        AssignApp = "assign_app",
        /// Grant an administrative role again.
        GrantRole = "grant_role",
        /// Grant an administrative role that can be activated again.
        GrantEligibleRole = "grant_eligible_role",
        /// Grant a role at a resource again.
        GrantResourceRole = "grant_resource_role",
        /// Assign a licence again.
        AssignLicence = "assign_licence",
        /// Make the account an owner again.
        AddOwnership = "add_ownership",
        /// Give a client its consents again.
        RestoreGrants = "restore_grants",
        /// Give an integration a permission again.
        GrantPermission = "grant_permission",
        /// Give a person, group or application access to an integration again.
        AddConsumer = "add_consumer",
        /// Activate a device again.
        ActivateDevice = "activate_device",
        /// Nothing can or need be done by a call; the step only stands for the entitlement.
        Leave = "leave",
    }
}

impl Action {
    /// Whether it gives access back instead of taking it.
    #[must_use]
    pub const fn gives_back(self) -> bool {
        matches!(
            self,
            Self::ReinstateAccount
                | Self::EnableIntegration
                | Self::AddToGroup
                | Self::AssignApp
                | Self::GrantRole
                | Self::GrantEligibleRole
                | Self::GrantResourceRole
                | Self::AssignLicence
                | Self::AddOwnership
                | Self::RestoreGrants
                | Self::GrantPermission
                | Self::AddConsumer
                | Self::ActivateDevice
        )
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
        /// A person is asked to do it, and has not said that it is done.
        Asked = "asked",
        /// A person says with evidence that it is done. Not yet proof.
        Asserted = "asserted",
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
            Self::Planned
            | Self::Applying
            | Self::Unknown
            | Self::Applied
            | Self::Blocked
            | Self::Asked
            | Self::Asserted => false,
        }
    }

    /// Whether a person still has to act or to confirm.
    #[must_use]
    pub const fn waits_for_person(self) -> bool {
        matches!(self, Self::Asked | Self::Asserted)
    }

    /// Whether the steps that need this one may go.
    ///
    /// An answered step is enough: its proof comes with the closing inspection. A blocked one is
    /// enough too, because one refusal must not stop independent removal; the closing inspection
    /// still sees what it left. What needs a task waits until a second person has confirmed it.
    #[must_use]
    pub const fn lets_others_go(self) -> bool {
        match self {
            Self::Applied | Self::Verified | Self::Inert | Self::Attested | Self::Blocked => true,
            Self::Planned | Self::Applying | Self::Unknown | Self::Asked | Self::Asserted => false,
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
        /// A person says with evidence that it is done.
        Asserted = "asserted",
        /// A second person confirmed it.
        Confirmed = "confirmed",
        /// A second person did not confirm it, or a read contradicts it.
        Contradicted = "contradicted",
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
                S::Planned
                | S::Applying
                | S::Unknown
                | S::Applied
                | S::Blocked
                | S::Verified
                | S::Asked
                | S::Asserted,
                E::Proven,
            ) => S::Verified,
            (
                S::Planned
                | S::Unknown
                | S::Applied
                | S::Blocked
                | S::Inert
                | S::Asked
                | S::Asserted,
                E::RuledInert,
            ) => S::Inert,
            (S::Asked | S::Asserted, E::Asserted) => S::Asserted,
            (S::Asserted, E::Confirmed) => S::Attested,
            (S::Asserted, E::Contradicted) => S::Asked,
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
                | E::RuledInert
                | E::Asserted
                | E::Confirmed
                | E::Contradicted,
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
