//! The protected list.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::protected::{Principal, ProtectedRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// An entry for the protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtectedBody {
    /// A person: Sever's id, or `source:external_id`. Exactly one of this, `integration` and `account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hr:10001")]
    pub person: Option<String>,
    /// An integration, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crm")]
    pub integration: Option<String>,
    /// An account: `connection:provider_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "okta-main:00u1abcd2EFGH3ijk4x7")]
    pub account: Option<String>,
    /// `break_glass`, `service_account`, `last_administrator` or `other`.
    #[schema(example = "break_glass")]
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when; absent for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An entry of the protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtectedView {
    /// Its id.
    pub id: Uuid,
    /// The protected subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// The protected subject's name, where it is an integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// The protected account, as `connection:provider_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What kind of thing it protects.
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The protected list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtectedList {
    /// Oldest first.
    pub items: Vec<ProtectedView>,
}

/// The id of something that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedId {
    /// The id.
    pub id: Uuid,
}

impl From<ProtectedRow> for ProtectedView {
    fn from(row: ProtectedRow) -> Self {
        let (subject, account) = match row.principal {
            Principal::Subject(subject) => (Some(subject.0), None),
            Principal::Account {
                connection,
                provider_id,
            } => (None, Some(format!("{connection}:{provider_id}"))),
        };
        Self {
            id: row.id,
            subject,
            integration: row.integration,
            account,
            kind: row.protection.kind,
            owner: row.protection.owner,
            reason: row.protection.reason,
            until: row.protection.until,
            created_at: row.created_at,
        }
    }
}
