//! Findings: differences between what should be and what was seen, and their life.

use jiff::Timestamp;

use crate::guard::MassGuard;
use crate::text_enum::{IllegalTransition, text_enum};

text_enum! {
    /// What kind of difference a finding is.
    pub enum Situation {
        /// The subject left, and the account is live.
        Residual = "residual",
        /// The removal was proven, and the account is live again.
        Resurrected = "resurrected",
        /// A live account that is nobody's.
        OrphanAccount = "orphan_account",
        /// Something that gives access and hangs on a disabled or deleted principal.
        OrphanEntitlement = "orphan_entitlement",
        /// A live account that could be several people's.
        Ambiguous = "ambiguous",
        /// Something of an integration that was opted out.
        IntegrationResidue = "integration_residue",
        /// A token whose owner is nobody.
        UnownedToken = "unowned_token",
        /// The person is active, and the account is gone.
        Missing = "missing",
        /// The person is active, and the directory of their source has the account suspended, deactivated or not at all.
        GoneAtSource = "gone_at_source",
        /// It could not be read: unknown, never clean.
        Unreachable = "unreachable",
    }
}

text_enum! {
    /// What is done about a situation.
    pub enum DriftAction {
        /// It is shown.
        Report = "report",
        /// An ordinary opt-out is asked for.
        Repair = "repair",
        /// It waits for a person.
        Hold = "hold",
    }
}

text_enum! {
    /// The life of a finding.
    pub enum FindingState {
        /// Seen in an inventory; a read by id has not confirmed it yet.
        Suspected = "suspected",
        /// It stands.
        Open = "open",
        /// It stands, and nothing is done before a person decides.
        Held = "held",
        /// An opt-out is at work.
        Repairing = "repairing",
        /// A person accepted it until a date.
        Accepted = "accepted",
        /// The opt-out's closing inspection proved it gone.
        Repaired = "repaired",
        /// A newer observation does not show it any more.
        Closed = "closed",
    }
}

/// What happens to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingEvent {
    /// A read by id shows the same, and this is to be done about it.
    Confirmed(DriftAction),
    /// An observation after the last one does not show it.
    NotSeen,
    /// A person accepts it.
    Accepted,
    /// The date is over; the finding begins anew in this state.
    AcceptanceOver(FindingState),
    /// A whole list does not name its account at all; a read by id decides.
    NotListed,
    /// An opt-out was asked for.
    RepairAsked,
    /// The opt-out proved it gone.
    RepairProven,
    /// The opt-out was called off or reversed.
    RepairEnded,
    /// It may not be asked for; a person must look.
    RepairRefused,
}

impl FindingEvent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed(_) => "confirmed",
            Self::NotSeen => "not_seen",
            Self::Accepted => "accepted",
            Self::AcceptanceOver(_) => "acceptance_over",
            Self::NotListed => "not_listed",
            Self::RepairAsked => "repair_asked",
            Self::RepairProven => "repair_proven",
            Self::RepairEnded => "repair_ended",
            Self::RepairRefused => "repair_refused",
        }
    }
}

/// How often the same cause may come back after a repair; then it is held, not fought.
pub const RETURNS_MAX: u32 = 2;

impl Situation {
    /// What is done where a connection's policy says nothing. What could lock somebody out by mistake is never repaired by itself.
    #[must_use]
    pub const fn default_action(self) -> DriftAction {
        match self {
            Self::Residual | Self::Resurrected => DriftAction::Repair,
            Self::Ambiguous | Self::IntegrationResidue | Self::GoneAtSource => DriftAction::Hold,
            Self::OrphanAccount
            | Self::OrphanEntitlement
            | Self::UnownedToken
            | Self::Missing
            | Self::Unreachable => DriftAction::Report,
        }
    }

    /// Whether an ordinary opt-out can mend it: there is a subject whose access is to go.
    #[must_use]
    pub const fn repairable(self) -> bool {
        match self {
            Self::Residual | Self::Resurrected | Self::IntegrationResidue | Self::GoneAtSource => {
                true
            }
            Self::OrphanAccount
            | Self::OrphanEntitlement
            | Self::Ambiguous
            | Self::UnownedToken
            | Self::Missing
            | Self::Unreachable => false,
        }
    }

    /// Whether a read by id must confirm it before it opens or acts.
    #[must_use]
    pub const fn needs_read_by_id(self) -> bool {
        match self {
            Self::Residual | Self::Resurrected | Self::Missing | Self::GoneAtSource => true,
            Self::OrphanAccount
            | Self::OrphanEntitlement
            | Self::Ambiguous
            | Self::IntegrationResidue
            | Self::UnownedToken
            | Self::Unreachable => false,
        }
    }

    /// Whether a run that read the accounts whole can say that it is over. The others need every family of the run.
    #[must_use]
    pub const fn judged_by_accounts(self) -> bool {
        match self {
            Self::Residual
            | Self::Resurrected
            | Self::OrphanAccount
            | Self::Ambiguous
            | Self::Missing
            | Self::GoneAtSource
            | Self::Unreachable => true,
            Self::OrphanEntitlement | Self::IntegrationResidue | Self::UnownedToken => false,
        }
    }

