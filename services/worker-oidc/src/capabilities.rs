//! What can be done with each family at an OpenID provider, for people and for clients.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

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

/// For people, in the order of [`crate::people::KEYCLOAK`].
pub const PEOPLE: &[Capability] = &[
    by_call(
        EntitlementKind::Account,
        Sees::WhereOffered,
        Action::SuspendAccount,
        Restores::Call(Action::ReinstateAccount),
        "With Keycloak's administration; the standards know no accounts, and disabling one is a person's task.",
    ),
    by_call(
        EntitlementKind::Session,
        Sees::WhereOffered,
        Action::RevokeSessions,
        Restores::Never,
        "With Keycloak's administration, or by global token revocation where the provider offers it; else a person's \
            task.",
    ),
    by_call(
        EntitlementKind::Token,
        Sees::WhereOffered,
        Action::RevokeTokens,
        Restores::Never,
        "Tokens that are registered with us, proven by introspection; with Keycloak's administration offline tokens \
            too. What is not registered ends with a global token revocation, else it is a person's task. Access tokens \
            work on until they expire: shown as residual.",
    ),
    by_call(
        EntitlementKind::Grant,
        Sees::WhereOffered,
        Action::RevokeGrants,
        Restores::Never,
        "With Keycloak's administration.",
    ),
    by_call(
        EntitlementKind::Role,
        Sees::WhereOffered,
        Action::RevokeRole,
        Restores::Call(Action::GrantRole),
        "With Keycloak's administration.",
    ),
    by_call(
        EntitlementKind::Group,
        Sees::WhereOffered,
        Action::RemoveFromGroup,
        Restores::Call(Action::AddToGroup),
        "With Keycloak's administration.",
    ),
    by_call(
        EntitlementKind::Factor,
        Sees::WhereOffered,
        Action::RemoveFactor,
        Restores::Never,
        "With Keycloak's administration; passwords and other credentials.",
    ),
    by_call(
        EntitlementKind::IdentityLink,
        Sees::WhereOffered,
        Action::UnlinkIdentity,
        Restores::Never,
        "With Keycloak's administration.",
    ),
];

/// For clients, in the order of [`crate::clients::FAMILIES`].
pub const CLIENTS: &[Capability] = &[
    by_call(
        EntitlementKind::Account,
        Sees::Listed,
        Action::DisableIntegration,
        Restores::Call(Action::EnableIntegration),
        "The client; it is disabled and stays, so that its history stays.",
    ),
    by_call(
        EntitlementKind::Secret,
        Sees::Listed,
        Action::RemoveSecret,
        Restores::Never,
        "A new secret takes the old one's place and is told to nobody.",
    ),
    Capability {
        family: EntitlementKind::Session,
        sees: Sees::Listed,
        revokes: Revokes::WithRule(crate::clients::DISABLED_RENEWS_NOTHING),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "A session belongs to a person and may serve other clients, so it is not ended.",
    },
    by_call(
        EntitlementKind::Token,
        Sees::Listed,
        Action::RevokeTokens,
        Restores::Never,
        "Everything that was issued before is refused (not-before); access tokens that are checked elsewhere work on \
            until they expire: shown as residual.",
    ),
    by_call(
        EntitlementKind::Role,
        Sees::Listed,
        Action::RevokeRole,
        Restores::Call(Action::GrantRole),
        "Roles of the client's service account.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_declared_in_order() {
        let declared = |list: &[Capability]| -> Vec<EntitlementKind> {
            list.iter().map(|capability| capability.family).collect()
        };
        assert_eq!(declared(PEOPLE), crate::people::KEYCLOAK);
        assert_eq!(declared(PEOPLE)[..3], *crate::people::STANDARD);
        assert_eq!(declared(CLIENTS), crate::clients::FAMILIES);
    }
}
