//! What can be done with each family at Entra ID and Azure.

use sever_domain::{Action, EntitlementKind as Kind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

use crate::plan::RESTORABLE_DAYS;
use crate::rules::SESSIONS_END;

const fn by_call(
    family: Kind,
    revokes: Action,
    restores: Restores,
    note: &'static str,
) -> Capability {
    Capability {
        family,
        sees: Sees::Listed,
        revokes: Revokes::Call(revokes),
        grade: Grade::AgreeingReads,
        restores,
        note,
    }
}

const ROLE: Capability = by_call(
    Kind::Role,
    Action::RevokeRole,
    Restores::Call(Action::GrantRole),
    "Directory roles with and without a schedule of Privileged Identity Management; those of a role-assignable group go with it. What was given until a date comes back until then; an activation is its holder's to repeat.",
);
const ELIGIBLE_ROLE: Capability = Capability {
    sees: Sees::WhereOffered,
    ..by_call(
        Kind::EligibleRole,
        Action::RevokeEligibleRole,
        Restores::Call(Action::GrantEligibleRole),
        "Roles and groups that can be activated; nothing where Privileged Identity Management is not licensed.",
    )
};
const RESOURCE_ROLE: Capability = Capability {
    sees: Sees::WhereOffered,
    ..by_call(
        Kind::ResourceRole,
        Action::RevokeResourceRole,
        Restores::Call(Action::GrantResourceRole),
        "Azure roles on management groups, subscriptions and below, active and eligible; none is seen where the application may not read: without a single subscription or management group it says so.",
    )
};
const OWNERSHIP: Capability = by_call(
    Kind::Ownership,
    Action::RemoveOwnership,
    Restores::Call(Action::AddOwnership),
    "A group keeps its last owner until the configured custodian, or somebody else, owns it.",
);

/// For people, in the order of [`crate::families::PEOPLE`].
pub const PEOPLE: &[Capability] = &[
    by_call(
        Kind::Account,
        Action::DeleteAccount,
        Restores::CallForDays(Action::ReinstateAccount, RESTORABLE_DAYS),
        "Disabled, then soft-deleted; of an account that a local directory is the master of, the deletion is a person's task.",
    ),
    Capability {
        family: Kind::Session,
        sees: Sees::Never,
        revokes: Revokes::Call(Action::RevokeSessions),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: SESSIONS_END,
    },
    ROLE,
    ELIGIBLE_ROLE,
    RESOURCE_ROLE,
    by_call(
        Kind::Group,
        Action::RemoveFromGroup,
        Restores::Call(Action::AddToGroup),
        "Memberships of dynamic, synced and Exchange's groups stay, unable to act.",
    ),
    OWNERSHIP,
    by_call(
        Kind::AppAssignment,
        Action::UnassignApp,
        Restores::Call(Action::AssignApp),
        "What a group gives goes with the group.",
    ),
    by_call(
        Kind::Grant,
        Action::RevokeGrants,
        Restores::Call(Action::RestoreGrants),
        "Grants for everybody cannot be taken from one person.",
    ),
    by_call(
        Kind::Licence,
        Action::RevokeLicence,
        Restores::Call(Action::AssignLicence),
        "What a group gives goes with the group.",
    ),
    by_call(
        Kind::Factor,
        Action::RemoveFactor,
        Restores::Never,
        "A password cannot be removed; it stays, unable to act. A connection can keep the others too.",
    ),
    by_call(
        Kind::Device,
        Action::DeactivateDevice,
        Restores::Call(Action::ActivateDevice),
        "Enabled devices that the person owns or has registered; those that are other people's too stay, unable to serve the disabled account.",
    ),
];

/// For integrations, in the order of [`crate::families::INTEGRATIONS`].
pub const INTEGRATIONS: &[Capability] = &[
    by_call(
        Kind::Account,
        Action::DisableIntegration,
        Restores::Call(Action::EnableIntegration),
        "The service principal is disabled and stays as a tombstone, so that nobody's consent makes it anew; access tokens that were issued work on until they expire: shown as residual. Microsoft's own applications are left alone.",
    ),
    by_call(
        Kind::Secret,
        Action::RemoveSecret,
        Restores::Never,
        "Secrets, keys and federated credentials, where the registration is in this tenant.",
    ),
    by_call(
        Kind::Permission,
        Action::RevokePermission,
        Restores::Call(Action::GrantPermission),
        "",
    ),
    by_call(
        Kind::Grant,
        Action::RevokeGrants,
        Restores::Call(Action::RestoreGrants),
        "Consents of people and for everybody.",
    ),
    ROLE,
    ELIGIBLE_ROLE,
    RESOURCE_ROLE,
    by_call(
        Kind::Group,
        Action::RemoveFromGroup,
        Restores::Call(Action::AddToGroup),
        "",
    ),
    OWNERSHIP,
    by_call(
        Kind::Consumer,
        Action::RemoveConsumer,
        Restores::Call(Action::AddConsumer),
        "People, groups and applications that were assigned to it.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families;

    #[test]
    fn every_family_is_declared_in_its_order() {
        for (declared, families) in [
            (PEOPLE, families::PEOPLE),
            (INTEGRATIONS, families::INTEGRATIONS),
        ] {
            assert!(
                declared
                    .iter()
                    .map(|capability| capability.family)
                    .eq(families.iter().copied())
            );
        }
    }
}
