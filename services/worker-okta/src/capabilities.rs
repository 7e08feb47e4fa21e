//! What can be done with each family of a person's entitlements at Okta.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

use crate::rules::SESSIONS_END;

const fn by_call(
    family: EntitlementKind,
    sees: Sees,
    revokes: Action,
    restores: Restores,
    note: &'static str,
) -> Capability {
    Capability {
        family,
        sees,
        revokes: Revokes::Call(revokes),
        grade: Grade::Read,
        restores,
        note,
    }
}

/// For people, in the order of [`crate::families::ALL`].
pub const PEOPLE: &[Capability] = &[
    by_call(
        EntitlementKind::Account,
        Sees::Listed,
        Action::DeactivateAccount,
        Restores::Call(Action::ReinstateAccount),
        "An account that was deactivated comes back without password and factors.",
    ),
    Capability {
        family: EntitlementKind::Session,
        sees: Sees::Never,
        revokes: Revokes::Call(Action::RevokeSessions),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: SESSIONS_END,
    },
    by_call(
        EntitlementKind::Token,
        Sees::Listed,
        Action::RevokeTokens,
        Restores::Never,
        "Access tokens that were issued work on until they expire: shown as residual.",
    ),
    by_call(
        EntitlementKind::Grant,
        Sees::Listed,
        Action::RevokeGrants,
        Restores::Never,
        "",
    ),
    by_call(
        EntitlementKind::ApiToken,
        Sees::Listed,
        Action::RevokeApiToken,
        Restores::Never,
        "A token that an agent lives off is blocked until the agent has another.",
    ),
    by_call(
        EntitlementKind::Role,
        Sees::Listed,
        Action::RevokeRole,
        Restores::Call(Action::GrantRole),
        "A role that a group gives ends with the membership.",
    ),
    by_call(
        EntitlementKind::Group,
        Sees::Listed,
        Action::RemoveFromGroup,
        Restores::Call(Action::AddToGroup),
        "Everyone and groups of an outside directory stay, inert once the account is deactivated.",
    ),
    by_call(
        EntitlementKind::AppAssignment,
        Sees::Listed,
        Action::UnassignApp,
        Restores::Call(Action::AssignApp),
        "An assignment comes back without its application profile.",
    ),
    by_call(
        EntitlementKind::Factor,
        Sees::Listed,
        Action::RemoveFactor,
        Restores::Never,
        "",
    ),
    by_call(
        EntitlementKind::Device,
        Sees::WhereOffered,
        Action::DeactivateDevice,
        Restores::Never,
        "Devices are deleted after their deactivation; a shared one stays.",
    ),
    by_call(
        EntitlementKind::IdentityLink,
        Sees::WhereOffered,
        Action::UnlinkIdentity,
        Restores::Never,
        "",
    ),
    Capability {
        family: EntitlementKind::Ownership,
        sees: Sees::Never,
        revokes: Revokes::WithRule("okta.owner_must_sign_in"),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "No read lists what a user owns.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::ALL;

    #[test]
    fn every_family_is_declared_in_order() {
        let declared: Vec<EntitlementKind> =
            PEOPLE.iter().map(|capability| capability.family).collect();
        assert_eq!(declared, ALL);
    }
}
