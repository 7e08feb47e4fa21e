//! Every address that is written to. A write takes a [`Place`] and nothing else, so that an address which is not in this
//! list cannot be sent.

use crate::edge::{Edge, Holder};

/// Which requests of Privileged Identity Management.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// Of directory roles that may be activated.
    EligibleRole,
    /// Of active directory roles.
    ActiveRole,
    /// Of groups that may be activated.
    EligibleGroup,
    /// Of active memberships and ownerships.
    ActiveGroup,
}

/// An address that is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A user.
    User(&'a str),
    /// A user's session revocation.
    SessionRevocation(&'a str),
    /// A user's licences.
    LicenceAssignment(&'a str),
    /// One authentication method: user, collection, id.
    Method(&'a str, &'a str, &'a str),
    /// One membership or ownership, to be removed.
    Edge(Edge<'a>),
    /// The same, to be made.
    EdgeToBe(Edge<'a>),
    /// One directory role assignment.
    RoleAssignment(&'a str),
    /// Directory role assignments, to which one is added.
    RoleAssignments,
    /// Requests, to which one is added.
    Requests(Requests),
    /// One app role assignment: resource, id.
    AppRoleAssignment(&'a str, &'a str),
    /// The app role assignments of a resource, to which one is added.
    AppRoleAssignments(&'a str),
    /// One delegated grant.
    Grant(&'a str),
    /// Delegated grants, to which one is added.
    Grants,
    /// A device.
    Device(&'a str),
    /// The restore of a deleted item.
    Restore(&'a str),
    /// A service principal.
    ServicePrincipal(&'a str),
    /// An application registration.
    Application(&'a str),
    /// The removal of a secret, of an application or service principal.
    PasswordRemoval(Holder, &'a str),
    /// A federated credential: application, id.
    Federated(&'a str, &'a str),
}

impl<'a> Place<'a> {
    /// The segments of the address, below the version.
    #[must_use]
    pub fn path(&self) -> Vec<&'a str> {
        match *self {
            Self::User(id) => vec!["users", id],
            Self::SessionRevocation(id) => vec!["users", id, "revokeSignInSessions"],
            Self::LicenceAssignment(id) => vec!["users", id, "assignLicense"],
            Self::Method(user, collection, id) => {
                vec!["users", user, "authentication", collection, id]
            }
            Self::Edge(edge) => edge.removal().to_vec(),
            Self::EdgeToBe(edge) => edge.addition().to_vec(),
            Self::RoleAssignment(id) => {
                vec!["roleManagement", "directory", "roleAssignments", id]
            }
            Self::RoleAssignments => vec!["roleManagement", "directory", "roleAssignments"],
            Self::Requests(requests) => requests.path().to_vec(),
            Self::AppRoleAssignment(resource, id) => {
                vec!["servicePrincipals", resource, "appRoleAssignedTo", id]
            }
            Self::AppRoleAssignments(resource) => {
                vec!["servicePrincipals", resource, "appRoleAssignedTo"]
            }
            Self::Grant(id) => vec!["oauth2PermissionGrants", id],
            Self::Grants => vec!["oauth2PermissionGrants"],
            Self::Device(id) => vec!["devices", id],
            Self::Restore(id) => vec!["directory", "deletedItems", id, "restore"],
            Self::ServicePrincipal(id) => vec!["servicePrincipals", id],
            Self::Application(id) => vec!["applications", id],
            Self::PasswordRemoval(holder, id) => vec![holder.collection(), id, "removePassword"],
            Self::Federated(application, id) => {
                vec![
                    "applications",
                    application,
                    "federatedIdentityCredentials",
                    id,
                ]
            }
        }
    }
}

impl Requests {
    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::EligibleRole => &[
                "roleManagement",
                "directory",
                "roleEligibilityScheduleRequests",
            ],
            Self::ActiveRole => &[
                "roleManagement",
                "directory",
                "roleAssignmentScheduleRequests",
            ],
            Self::EligibleGroup => &[
                "identityGovernance",
                "privilegedAccess",
                "group",
                "eligibilityScheduleRequests",
            ],
            Self::ActiveGroup => &[
                "identityGovernance",
                "privilegedAccess",
                "group",
                "assignmentScheduleRequests",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_place<'a>(which: usize, a: &'a str, b: &'a str, c: &'a str) -> Place<'a> {
        let holders = [Holder::Group, Holder::Application, Holder::ServicePrincipal];
        let holder = holders[which % 3];
        match which % 23 {
            0 => Place::User(a),
            1 => Place::SessionRevocation(a),
            2 => Place::LicenceAssignment(a),
            3 => Place::Method(a, b, c),
            4 => Place::Edge(Edge::member(a, b)),
            5 => Place::Edge(Edge::owner(holder, a, b)),
            6 => Place::EdgeToBe(Edge::member(a, b)),
            7 => Place::EdgeToBe(Edge::owner(holder, a, b)),
            8 => Place::RoleAssignment(a),
            9 => Place::RoleAssignments,
            10 => Place::Requests(Requests::EligibleRole),
            11 => Place::Requests(Requests::ActiveRole),
            12 => Place::Requests(Requests::EligibleGroup),
            13 => Place::Requests(Requests::ActiveGroup),
            14 => Place::AppRoleAssignment(a, b),
            15 => Place::AppRoleAssignments(a),
            16 => Place::Grant(a),
            17 => Place::Grants,
            18 => Place::Device(a),
            19 => Place::Restore(a),
            20 => Place::ServicePrincipal(a),
            21 => Place::PasswordRemoval(holder, a),
            _ => Place::Federated(a, b),
        }
    }

    proptest! {
        /// Whatever the ids, an address with a relation in it ends in `$ref`.
        #[test]
        fn a_relation_is_always_written_as_a_reference(
            which in 0usize..1000, a in "[a-z0-9$-]{1,12}", b in "[a-z0-9$-]{1,12}", c in "[a-z0-9-]{1,12}"
        ) {
            let place = any_place(which, &a, &b, &c);
            let path = place.path();
            let relation = path.get(2).is_some_and(|segment| ["members", "owners"].contains(segment));
            prop_assert_eq!(relation, matches!(place, Place::Edge(_) | Place::EdgeToBe(_)));
            if relation {
                prop_assert_eq!(path.last(), Some(&"$ref"));
            }
        }
    }
}
