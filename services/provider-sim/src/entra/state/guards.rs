//! What the directory refuses to protect its administrators and owners.

use super::lookup::Kind;
use super::record::{Record, flag, list, text};
use super::store::Table;
use super::tenant::{GLOBAL_ADMINISTRATOR, Tenant};
use crate::entra::call::Principal;
use crate::entra::error::ApiError;

/// Roles that let an application change administrators (users resource, "Who can perform sensitive actions").
const STRONGER: [&str; 2] = [
    "Global Administrator",
    "Privileged Authentication Administrator",
];

impl Tenant {
    /// Whether `user` holds an active directory role, or is a member or owner of a role-assignable group.
    pub fn is_administrator(&self, user: &str) -> bool {
        let assignable = |table| {
            self.store.of(table, user).iter().any(|row| {
                self.store
                    .object(Table::Groups, &row.id)
                    .is_some_and(|group| flag(&group, "isAssignableToRole"))
            })
        };
        !self.store.of(Table::Roles, user).is_empty()
            || assignable(Table::Members)
            || assignable(Table::Owners)
    }

    /// Sensitive actions on an administrator need a caller with a stronger role.
    ///
    /// # Errors
    /// 403.
    pub fn protect_administrator(&self, caller: &Principal, user: &str) -> Result<(), ApiError> {
        let strong = caller
            .directory_roles
            .iter()
            .any(|role| STRONGER.contains(&role.as_str()));
        if strong || !self.is_administrator(user) {
            Ok(())
        } else {
            Err(ApiError::denied())
        }
    }

    /// Whether `user` is the only user among the owners of `group`.
    pub fn is_last_owner(&self, group: &str, user: &str) -> bool {
        let owners = self.store.owners(Table::Owners, group);
        let users: Vec<&String> = owners
            .iter()
            .filter(|owner| self.kind_of(owner) == Some(Kind::User))
            .collect();
        users.len() == 1 && users[0] == user
    }

    /// Whether `assignment` is the last one that makes somebody Global Administrator of the whole tenant.
    pub fn is_last_global_administrator(&self, assignment: &Record) -> bool {
        let makes_global = |record: &Record| {
            text(record, "roleDefinitionId") == GLOBAL_ADMINISTRATOR
                && text(record, "directoryScopeId") == "/"
        };
        let holders = self.store.all(Table::Roles);
        makes_global(assignment)
            && holders
                .iter()
                .filter(|row| makes_global(&row.record))
                .count()
                == 1
    }
}

/// What keeps the members of a group out of Graph's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruled {
    /// A rule decides about its members.
    Dynamic,
    /// A local directory does.
    Synced,
    /// Exchange does.
    MailEnabled,
}

/// Who but Graph decides about the members of `group`.
pub fn ruled_by(group: &Record) -> Option<Ruled> {
    let types = list(group, "groupTypes");
    let has = |wanted: &str| types.iter().any(|kind| kind == wanted);
    if has("DynamicMembership") {
        Some(Ruled::Dynamic)
    } else if flag(group, "onPremisesSyncEnabled") {
        Some(Ruled::Synced)
    } else if flag(group, "mailEnabled") && !has("Unified") {
        Some(Ruled::MailEnabled)
    } else {
        None
    }
}
