//! What can be done with each family of an integration's entitlements at Vanta.

use sever_domain::{Action, EntitlementKind, Grade};
use sever_provider::{Capability, Restores, Revokes, Sees};

/// For integrations, in the order of [`super::families::ALL`].
pub const INTEGRATIONS: &[Capability] = &[
    Capability {
        family: EntitlementKind::Account,
        sees: Sees::WhereOffered,
        revokes: Revokes::Person,
        grade: Grade::Read,
        restores: Restores::Never,
        note: "No call disconnects an integration or ends an API application. The list of integrations shows that one is \
            disconnected; of API applications only our own connector's credentials can be tried, others are attested.",
    },
    Capability {
        family: EntitlementKind::Resource,
        sees: Sees::WhereOffered,
        revokes: Revokes::Call(Action::DeleteResource),
        grade: Grade::Read,
        restores: Restores::Never,
        note: "Sets of rows that our own connector pushed; one that has grown since the plan is not emptied.",
    },
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
