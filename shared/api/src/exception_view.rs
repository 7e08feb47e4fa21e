//! Exceptions over HTTP: accounts that no person owns and that may stay until a date.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::exception::ExceptionRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// An account that is to be excepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionBody {
    /// The account: `connection:provider_id`.
    #[schema(example = "okta-main:00u1abcd2EFGH3ijk4x7")]
    pub account: String,
    /// `service_account`, `shared_mailbox` or `break_glass`.
    #[schema(example = "service_account")]
    pub kind: String,
    /// The role that answers for it, 1 to 500 characters; never a person's name or address.
    #[schema(example = "platform team")]
    pub owner: String,
    /// Why, 1 to 500 characters; no personal data.
    pub reason: String,
    /// From then on it excepts no more: RFC 3339, at most 400 days ahead.
    pub until: Timestamp,
}

/// An exception as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionView {
    /// Its id.
    pub id: Uuid,
    /// The account, as `connection:provider_id`.
    pub account: String,
    /// What kind of account it is.
    pub kind: String,
    /// The role that answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// From then on it excepts no more.
    pub until: Timestamp,
    /// `stands`, `run_out` (its date is over, and nobody ended it) or `ended`.
    #[schema(example = "stands")]
    pub state: String,
    /// Who said so.
    pub created_by: String,
    /// When it was first added.
    pub created_at: Timestamp,
    /// When a person ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// Exceptions, those that run out first first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionList {
    /// The exceptions.
    pub items: Vec<ExceptionView>,
}

impl From<ExceptionRow> for ExceptionView {
    fn from(row: ExceptionRow) -> Self {
        let state = match (row.ended_at, row.excepts) {
            (Some(_), _) => "ended",
            (None, true) => "stands",
            (None, false) => "run_out",
        };
        let said = row.exception;
        Self {
            id: row.id,
            account: format!("{}:{}", said.connection, said.provider_id),
            kind: said.kind,
            owner: said.owner,
            reason: said.reason,
            until: said.until,
            state: state.to_owned(),
            created_by: row.created_by,
            created_at: row.created_at,
            ended_at: row.ended_at,
            ended_by: row.ended_by,
        }
    }
}
