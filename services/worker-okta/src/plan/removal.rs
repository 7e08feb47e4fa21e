//! By which actions an entitlement that must go is ended.

use sever_domain::entitlement::Entitlement;
use sever_domain::{Action, EntitlementKind, Reversibility, StepClass};

use crate::families::{device_is_active, role_is_inherited, scope_is_group};

/// The actions that end one entitlement, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// What the steps are for.
    pub class: StepClass,
    first: Option<(Action, Reversibility)>,
    last: (Action, Reversibility),
}

impl Removal {
    /// The removal; `None` where no call ends the entitlement: what a group gives goes with the group.
    #[must_use]
    pub fn of(entitlement: &Entitlement) -> Option<Self> {
        use EntitlementKind as Kind;
        use Reversibility::{OneWay, Reversible};
        let (class, last) = match entitlement.kind {
            Kind::Role if role_is_inherited(entitlement) => return None,
            Kind::AppAssignment if scope_is_group(entitlement) => return None,
            Kind::Token => (StepClass::CutSessions, (Action::RevokeTokens, OneWay)),
            Kind::Grant => (StepClass::Revoke, (Action::RevokeGrants, OneWay)),
            Kind::ApiToken => (StepClass::Revoke, (Action::RevokeApiToken, OneWay)),
            Kind::Role => (StepClass::Revoke, (Action::RevokeRole, Reversible)),
            Kind::Group => (StepClass::Revoke, (Action::RemoveFromGroup, Reversible)),
            // The assignment can be made again; the profile that the application kept is lost.
            Kind::AppAssignment => (StepClass::Revoke, (Action::UnassignApp, Reversible)),
            Kind::Factor => (StepClass::Revoke, (Action::RemoveFactor, OneWay)),
            Kind::Device => (StepClass::Revoke, (Action::DeleteDevice, OneWay)),
            Kind::IdentityLink => (StepClass::Revoke, (Action::UnlinkIdentity, OneWay)),
            Kind::Account
            | Kind::Session
            | Kind::Licence
            | Kind::Ownership
            | Kind::Secret
            | Kind::Hook
            | Kind::EligibleRole
            | Kind::ResourceRole
            | Kind::Permission
            | Kind::Consumer
            | Kind::MonitoredAccount
            | Kind::Resource => return None,
        };
        let first = (entitlement.kind == Kind::Device && device_is_active(entitlement))
            .then_some((Action::DeactivateDevice, Reversible));
        Some(Self { class, first, last })
    }

    /// The actions, each of which needs the one before it.
    pub fn actions(self) -> impl Iterator<Item = (Action, Reversibility)> {
        self.first.into_iter().chain([self.last])
    }
}
