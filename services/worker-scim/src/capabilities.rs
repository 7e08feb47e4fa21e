//! What can be done with each family of a person's entitlements at a SCIM application.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

use crate::rules::SESSIONS_END;

/// For people, in the order of [`crate::families::ALL`].
pub const PEOPLE: &[Capability] = &[
    Capability {
        family: EntitlementKind::Account,
        sees: Sees::Listed,
        revokes: Revokes::Call(Action::DeleteAccount),
        grade: Grade::Read,
        restores: Restores::Never,
        note: "Disabling sets active to false and comes back; a deleted account does not. An application without \
            DELETE is a person's task.",
    },
    Capability {
        family: EntitlementKind::Session,
        sees: Sees::Never,
        revokes: Revokes::WithRule(SESSIONS_END),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "The standard knows neither sessions nor tokens: they are shown as residual for their longest lifetime.",
    },
    Capability {
        family: EntitlementKind::Role,
        sees: Sees::Listed,
        revokes: Revokes::Call(Action::RevokeRole),
        grade: Grade::Read,
        restores: Restores::Call(Action::GrantRole),
        note: "",
    },
    Capability {
        family: EntitlementKind::Licence,
        sees: Sees::Listed,
        revokes: Revokes::Call(Action::RevokeLicence),
        grade: Grade::Read,
        restores: Restores::Call(Action::AssignLicence),
        note: "What the application lists as the user's entitlements.",
    },
    Capability {
        family: EntitlementKind::Group,
        sees: Sees::WhereOffered,
        revokes: Revokes::Call(Action::RemoveFromGroup),
        grade: Grade::Read,
        restores: Restores::Call(Action::AddToGroup),
        note: "A membership that another group gives ends with that one.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::ALL;

    #[test]
    fn every_family_is_declared_in_order() {
        let declared: Vec<EntitlementKind> = PEOPLE.iter().map(|it| it.family).collect();
        assert_eq!(declared, ALL);
    }
}
