//! What can be done with each family of an integration's entitlements at Okta.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

use super::rules::CONSENTS_NEED_AN_APP;

const fn listed(
    family: EntitlementKind,
    revokes: Action,
    restores: Restores,
    note: &'static str,
) -> Capability {
    Capability {
        family,
        sees: Sees::Listed,
        revokes: Revokes::Call(revokes),
        grade: Grade::Read,
        restores,
        note,
    }
}

/// For integrations, in the order of [`super::families::ALL`].
pub const INTEGRATIONS: &[Capability] = &[
    listed(
        EntitlementKind::Account,
        Action::DisableIntegration,
        Restores::Call(Action::EnableIntegration),
        "A removal leaves the application inactive; deleting it is a matter of retention.",
    ),
    listed(
        EntitlementKind::Token,
        Action::RevokeTokens,
        Restores::Never,
        "Access tokens that were issued work on until they expire: shown as residual.",
    ),
    Capability {
        family: EntitlementKind::Grant,
        sees: Sees::Never,
        revokes: Revokes::WithRule(CONSENTS_NEED_AN_APP),
        grade: Grade::Implied,
        restores: Restores::Never,
        note: "Consents are listed by person, not by application.",
    },
    listed(
        EntitlementKind::Role,
        Action::RevokeRole,
        Restores::Call(Action::GrantRole),
        "",
    ),
    listed(
        EntitlementKind::Permission,
        Action::RevokePermission,
        Restores::Call(Action::GrantPermission),
        "Scopes granted to the application, and its provisioning.",
    ),
    listed(
        EntitlementKind::Secret,
        Action::RemoveSecret,
        Restores::Never,
        "Okta keeps one credential with each application: the last one stays, inert once the application is inactive.",
    ),
    listed(
        EntitlementKind::Consumer,
        Action::RemoveConsumer,
        Restores::Call(Action::AddConsumer),
        "A user's assignment comes back without its application profile; who has it through a group loses it with the \
            group.",
    ),
    listed(
        EntitlementKind::Hook,
        Action::RemoveHook,
        Restores::Never,
        "A hook goes once it is bound by its own id; one that sends to the application's host is a person's to look at.",
    ),
    listed(
        EntitlementKind::ApiToken,
        Action::RevokeApiToken,
        Restores::Never,
        "A token goes once it is bound by its own id; one that bears the application's name is a person's to look at.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::families::ALL;

    #[test]
    fn every_family_is_declared_in_order() {
        let declared: Vec<EntitlementKind> = INTEGRATIONS.iter().map(|it| it.family).collect();
        assert_eq!(declared, ALL);
    }
}
