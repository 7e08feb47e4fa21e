//! What can be done with each family of a person's entitlements at Vanta.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

use super::disposition::GROUP_SELECTS_TASKS;
use super::rules::{OWNER_MUST_SIGN_IN, SESSIONS_END};

/// For people, in the order of [`super::families::ALL`].
pub const PEOPLE: &[Capability] = &[
    Capability {
        family: EntitlementKind::Account,
        sees: Sees::Listed,
        revokes: Revokes::Call(Action::DeactivateAccount),
        grade: Grade::Read,
        restores: Restores::Never,
        note: "The account is the login to Vanta: one that an identity provider provisions ends there, and the \
            last administrator's is refused: what is refused for long is asked of a person. An administrator lets it sign in again.",
    },
    Capability {
        family: EntitlementKind::Session,
        sees: Sees::Never,
        revokes: Revokes::WithRule(SESSIONS_END),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "Sessions of a deactivated login are shown as residual.",
    },
    Capability {
        family: EntitlementKind::ApiToken,
        sees: Sees::Never,
        revokes: Revokes::Person,
        grade: Grade::Attested,
        restores: Restores::Never,
        note: "API applications that the person made are listed and revoked in the Developer Console only.",
    },
    Capability {
        family: EntitlementKind::Group,
        sees: Sees::Listed,
        revokes: Revokes::WithRule(GROUP_SELECTS_TASKS),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "A group selects which tasks its people get: it stays.",
    },
    Capability {
        family: EntitlementKind::Ownership,
        sees: Sees::Never,
        revokes: Revokes::WithRule(OWNER_MUST_SIGN_IN),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "No read lists what a login owns.",
    },
    Capability {
        family: EntitlementKind::MonitoredAccount,
        sees: Sees::Listed,
        revokes: Revokes::Call(Action::OffboardPerson),
        grade: Grade::Read,
        restores: Restores::Never,
        note: "The offboarding comes last: Vanta completes it when the employment has ended, every monitored account \
            is deactivated and every custom task is done; ending the employment, doing tasks, \
            and an offboarding that is refused for long are asked of a person.",
    },
    Capability {
        family: EntitlementKind::Resource,
        sees: Sees::WhereOffered,
        revokes: Revokes::Call(Action::DeleteResource),
        grade: Grade::Read,
        restores: Restores::Never,
        note: "Rows that our own connector pushed with the person's address; its next push may bring them back.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::families::ALL;

    #[test]
    fn every_family_is_declared_in_order() {
        let declared: Vec<EntitlementKind> = PEOPLE.iter().map(|it| it.family).collect();
        assert_eq!(declared, ALL);
    }
}
