//! Memberships and ownerships: the only relations that are removed by an address.
//!
//! `DELETE /groups/{group}/members/{user}` deletes the *user*; `…/$ref` ends the membership. An [`Edge`] is the only way
//! in this crate to an address below `members` or `owners` that is written to, and all of its addresses end in `$ref`.

/// What has members or owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A group.
    Group,
    /// An application registration.
    Application,
    /// A service principal.
    ServicePrincipal,
}

impl Holder {
    /// Its collection in Graph, which is also its word in keys.
    #[must_use]
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Group => "groups",
            Self::Application => "applications",
            Self::ServicePrincipal => "servicePrincipals",
        }
    }

    /// The holder whose collection this is.
    #[must_use]
    pub fn of(collection: &str) -> Option<Self> {
        [Self::Group, Self::Application, Self::ServicePrincipal]
            .into_iter()
            .find(|holder| holder.collection() == collection)
    }
}

/// One principal's membership or ownership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<'a> {
    holder: Holder,
    holder_id: &'a str,
    relation: &'static str,
    principal_id: &'a str,
}

/// The end of every address of a relation.
const REFERENCE: &str = "$ref";

impl<'a> Edge<'a> {
    /// A principal's membership in a group.
    #[must_use]
    pub const fn member(group_id: &'a str, principal_id: &'a str) -> Self {
        Self {
            holder: Holder::Group,
            holder_id: group_id,
            relation: "members",
            principal_id,
        }
    }

    /// A principal's ownership.
    #[must_use]
    pub const fn owner(holder: Holder, holder_id: &'a str, principal_id: &'a str) -> Self {
        Self {
            holder,
            holder_id,
            relation: "owners",
            principal_id,
        }
    }

    /// Where the relation is removed.
    #[must_use]
    pub const fn removal(&self) -> [&'a str; 5] {
        [
            self.holder.collection(),
            self.holder_id,
            self.relation,
            self.principal_id,
            REFERENCE,
        ]
    }

    /// Where the relation is made.
    #[must_use]
    pub const fn addition(&self) -> [&'a str; 4] {
        [
            self.holder.collection(),
            self.holder_id,
            self.relation,
            REFERENCE,
        ]
    }

    /// The principal.
    #[must_use]
    pub const fn principal_id(&self) -> &'a str {
        self.principal_id
    }
}
