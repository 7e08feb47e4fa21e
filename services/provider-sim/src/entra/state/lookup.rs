//! Finding objects by what callers name them with.

use std::sync::Arc;

use super::record::{Record, text};
use super::store::Table;
use super::tenant::Tenant;
use crate::entra::error::ApiError;

/// What a directory object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User,
    /// A group.
    Group,
    /// An application registration.
    Application,
    /// A service principal.
    ServicePrincipal,
    /// A device.
    Device,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::User,
        Self::Group,
        Self::Application,
        Self::ServicePrincipal,
        Self::Device,
    ];

    /// Where they are.
    pub fn table(self) -> Table {
        match self {
            Self::User => Table::Users,
            Self::Group => Table::Groups,
            Self::Application => Table::Applications,
            Self::ServicePrincipal => Table::ServicePrincipals,
            Self::Device => Table::Devices,
        }
    }

    /// Its type as a cast writes it, `microsoft.graph.user`.
    pub fn cast(self) -> &'static str {
        match self {
            Self::User => "microsoft.graph.user",
            Self::Group => "microsoft.graph.group",
            Self::Application => "microsoft.graph.application",
            Self::ServicePrincipal => "microsoft.graph.servicePrincipal",
            Self::Device => "microsoft.graph.device",
        }
    }

    /// Its type as an assignment or the audit log writes it, `User`.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Application => "Application",
            Self::ServicePrincipal => "ServicePrincipal",
            Self::Device => "Device",
        }
    }

    /// The kind that a cast or the member `_kind` names.
    pub fn from_cast(cast: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.cast() == cast)
    }
}

impl Tenant {
    /// The object of `kind` that `name` names: an id, `appId=...`, or the user principal name of a user.
    ///
    /// # Errors
    /// 404.
    pub fn object(&self, kind: Kind, name: &str) -> Result<(String, Arc<Record>), ApiError> {
        if let Some(record) = self.store.object(kind.table(), name) {
            return Ok((name.to_owned(), record));
        }
        let wanted = match (kind, name.strip_prefix("appId=")) {
            (Kind::User, _) => Some(("userPrincipalName", name)),
            (_, Some(app_id)) => Some(("appId", app_id)),
            _ => None,
        };
        let found = wanted.and_then(|(member, value)| {
            let rows = self.store.all(kind.table());
            rows.into_iter()
                .find(|row| text(&row.record, member).eq_ignore_ascii_case(value))
        });
        found
            .map(|row| (row.id, row.record))
            .ok_or_else(|| ApiError::not_found(name))
    }

    /// The id of the object of `kind` that `name` names.
    ///
    /// # Errors
    /// 404.
    pub fn id_of(&self, kind: Kind, name: &str) -> Result<String, ApiError> {
        self.object(kind, name).map(|(id, _)| id)
    }

    /// What `id` is, where it exists and is not deleted.
    pub fn kind_of(&self, id: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| self.store.object(kind.table(), id).is_some())
    }

    /// The display name of whatever `id` is.
    pub fn name_of(&self, id: &str) -> String {
        let found = Kind::ALL
            .into_iter()
            .find_map(|kind| self.store.object(kind.table(), id));
        let found = found.or_else(|| self.store.object(Table::Deleted, id));
        found.map_or_else(String::new, |record| {
            text(&record, "displayName").to_owned()
        })
    }
}