    /// What a policy comes to here: a repair where there is nothing to repair is a hold.
    #[must_use]
    pub const fn action(self, policy: Option<DriftAction>) -> DriftAction {
        match policy {
            Some(DriftAction::Repair) if !self.repairable() => DriftAction::Hold,
            Some(action) => action,
            None => self.default_action(),
        }
    }

    /// The state in which a finding of this situation begins.
    #[must_use]
    pub const fn begins(self, action: DriftAction) -> FindingState {
        match (self.needs_read_by_id(), action) {
            (true, _) => FindingState::Suspected,
            (false, DriftAction::Hold) => FindingState::Held,
            (false, DriftAction::Report | DriftAction::Repair) => FindingState::Open,
        }
    }
}

impl FindingState {
    /// Whether the finding is over.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Repaired | Self::Closed => true,
            Self::Suspected | Self::Open | Self::Held | Self::Repairing | Self::Accepted => false,
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the machine has no such edge.
    pub fn after(self, event: FindingEvent) -> Result<Self, IllegalTransition> {
        use FindingEvent as E;
        match (self, event) {
            (Self::Suspected, E::Confirmed(DriftAction::Hold)) => Ok(Self::Held),
            (Self::Suspected, E::Confirmed(DriftAction::Report | DriftAction::Repair)) => {
                Ok(Self::Open)
            }
            (Self::Suspected | Self::Open | Self::Held | Self::Accepted, E::NotSeen) => {
                Ok(Self::Closed)
            }
            (Self::Suspected | Self::Open | Self::Held | Self::Accepted, E::Accepted) => {
                Ok(Self::Accepted)
            }
            (Self::Accepted, E::AcceptanceOver(begins)) if !begins.is_closed() => Ok(begins),
            (Self::Open | Self::Held | Self::Accepted, E::NotListed) => Ok(Self::Suspected),
            (Self::Open | Self::Held, E::RepairAsked) => Ok(Self::Repairing),
            (Self::Repairing, E::RepairProven) => Ok(Self::Repaired),
            (Self::Repairing, E::RepairEnded) => Ok(Self::Open),
            (Self::Open, E::RepairRefused) => Ok(Self::Held),
            (state, event) => Err(IllegalTransition {
                machine: "finding",
                state: state.as_str(),
                event: event.as_str(),
            }),
        }
    }
}

/// Whether an observation says anything: one that is not newer than the last verified write shows the time before it.
#[must_use]
pub fn is_evidence(seen_at: Timestamp, last_write: Option<Timestamp>) -> bool {
    last_write.is_none_or(|write| seen_at > write)
}

/// Whether a run may open this many findings, of so many accounts seen. `limits` counts findings instead of people.
#[must_use]
pub fn admits_findings(limits: &MassGuard, would_open: i64, accounts_seen: i64) -> bool {
    limits.admits(0, would_open, accounts_seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [FindingEvent; 11] = [
        FindingEvent::Confirmed(DriftAction::Report),
        FindingEvent::Confirmed(DriftAction::Repair),
        FindingEvent::Confirmed(DriftAction::Hold),
        FindingEvent::NotSeen,
        FindingEvent::Accepted,
        FindingEvent::AcceptanceOver(FindingState::Suspected),
        FindingEvent::NotListed,
        FindingEvent::RepairAsked,
        FindingEvent::RepairProven,
        FindingEvent::RepairEnded,
        FindingEvent::RepairRefused,
    ];

    #[test]
    fn what_is_over_stays_over() {
        for state in FindingState::ALL.iter().filter(|state| state.is_closed()) {
            for event in EVENTS {
                assert!(state.after(event).is_err(), "{state} {event:?}");
            }
        }
    }

    #[test]
    fn nothing_is_repaired_that_was_not_confirmed() {
        for situation in Situation::ALL
            .iter()
            .filter(|situation| situation.needs_read_by_id())
        {
            for action in DriftAction::ALL {
                let begins = situation.begins(*action);
                assert_eq!(begins, FindingState::Suspected);
                assert!(begins.after(FindingEvent::RepairAsked).is_err());
            }
        }
    }

    #[test]
    fn only_a_known_subjects_access_is_ever_repaired() {
        for situation in Situation::ALL {
            for policy in [None, Some(DriftAction::Repair)] {
                let action = situation.action(policy);
                assert!(action != DriftAction::Repair || situation.repairable());
            }
        }
    }

    #[test]
    fn every_open_state_can_be_left() {
        for state in FindingState::ALL.iter().filter(|state| !state.is_closed()) {
            assert!(
                EVENTS
                    .iter()
                    .any(|event| state.after(*event).is_ok_and(|next| next != *state))
            );
        }
    }

    #[test]
    fn an_observation_as_old_as_the_write_is_no_evidence() {
        let write: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert!(!is_evidence(write, Some(write)));
        assert!(is_evidence(write, None));
        assert!(is_evidence(
            "2026-11-22T12:00:01Z".parse().unwrap(),
            Some(write)
        ));
    }
}
